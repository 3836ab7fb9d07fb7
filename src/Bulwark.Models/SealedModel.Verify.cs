using Bulwark.Cryptography;
using Bulwark.Models.Package;

namespace Bulwark.Models;

public static partial class SealedModel
{
    /// <summary>Checks a package from the stream's current position to its end: head, envelope, manifest, signature, signer, every payload byte. Needs no secret.</summary>
    /// <param name="package">Read once, forward, in constant memory.</param>
    /// <param name="trusted">Keys whose signature is accepted; empty accepts none, and still tells a right signature from a wrong one.</param>
    /// <param name="cancel">Stops the reading.</param>
    public static async Task<SealVerification> VerifyAsync(Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default) =>
        (await CheckAsync(package, trusted, cancel).ConfigureAwait(false)).Verification;

    /// <summary>True when a file that begins with <paramref name="head"/> claims to be a model package.</summary>
    /// <param name="head">8 bytes or more.</param>
    public static bool IsMatch(ReadOnlySpan<byte> head) => head.StartsWith(PackageHead.Magic);

    /// <summary>Where the payload begins, beside the verdict.</summary>
    private static async Task<(SealVerification Verification, long PayloadOffset)> CheckAsync(
        Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(trusted);
        var head = new byte[PackageHead.SizeInBytes];
        var read = await package.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        var refusal = PackageHead.Read(head.AsSpan(0, read), out var envelopeLength);
        if (refusal != SealVerdict.Unverified)
            return (Refuse(refusal), 0);
        var front = new byte[envelopeLength];
        if (await package.ReadAtLeastAsync(front, front.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false) < front.Length)
            return (Refuse(SealVerdict.Malformed, "The file ends within its envelope."), 0);

        SealEnvelope envelope;
        try
        {
            envelope = SealEnvelope.Read(front);
        }
        catch (InvalidDataException fault)
        {
            return (Refuse(SealVerdict.Malformed, fault.Message), 0);
        }

        var (payload, whole, bytes) = await TwoDigests.OfAsync([.. head, .. front], package, cancel).ConfigureAwait(false);
        var (verdict, reason) = Judge(envelope, payload, trusted);
        var verification = new SealVerification(verdict, reason, whole, envelope.Predicate.Manifest, envelope.Predicate.Signer, bytes);
        return (verification, head.Length + front.Length);
    }

    private static (SealVerdict Verdict, string Reason) Judge(
        SealEnvelope envelope, Digest payload, IReadOnlyCollection<VerificationKey> trusted)
    {
        var signer = envelope.Predicate.Signer;
        if (!envelope.SignatureIsRight)
            return (SealVerdict.BadSignature, $"The signature is not one of {signer}, which the manifest names as signer.");
        if (payload != envelope.Payload)
            return (SealVerdict.PayloadAltered, "The sealed payload is not the one that was signed: changed, cut off or extended.");
        return trusted.Contains(signer)
            ? (SealVerdict.Trusted, $"Signed by {signer}; every byte is as it was signed.")
            : (SealVerdict.UntrustedSigner, $"Every byte is as {signer} signed it, but {(trusted.Count == 0 ? "no key is trusted here" : "that key is not trusted here")}.");
    }

    private static SealVerification Refuse(SealVerdict verdict, string? reason = null) => new(verdict, reason ?? verdict switch
    {
        SealVerdict.NotAPackage => "The file does not begin as a model package does.",
        SealVerdict.UnknownVersion => "The package is of a version that this code does not read.",
        _ => "The head of the package is not as the format says.",
    }, default);
}
