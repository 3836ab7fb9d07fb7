using System.Numerics;

namespace Bulwark.Server;

/// <summary>Whether an RSA public key may be relied on.</summary>
internal static class RsaKeyStrength
{
    private const int MinimumBits = 2048;
    private const int MaximumBits = 8192;   // above it one verification is a denial of service
    private static readonly int[] Primes = [.. Enumerable.Range(3, 165).Where(n => n % 2 == 1 && Enumerable.Range(2, n - 2).All(d => n % d != 0))];

    /// <summary>What is wrong with the key, or null. Both numbers are unsigned, big-endian.</summary>
    internal static string? Fault(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        var n = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        var e = new BigInteger(exponent, isUnsigned: true, isBigEndian: true);
        if (n.GetBitLength() < MinimumBits)
            return $"modulus has {n.GetBitLength()} bits; {MinimumBits} are the least";
        if (n.GetBitLength() > MaximumBits)
            return $"modulus has more than {MaximumBits} bits";
        if (n.IsEven || Primes.Any(prime => n % prime == 0))
            return "modulus has a small factor";
        if (e < 65537 || e.IsEven || e.GetBitLength() > 64)
            return "public exponent is not an odd number from 65537 to 2^64";
        return HasRocaFingerprint(n) ? "modulus comes from a generator with the ROCA flaw (CVE-2017-15361)" : null;
    }

    /// <summary>The flawed generator's moduli are powers of 65537 modulo every small prime.</summary>
    /// <remarks>Source: Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, section 2.3 (fingerprint).</remarks>
    private static bool HasRocaFingerprint(BigInteger modulus) => Primes.All(prime => IsPower((int)(modulus % prime), prime));

    private static bool IsPower(int value, int prime)
    {
        var power = 1;
        do
        {
            if (power == value)
                return true;
            power = (int)((long)power * 65537 % prime);
        }
        while (power != 1);
        return false;
    }
}
