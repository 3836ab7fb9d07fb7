namespace Bulwark.Models.Package;

/// <summary>Where a package's parts stand in its stream, and its signed envelope: what is read before any of the payload.</summary>
/// <param name="Head">The first bytes.</param>
/// <param name="EnvelopeBytes">The envelope as it stands there.</param>
/// <param name="Envelope">What it says.</param>
/// <param name="PayloadStart">The payload's first byte, as a position in the stream.</param>
/// <param name="PayloadEnd">The byte after its last.</param>
/// <param name="Bytes">Of the whole package.</param>
internal sealed record PackageFacts(PackageHead Head, byte[] EnvelopeBytes, SealEnvelope Envelope, long PayloadStart, long PayloadEnd, long Bytes)
{
    /// <summary>Reads them of a package that begins where the stream stands and ends where it ends.</summary>
    /// <returns>The facts, or what refuses the package.</returns>
    internal static async Task<(PackageFacts? Facts, SealVerification Refusal)> ReadAsync(Stream package, CancellationToken cancel)
    {
        var start = package.Position;
        var bytes = new byte[PackageHead.SizeInBytes];
        var read = await package.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
        var refusal = PackageHead.Read(bytes.AsSpan(0, read), out var head);
        if (refusal != SealVerdict.Unverified)
            return (null, Refuse(refusal));
        var payload = package.Length - start - PackageHead.SizeInBytes - head.EnvelopeLength;
        if (payload < 0)
            return (null, Refuse(SealVerdict.Malformed, "The file ends within its envelope."));
        var payloadStart = start + head.PayloadStart;
        package.Position = head.Version == 1 ? start + PackageHead.SizeInBytes : payloadStart + payload;
        var envelope = new byte[head.EnvelopeLength];
        if (await package.ReadAtLeastAsync(envelope, envelope.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false) < envelope.Length)
            return (null, Refuse(SealVerdict.Malformed, "The file ends within its envelope."));
        try
        {
            return (new(head, envelope, SealEnvelope.Read(envelope, head.Version), payloadStart, payloadStart + payload, package.Length - start), Refuse(SealVerdict.Unverified));
        }
        catch (InvalidDataException fault)
        {
            return (null, Refuse(SealVerdict.Malformed, fault.Message));
        }
    }

    private static SealVerification Refuse(SealVerdict verdict, string? reason = null) => new(verdict, reason ?? verdict switch
    {
        SealVerdict.NotAPackage => "The file does not begin as a model package does.",
        SealVerdict.UnknownVersion => "The package is of a version that this code does not read.",
        _ => "The head of the package is not as the format says.",
    }, default);
}
