using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Data;

/// <summary>The key that blinds one data set's commitment: each leaf has a key of its own, so that showing one row group shows nothing of another.</summary>
/// <remarks>Key of leaf i: HMAC-SHA-256(key, i as u64). The tree's leaf: HMAC-SHA-256(key of the leaf, SHA-256(00 | the leaf's bytes)).</remarks>
internal sealed class DatasetBlinding(SecretBytes key) : IDisposable
{
    internal const int SizeInBytes = 32;

    /// <summary>The key of one leaf; given out with the leaf's bytes.</summary>
    internal byte[] LeafKey(long index)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, index);
        return HMACSHA256.HashData(key.Span, number);
    }

    /// <summary>The root over leaves that were hashed without blinding.</summary>
    internal Digest Root(IReadOnlyList<Digest> plain) => MerkleTree.Root(Leaves(plain));

    /// <summary>The tree's leaves.</summary>
    internal Digest[] Leaves(IReadOnlyList<Digest> plain)
    {
        var leaves = new Digest[plain.Count];
        for (var i = 0; i < leaves.Length; i++)
        {
            var leafKey = LeafKey(i);
            leaves[i] = Leaf(leafKey, plain[i]);
            CryptographicOperations.ZeroMemory(leafKey);
        }

        return leaves;
    }

    /// <summary>The tree's leaf for bytes whose hash without blinding is <paramref name="plain"/>.</summary>
    internal static Digest Leaf(ReadOnlySpan<byte> leafKey, Digest plain)
    {
        Span<byte> blinded = stackalloc byte[SizeInBytes];
        HMACSHA256.HashData(leafKey, plain.Bytes, blinded);
        return MerkleTree.LeafHash(blinded);
    }

    /// <summary>The key sealed under another: base64 of nonce 12 | AES-256-GCM ciphertext | tag 16.</summary>
    /// <param name="under">A footer's or a manifest's key, of which one for this is derived.</param>
    /// <param name="context">What it belongs to.</param>
    internal string Seal(ReadOnlySpan<byte> under, string context)
    {
        using var sealing = SealingKey(under);
        return LocalWrap.Seal(key, sealing, Encoding.UTF8.GetBytes(context));
    }

    /// <exception cref="CryptographicException">It was changed, or sealed under another key.</exception>
    internal static DatasetBlinding Open(string text, ReadOnlySpan<byte> under, string context)
    {
        using var sealing = SealingKey(under);
        return new(LocalWrap.Open(text, sealing, Encoding.UTF8.GetBytes(context)));
    }

    public void Dispose() => key.Dispose();

    private static SecretBytes SealingKey(ReadOnlySpan<byte> under) => SecretBytes.Create(SizeInBytes, under, (secret, target) =>
        Hkdf.DeriveKey(HashAlgorithmName.SHA256, secret, salt: default, "bulwark.dev/sealed-blinding/v1"u8, target));
}
