using Bulwark.Cryptography;
using Bulwark.Models.Package;

namespace Bulwark.Models;

public static partial class SealedModel
{
    /// <summary>Checks a package from the stream's current position to its end: head, envelope, manifest, signature, signer, every payload byte. Needs no secret.</summary>
    /// <param name="package">Seekable; each byte is read once, in constant memory.</param>
    /// <param name="trusted">Keys whose signature is accepted; empty accepts none, and still tells a right signature from a wrong one.</param>
    /// <param name="cancel">Stops the reading.</param>
    public static async Task<SealVerification> VerifyAsync(Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default) =>
        (await CheckAsync(package, trusted, cancel).ConfigureAwait(false)).Verification;

    /// <summary>True when a file that begins with <paramref name="head"/> claims to be a model package.</summary>
    /// <param name="head">8 bytes or more.</param>
    public static bool IsMatch(ReadOnlySpan<byte> head) => head.StartsWith(PackageHead.Magic);

    /// <summary>The verdict on the whole package, and where its parts stand.</summary>
    private static async Task<(SealVerification Verification, PackageFacts? Facts)> CheckAsync(
        Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(trusted);
        RequireSeekable(package);
        var (facts, refusal) = await PackageFacts.ReadAsync(package, cancel).ConfigureAwait(false);
        if (facts is null)
            return (refusal, null);
        using var hash = PackageHash.Of(facts);
        await PackagePayload.Of(package, facts, hash).HashRestAsync(cancel).ConfigureAwait(false);
        return (Judge(facts, hash, trusted), facts);
    }

    /// <summary>The verdict, once the hash took all of the payload.</summary>
    private static SealVerification Judge(PackageFacts facts, PackageHash hash, IReadOnlyCollection<VerificationKey> trusted)
    {
        var (verdict, reason) = Judge(facts.Envelope, hash.Signed(), trusted);
        return new(verdict, reason, hash.Whole(facts.EnvelopeBytes), facts.Envelope.Predicate.Manifest, facts.Envelope.Predicate.Signer, facts.Bytes);
    }

    private static (SealVerdict Verdict, string Reason) Judge(SealEnvelope envelope, Digest found, IReadOnlyCollection<VerificationKey> trusted)
    {
        var signer = envelope.Predicate.Signer;
        if (!envelope.SignatureIsRight)
            return (SealVerdict.BadSignature, $"The signature is not one of {signer}, which the manifest names as signer.");
        if (found != envelope.Signed)
            return (SealVerdict.PayloadAltered, "The sealed payload is not the one that was signed: changed, cut off or extended.");
        return trusted.Contains(signer)
            ? (SealVerdict.Trusted, $"Signed by {signer}; every byte is as it was signed.")
            : (SealVerdict.UntrustedSigner, $"Signed by {signer}, but {(trusted.Count == 0 ? "no key is trusted here" : "that key is not trusted here")}.");
    }

    private static void RequireSeekable(Stream package)
    {
        if (!package.CanSeek)
            throw new ArgumentException("A package is read from a seekable stream: its signature stands at its end.", nameof(package));
    }
}
