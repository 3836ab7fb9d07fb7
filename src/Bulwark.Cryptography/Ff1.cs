using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Format-preserving encryption: a text over an alphabet becomes another of the same length over the same alphabet.</summary>
/// <remarks>
/// Source: NIST SP 800-38G, FF1; domains below 10^6 are refused, as its revision 1 (second public draft, 2025) requires.
/// Deterministic for one key and tweak: equal plaintexts show. Exact for any radix and length by big integers; many texts at once go
/// through their rounds together (<see cref="EncryptMany"/>), and for card numbers there is <see cref="CardTokenizer"/>. Not thread-safe.
/// </remarks>
public sealed partial class Ff1 : IDisposable
{
    /// <summary>The fewest texts that a domain must have.</summary>
    public const int MinimumDomain = 1_000_000;

    private const int Rounds = 10, MaximumLength = 1 << 16;
    private readonly Aes _aes = Aes.Create();
    private readonly string _alphabet;
    private readonly int _minimumDomain;
    private readonly int[] _digits = new int[128];   // of the characters below 128; -1 where there is none

    /// <summary>Takes a key and an alphabet.</summary>
    /// <param name="key">16, 24 or 32 bytes.</param>
    /// <param name="alphabet">2 to 65536 different characters; their order is their value.</param>
    /// <exception cref="ArgumentException">Either is outside its range.</exception>
    public Ff1(ReadOnlySpan<byte> key, string alphabet)
        : this(key, alphabet, MinimumDomain)
    {
    }

    internal Ff1(ReadOnlySpan<byte> key, string alphabet, int minimumDomain)
    {
        ArgumentNullException.ThrowIfNull(alphabet);
        if (key.Length is not (16 or 24 or 32))
            throw new ArgumentException($"An AES key has 16, 24 or 32 bytes, not {key.Length}.", nameof(key));
        if (alphabet.Length is < 2 or > 65536 || alphabet.Distinct().Count() != alphabet.Length)
            throw new ArgumentException("An alphabet has 2 to 65536 characters, each once.", nameof(alphabet));
        (_alphabet, _minimumDomain) = (alphabet, minimumDomain);
        for (var i = 0; i < _digits.Length; i++)
            _digits[i] = alphabet.IndexOf((char)i, StringComparison.Ordinal);
        _aes.SetKey(key);
    }

    /// <summary>FF1.Encrypt (Algorithm 7).</summary>
    /// <param name="plaintext">Characters of the alphabet; the domain must have <see cref="MinimumDomain"/> texts or more.</param>
    /// <param name="tweak">Not secret; different tweaks give unrelated ciphertexts. At most 65536 bytes.</param>
    /// <exception cref="ArgumentException">The text has another character, or its domain is too small.</exception>
    public string Encrypt(string plaintext, ReadOnlySpan<byte> tweak)
    {
        var rounds = Begin(plaintext, tweak);
        var (a, b) = (Number(plaintext.AsSpan(0, rounds.U)), Number(plaintext.AsSpan(rounds.U)));
        for (var i = 0; i < Rounds; i++)
        {
            var modulus = i % 2 == 0 ? rounds.ModulusU : rounds.ModulusV;
            (a, b) = (b, (a + Round(rounds, i, b)) % modulus);
        }

        return Text(a, rounds.U) + Text(b, rounds.V);
    }

    /// <summary>FF1.Decrypt (Algorithm 8).</summary>
    /// <inheritdoc cref="Encrypt" path="/exception"/>
    /// <param name="ciphertext">What <see cref="Encrypt"/> returned.</param>
    /// <param name="tweak">The same tweak.</param>
    public string Decrypt(string ciphertext, ReadOnlySpan<byte> tweak)
    {
        var rounds = Begin(ciphertext, tweak);
        var (a, b) = (Number(ciphertext.AsSpan(0, rounds.U)), Number(ciphertext.AsSpan(rounds.U)));
        for (var i = Rounds - 1; i >= 0; i--)
        {
            var modulus = i % 2 == 0 ? rounds.ModulusU : rounds.ModulusV;
            var difference = (b - Round(rounds, i, a)) % modulus;
            (a, b) = (difference.Sign < 0 ? difference + modulus : difference, a);
        }

        return Text(a, rounds.U) + Text(b, rounds.V);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _aes.Dispose();

    private Schedule Begin(string text, ReadOnlySpan<byte> tweak)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is < 2 or > MaximumLength || BigInteger.Pow(_alphabet.Length, Math.Min(text.Length, 32)) < _minimumDomain)
            throw new ArgumentException($"A text of {text.Length} characters over {_alphabet.Length} symbols has a domain below {_minimumDomain}, or is too long: FF1 does not protect it.", nameof(text));
        if (tweak.Length > MaximumLength)
            throw new ArgumentException($"A tweak has at most {MaximumLength} bytes.", nameof(tweak));
        var u = text.Length / 2;
        return new Schedule(_alphabet.Length, text.Length, u, tweak.ToArray());
    }

    /// <summary>One round's y: steps 6i to 6v.</summary>
    private BigInteger Round(Schedule rounds, int round, BigInteger half)
    {
        var q = rounds.Q(round, half);
        Span<byte> r = stackalloc byte[16];
        _aes.EncryptEcb(rounds.P, r, PaddingMode.None);
        for (var offset = 0; offset < q.Length; offset += 16)
        {
            for (var i = 0; i < 16; i++)
                r[i] ^= q[offset + i];
            _aes.EncryptEcb(r, r, PaddingMode.None);
        }

        return new BigInteger(Extend(r, rounds.D), isUnsigned: true, isBigEndian: true);
    }

    /// <summary>S: R, then AES(R xor 1), AES(R xor 2), …, cut to d bytes.</summary>
    private byte[] Extend(ReadOnlySpan<byte> r, int d)
    {
        var s = new byte[(d + 15) / 16 * 16];
        r.CopyTo(s);
        for (var j = 1; j * 16 < s.Length; j++)
        {
            var block = s.AsSpan(j * 16, 16);
            r.CopyTo(block);
            BinaryPrimitives.WriteUInt32BigEndian(block[12..], BinaryPrimitives.ReadUInt32BigEndian(block[12..]) ^ (uint)j);
            _aes.EncryptEcb(block, block, PaddingMode.None);
        }

        return s[..d];
    }

    private BigInteger Number(ReadOnlySpan<char> text)
    {
        var number = BigInteger.Zero;
        foreach (var c in text)
        {
            var digit = _alphabet.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0)
                throw new ArgumentException("The text has a character that is not in the alphabet.", nameof(text));
            number = number * _alphabet.Length + digit;
        }

        return number;
    }

    private string Text(BigInteger number, int length)
    {
        var text = new char[length];
        for (var i = length - 1; i >= 0; i--)
        {
            number = BigInteger.DivRem(number, _alphabet.Length, out var digit);
            text[i] = _alphabet[(int)digit];
        }

        return new string(text);
    }

    /// <summary>What is the same in all rounds: step 1 to 5.</summary>
    private sealed class Schedule
    {
        private readonly byte[] _tweak;
        private readonly int _b;

        internal Schedule(int radix, int length, int u, byte[] tweak)
        {
            (U, V, _tweak) = (u, length - u, tweak);
            ModulusU = BigInteger.Pow(radix, U);
            ModulusV = BigInteger.Pow(radix, V);
            _b = (int)(((ModulusV - 1).GetBitLength() + 7) / 8);
            D = 4 * ((_b + 3) / 4) + 4;
            byte[] p = [1, 2, 1, (byte)(radix >> 16), (byte)(radix >> 8 & 0xff), (byte)(radix & 0xff), 10, (byte)(u % 256), 0, 0, 0, 0, 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32BigEndian(p.AsSpan(8), length);
            BinaryPrimitives.WriteInt32BigEndian(p.AsSpan(12), tweak.Length);
            P = p;
        }

        internal int U { get; }
        internal int V { get; }
        internal int D { get; }
        internal BigInteger ModulusU { get; }
        internal BigInteger ModulusV { get; }
        internal byte[] P { get; }

        internal byte[] Q(int round, BigInteger half)
        {
            var q = new byte[(_tweak.Length + 1 + _b + 15) / 16 * 16];
            _tweak.CopyTo(q, 0);
            q[^(_b + 1)] = (byte)round;
            var bytes = half.ToByteArray(isUnsigned: true, isBigEndian: true);
            bytes.CopyTo(q, q.Length - bytes.Length);
            return q;
        }
    }
}
