using System.Security.Cryptography;
using Sodium = NSec.Cryptography.IncrementalHash;
using Standard = System.Security.Cryptography.IncrementalHash;

namespace Bulwark.Cryptography;

/// <summary>How the content of a file is hashed where a format leaves the choice.</summary>
public enum ContentHashKind
{
    /// <summary>SHA-256 (FIPS 180-4), 32 bytes.</summary>
    Sha256,

    /// <summary>BLAKE2b (RFC 7693) without a key, 64 bytes.</summary>
    Blake2b,
}

/// <summary>Hashes bytes as they come. Not thread-safe; one per file.</summary>
public sealed class ContentHash : IDisposable
{
    private readonly Standard? _standard;
    private Sodium _sodium;

    /// <summary>Begins a hash.</summary>
    public ContentHash(ContentHashKind kind)
    {
        if (kind == ContentHashKind.Sha256)
            _standard = Standard.CreateHash(HashAlgorithmName.SHA256);
        else if (kind == ContentHashKind.Blake2b)
            Sodium.Initialize(NSec.Cryptography.HashAlgorithm.Blake2b_512, out _sodium);
        else
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such hash.");
    }

    /// <summary>Takes the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_standard is not null)
            _standard.AppendData(bytes);
        else
            Sodium.Update(ref _sodium, bytes);
    }

    /// <summary>The hash; ends it.</summary>
    public byte[] Finish() => _standard?.GetHashAndReset() ?? Sodium.Finalize(ref _sodium);

    /// <inheritdoc/>
    public void Dispose() => _standard?.Dispose();
}
