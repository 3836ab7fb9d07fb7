using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>AES-SIV: deterministic authenticated encryption. Equal values under one key and context give equal ciphertexts, so that columns join.</summary>
/// <remarks>
/// Source: RFC 5297 (S2V over AES-CMAC, then AES-CTR), over the platform's AES. A ciphertext is the synthetic IV, 16 bytes, and
/// as many bytes as the plaintext. Thousands of short values at once go through <see cref="EncryptBatch"/>: one call into AES a step,
/// not one a value. Not thread-safe.
/// </remarks>
public sealed partial class AesSiv : IDisposable
{
    /// <summary>By how much a ciphertext is longer than its plaintext.</summary>
    public const int OverheadInBytes = 16;

    /// <summary>The most parts of associated data.</summary>
    public const int MostAssociated = 126;

    private const int Block = 16;
    private const string Refusal = "The ciphertext does not open: it was changed, or belongs to another key or context.";
    private readonly Cmac _mac;
    private readonly Aes _counter = Aes.Create();

    /// <param name="key">32, 48 or 64 bytes: half for the tag, half for the cipher. 64 bytes make AES-256-SIV.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public AesSiv(ReadOnlySpan<byte> key)
    {
        if (key.Length is not (32 or 48 or 64))
            throw new ArgumentException($"An AES-SIV key has 32, 48 or 64 bytes, not {key.Length}.", nameof(key));
        _mac = new Cmac(key[..(key.Length / 2)]);
        _counter.SetKey(key[(key.Length / 2)..]);
    }

    /// <summary>Encrypts one value.</summary>
    /// <param name="plaintext">Any bytes, also none.</param>
    /// <param name="associated">What the ciphertext belongs to, part by part; the boundaries count. At most 126 parts. With a nonce as the last one it is nonce-based (section 3).</param>
    /// <returns>Synthetic IV and ciphertext.</returns>
    public byte[] Encrypt(ReadOnlySpan<byte> plaintext, params ReadOnlySpan<byte[]> associated)
    {
        var output = new byte[Block + plaintext.Length];
        Vector(plaintext, Context(associated), output);
        plaintext.CopyTo(output.AsSpan(Block));
        Count(output.AsSpan(0, Block), output.AsSpan(Block));
        return output;
    }

    /// <summary>Decrypts one value.</summary>
    /// <param name="ciphertext">What <see cref="Encrypt"/> returned.</param>
    /// <param name="associated">The same parts.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public byte[] Decrypt(ReadOnlySpan<byte> ciphertext, params ReadOnlySpan<byte[]> associated)
    {
        if (ciphertext.Length < Block)
            throw new CryptographicException(Refusal);
        var plaintext = ciphertext[Block..].ToArray();
        Count(ciphertext[..Block], plaintext);
        Span<byte> vector = stackalloc byte[Block];
        Vector(plaintext, Context(associated), vector);
        if (CryptographicOperations.FixedTimeEquals(vector, ciphertext[..Block]))
            return plaintext;
        CryptographicOperations.ZeroMemory(plaintext);
        throw new CryptographicException(Refusal);
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        _mac.Dispose();
        _counter.Dispose();
    }

    /// <summary>S2V without its last step (section 2.4): the same for all values of one context.</summary>
    private byte[] Context(ReadOnlySpan<byte[]> associated)
    {
        if (associated.Length > MostAssociated)
            throw new ArgumentException($"There are {associated.Length} parts of associated data; at most {MostAssociated} go.", nameof(associated));
        var d = new byte[Block];
        _mac.Compute(new byte[Block], d);
        Span<byte> tag = stackalloc byte[Block];
        foreach (var part in associated)
        {
            Cmac.Double(d);
            _mac.Compute(part, tag);
            Cmac.Xor(d, tag);
        }

        return d;
    }

    /// <summary>The last step of S2V: the plaintext.</summary>
    private void Vector(ReadOnlySpan<byte> plaintext, byte[] context, Span<byte> vector)
    {
        var last = new byte[Math.Max(plaintext.Length, Block)];
        try
        {
            Last(plaintext, context, last);
            _mac.Compute(last, vector);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(last);
        }
    }

    /// <summary>T: the plaintext with the context at its end, or, when it is shorter than a block, padded into the doubled context.</summary>
    private static void Last(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> context, Span<byte> last)
    {
        if (plaintext.Length >= Block)
        {
            plaintext.CopyTo(last);
            Cmac.Xor(last.Slice(plaintext.Length - Block, Block), context);
            return;
        }

        context.CopyTo(last);
        Cmac.Double(last);
        Cmac.Xor(last, plaintext);
        last[plaintext.Length] ^= 0x80;
    }

    /// <summary>AES-CTR from the vector with bits 31 and 63 cleared (section 2.5).</summary>
    private void Count(ReadOnlySpan<byte> vector, Span<byte> text)
    {
        var blocks = (text.Length + Block - 1) / Block;
        var stream = new byte[blocks * Block];
        Counters(vector, stream);
        if (blocks > 0)
            _counter.EncryptEcb(stream, stream, PaddingMode.None);
        Cmac.Xor(text, stream.AsSpan(0, text.Length));
        CryptographicOperations.ZeroMemory(stream);
    }
}
