using Bulwark.Attestation.Dcap;
using Bulwark.Attestation.Snp;

namespace Bulwark.Attestation;

/// <summary>A verifier's own vendors' certificates, revocation lists and documents, for evidence that brings none. Read anew at each use; what is missing fails its leg.</summary>
/// <remarks>
/// Files, PEM or DER: <c>amd-PRODUCT-signing.pem</c>, <c>amd-PRODUCT-vlek-signing.pem</c>, <c>amd-PRODUCT-root.pem</c>, <c>amd-PRODUCT.crl</c> (product milan, genoa or turin),
/// <c>vcek-CHIP-TCB.der</c> (chip id and reported TCB, hexadecimal), <c>tdx-FMSPC.json</c> and <c>sgx-FMSPC.json</c> (Intel's collateral).
/// </remarks>
/// <param name="path">The folder.</param>
public sealed class CollateralFolder(string path)
{
    private const long MostBytes = 1 << 20;

    internal SnpEvidence Complete(SnpEvidence evidence, SnpReport report)
    {
        var leaf = evidence.Leaf.IsEmpty ? Find($"vcek-{Convert.ToHexStringLower(report.ChipId)}-{Convert.ToHexStringLower(report.ReportedTcbBytes)}.der") : evidence.Leaf;
        var facts = Certificates.DerCertificate.TryRead(leaf, out var certificate) ? SnpCertificate.Read(certificate!, out _) : null;
        var product = $"{facts?.Product ?? report.Product}".ToLowerInvariant();
        return evidence with
        {
            Leaf = leaf,
            Signing = evidence.Signing.IsEmpty ? Find($"amd-{product}{(facts?.IsVlek is true ? "-vlek" : "")}-signing.pem") : evidence.Signing,
            Root = evidence.Root.IsEmpty ? Find($"amd-{product}-root.pem") : evidence.Root,
            RevocationList = evidence.RevocationList.IsEmpty ? Find($"amd-{product}.crl") : evidence.RevocationList,
        };
    }

    internal ReadOnlyMemory<byte> ForQuote(Quote quote) => quote.Chain.Count > 0 && PckFacts.Read(quote.Chain[0]) is { } facts
        ? Find($"{quote.Tee.ToString().ToLowerInvariant()}-{Convert.ToHexStringLower(facts.Fmspc.Span)}.json") : ReadOnlyMemory<byte>.Empty;

    /// <summary>The file; nothing when there is none, or it cannot be read: its leg says so.</summary>
    private ReadOnlyMemory<byte> Find(string name)
    {
        var file = new FileInfo(Path.Combine(path, name));
        try
        {
            return file.Exists && file.Length <= MostBytes ? File.ReadAllBytes(file.FullName) : ReadOnlyMemory<byte>.Empty;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return ReadOnlyMemory<byte>.Empty;
        }
    }
}
