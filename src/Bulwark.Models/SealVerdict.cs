using Bulwark.Cryptography;

namespace Bulwark.Models;

/// <summary>What checking a model package came to.</summary>
public enum SealVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>Signed by a trusted key, and every byte is as it was signed.</summary>
    Trusted,

    /// <summary>The file does not begin as a model package does.</summary>
    NotAPackage,

    /// <summary>A package of a version that this code does not read.</summary>
    UnknownVersion,

    /// <summary>The head is cut off, or the signed envelope or the manifest is not exactly as the format says.</summary>
    Malformed,

    /// <summary>The signature is not that of the key that the manifest names.</summary>
    BadSignature,

    /// <summary>The signature is right, and nobody said that its key is to be trusted.</summary>
    UntrustedSigner,

    /// <summary>The sealed payload is not the one that was signed: changed, cut off or extended.</summary>
    PayloadAltered,
}

/// <summary>The verdict on a model package and what it rests on.</summary>
/// <param name="Verdict">The answer; only <see cref="SealVerdict.Trusted"/> accepts.</param>
/// <param name="Reason">The verdict in one sentence.</param>
/// <param name="PackageDigest">Digest of the whole file, as any SHA-256 tool prints it; none when the file was not read to its end.</param>
/// <param name="Manifest">What the package says of itself; believe it only when trusted. Null when it could not be read.</param>
/// <param name="Signer">The key that the manifest names as its signer.</param>
/// <param name="PackageBytes">Length of the file.</param>
public sealed record SealVerification(
    SealVerdict Verdict, string Reason, Digest PackageDigest, ModelManifest? Manifest = null, VerificationKey? Signer = null, long PackageBytes = 0)
{
    /// <summary>True when the verdict accepts.</summary>
    public bool IsTrusted => Verdict == SealVerdict.Trusted;
}
