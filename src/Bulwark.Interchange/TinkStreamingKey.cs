using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>A key of Tink's AES-GCM-HKDF streaming encryption, with its parameters.</summary>
/// <remarks>
/// Source: Tink wire format, "AES-GCM-HKDF streaming". Bulwark writes the templates <see cref="FourKilobytes"/> and <see cref="OneMegabyte"/>;
/// it reads every parameter set that Tink allows with 128- or 256-bit keys.
/// </remarks>
public sealed class TinkStreamingKey : IDisposable
{
    /// <summary>Segment length of the template AES256_GCM_HKDF_4KB, in bytes.</summary>
    public const int FourKilobytes = 4096;

    /// <summary>Segment length of the template AES256_GCM_HKDF_1MB, in bytes.</summary>
    public const int OneMegabyte = 1 << 20;

    private const int LongestSegment = 1 << 24;
    private readonly SecretBytes _key;

    /// <summary>Takes a key.</summary>
    /// <param name="key">16 or more bytes, at least as many as <paramref name="derivedKeySizeInBytes"/>; copied.</param>
    /// <param name="segmentSizeInBytes">Header and tags included: above the header's length and 16, at most 16 MiB.</param>
    /// <param name="derivedKeySizeInBytes">16 or 32.</param>
    /// <param name="hash">SHA-1, SHA-256 or SHA-512.</param>
    /// <exception cref="ArgumentException">One of them is out of range.</exception>
    public TinkStreamingKey(ReadOnlySpan<byte> key, int segmentSizeInBytes, int derivedKeySizeInBytes, HashAlgorithmName hash)
    {
        if (derivedKeySizeInBytes is not (16 or 32) || key.Length < derivedKeySizeInBytes || key.Length > 1024)
            throw new ArgumentException("A Tink streaming key derives keys of 16 or 32 bytes and is itself no shorter.", nameof(key));
        if (hash != HashAlgorithmName.SHA1 && hash != HashAlgorithmName.SHA256 && hash != HashAlgorithmName.SHA512)
            throw new ArgumentException("Tink's HKDF hash is SHA-1, SHA-256 or SHA-512.", nameof(hash));
        if (segmentSizeInBytes <= 1 + derivedKeySizeInBytes + 7 + 16 || segmentSizeInBytes > LongestSegment)
            throw new ArgumentException($"A segment must hold the header and a tag, and have at most {LongestSegment} bytes.", nameof(segmentSizeInBytes));
        _key = SecretBytes.CopyOf(key);
        (SegmentSizeInBytes, DerivedKeySizeInBytes, Hash) = (segmentSizeInBytes, derivedKeySizeInBytes, hash);
    }

    /// <summary>Length of a segment, in bytes.</summary>
    public int SegmentSizeInBytes { get; }

    /// <summary>Length of the key of one message, in bytes.</summary>
    public int DerivedKeySizeInBytes { get; }

    /// <summary>HKDF's hash.</summary>
    public HashAlgorithmName Hash { get; }

    internal ReadOnlySpan<byte> Key => _key.Span;

    /// <summary>A fresh key of the template AES256_GCM_HKDF_4KB or AES256_GCM_HKDF_1MB.</summary>
    /// <param name="segmentSizeInBytes"><see cref="FourKilobytes"/> or <see cref="OneMegabyte"/>.</param>
    public static TinkStreamingKey Generate(int segmentSizeInBytes = OneMegabyte)
    {
        using var key = SecretBytes.Random(32);
        return new TinkStreamingKey(key.Span, segmentSizeInBytes, 32, HashAlgorithmName.SHA256);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _key.Dispose();
}
