namespace Bulwark.Cryptography;

/// <summary>How long a beacon (a truncated keyed hash that finds rows without telling values apart) may be.</summary>
/// <remarks>
/// Source: AWS Database Encryption SDK, "Choosing a beacon length": √X &lt; 2^N &lt; X/2 for X different values. Shorter, a search returns
/// too much; longer, most values have a beacon of their own, which is then as good as a deterministic ciphertext. The rule supposes that
/// values are about equally frequent: a beacon of a value that half the rows share shows by its frequency whatever its length.
/// </remarks>
public static class BeaconRule
{
    /// <summary>The lengths that the rule allows.</summary>
    /// <param name="distinct">Different values of the column.</param>
    /// <returns>The least and the most bits; null when there are too few values for any.</returns>
    public static (int Least, int Most)? Allowed(long distinct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(distinct);
        var bits = Enumerable.Range(1, KeyedHash.MostBeaconBits - 1).Where(n => Holds(distinct, n)).ToArray();
        return bits.Length == 0 ? null : (bits[0], bits[^1]);
    }

    /// <summary>Whether <paramref name="bits"/> bits suit <paramref name="distinct"/> different values.</summary>
    public static bool Holds(long distinct, int bits) =>
        bits is >= 1 and <= KeyedHash.MostBeaconBits && Math.Sqrt(distinct) < Math.Pow(2, bits) && Math.Pow(2, bits) < distinct / 2.0;
}
