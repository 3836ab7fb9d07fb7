using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>HKDF (RFC 5869) with SHA-256, SHA-384 or SHA-512: one secret, many independent keys.</summary>
/// <remarks>The base library's expansion refuses pseudorandom keys shorter than its hash, which FLOE and Cobblestone use; this one takes any length.</remarks>
public static class Hkdf
{
    /// <summary>A key from a secret of whatever distribution.</summary>
    /// <param name="hash">SHA-256, SHA-384 or SHA-512.</param>
    /// <param name="secret">The input keying material.</param>
    /// <param name="salt">Not secret; empty is allowed.</param>
    /// <param name="info">What the key is for.</param>
    /// <param name="key">Takes the key: at most 255 times the hash's length.</param>
    /// <exception cref="ArgumentException">The hash is another, or the key too long.</exception>
    public static void DeriveKey(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info, Span<byte> key)
    {
        Span<byte> pseudoRandom = stackalloc byte[64];
        pseudoRandom = pseudoRandom[..SizeOf(hash)];
        try
        {
            CryptographicOperations.HmacData(hash, salt, secret, pseudoRandom);
            Expand(hash, pseudoRandom, info, key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pseudoRandom);
        }
    }

    /// <summary>A key from a secret that is uniformly random already (RFC 5869 §3.3).</summary>
    /// <inheritdoc cref="DeriveKey"/>
    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> info, Span<byte> key)
    {
        var size = SizeOf(hash);
        if (key.Length > 255 * size)
            throw new ArgumentException($"HKDF gives at most {255 * size} bytes, not {key.Length}.", nameof(key));
        Span<byte> block = stackalloc byte[64];
        block = block[..size];
        using var hmac = IncrementalHash.CreateHMAC(hash, secret);
        try
        {
            for (var counter = 1; !key.IsEmpty; counter++)
            {
                if (counter > 1)
                    hmac.AppendData(block);
                hmac.AppendData(info);
                hmac.AppendData([(byte)counter]);
                hmac.GetHashAndReset(block);
                var taken = Math.Min(size, key.Length);
                block[..taken].CopyTo(key);
                key = key[taken..];
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(block);
        }
    }

    private static int SizeOf(HashAlgorithmName hash) => hash.Name switch
    {
        "SHA256" => 32,
        "SHA384" => 48,
        "SHA512" => 64,
        _ => throw new ArgumentException($"HKDF is with SHA-256, SHA-384 or SHA-512, not {hash}.", nameof(hash)),
    };
}
