using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>The secret under which a workspace blinds its commitments, so that whoever reads one cannot test a guess of the rows.</summary>
/// <remarks>
/// A data set's own key is HKDF-SHA-256 (RFC 5869) of this one, salted with the root that its rows would have without blinding: the same rows have the
/// same commitment in this workspace, whichever file holds them, and another data set's key says nothing of theirs.
/// </remarks>
public sealed class CommitmentKey : IDisposable
{
    /// <summary>The key ring's key. Its first version blinds for good: under another the same rows would be another data set, with a privacy budget of its own.</summary>
    public const string Name = "commitments";

    private readonly SecretBytes _key;

    private CommitmentKey(SecretBytes key) => _key = key;

    /// <summary>The key of a key ring, made when there is none.</summary>
    /// <exception cref="InvalidOperationException">Its first version was destroyed.</exception>
    public static CommitmentKey Of(KeyRing keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var first = new KeyId(Name, 1);
        if (!keys.List().Any(key => key.Id == first))
            keys.GetOrCreateSymmetric(Name);
        return new(keys.Derive(first, "bulwark.dev/commitment-key/v1"));
    }

    /// <summary>A key that nobody keeps: what it blinds can be shown to nobody later.</summary>
    public static CommitmentKey Forgotten() => new(SecretBytes.Random(32));

    /// <summary>The key of the data set whose rows have this root without blinding.</summary>
    internal DatasetBlinding For(Digest plainRoot) => new(SecretBytes.Create(DatasetBlinding.SizeInBytes, _key.Span, (secret, key) =>
        Hkdf.DeriveKey(HashAlgorithmName.SHA256, secret, plainRoot.Bytes, "bulwark.dev/dataset-blinding/v1"u8, key)));

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _key.Dispose();
}
