using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Bulwark.Server;

/// <summary>Builds and checks certificate paths by a strict profile of its own, from DER bytes. Immutable and thread-safe.</summary>
/// <remarks>
/// Source: RFC 5280, section 6.1 (path validation), RFC 4158 (path building). Asks no network, no store of the machine.
/// Signatures are the platform's ECDSA (P-256, P-384, P-521) and RSA (PKCS #1 v1.5, 2048 bits up) with SHA-2.
/// </remarks>
public sealed class CertificatePathValidator
{
    /// <summary>Signature checks that one question may cost; a maze of cross-signed authorities ends here.</summary>
    private const int MaximumSignatures = 64;
    private const int MaximumBytes = 256 * 1024;

    private readonly List<ParsedCertificate> _roots = [];
    private readonly CertificatePathOptions _options;
    private readonly PathRules _rules;

    /// <param name="trustRoots">The authorities that are trusted, DER; at least one. One that cannot be read is a fault.</param>
    /// <param name="options">What a path must be.</param>
    /// <exception cref="ArgumentException">There is no root, or a root or revocation list is not DER.</exception>
    public CertificatePathValidator(IEnumerable<byte[]> trustRoots, CertificatePathOptions options)
    {
        ArgumentNullException.ThrowIfNull(trustRoots);
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        try
        {
            foreach (var root in trustRoots)
                _roots.Add(ParsedCertificate.Parse(root));
            _rules = new(options, [.. options.RevocationLists.Select(RevocationList.Parse)]);
        }
        catch (Exception fault) when (fault is AsnContentException or CryptographicException)
        {
            throw new ArgumentException($"A trust root or revocation list cannot be read: {fault.Message}", nameof(trustRoots), fault);
        }

        if (_roots.Count == 0)
            throw new ArgumentException("At least one trust root is needed.", nameof(trustRoots));
    }

    /// <summary>Checks one certificate.</summary>
    /// <param name="leaf">The certificate, DER.</param>
    /// <param name="intermediates">Other certificates, DER, in any order; hints that may be wrong.</param>
    /// <param name="time">The moment that dates are held against.</param>
    /// <param name="detail">One sentence on a refusal, for a log; empty when trusted.</param>
    public CertificateVerdict Validate(ReadOnlySpan<byte> leaf, IEnumerable<byte[]> intermediates, DateTimeOffset time, out string detail) => Validate(leaf, intermediates, time, out detail, out _);

    /// <summary>As above; the path, the certificate first and the root last, when it is trusted.</summary>
    internal CertificateVerdict Validate(ReadOnlySpan<byte> leaf, IEnumerable<byte[]> intermediates, DateTimeOffset time, out string detail, out IReadOnlyList<ParsedCertificate> path)
    {
        path = [];
        ArgumentNullException.ThrowIfNull(intermediates);
        if (leaf.Length > MaximumBytes)
            return Refuse(CertificateVerdict.TooComplex, "The certificate is too large.", out detail);
        ParsedCertificate parsed;
        try
        {
            parsed = ParsedCertificate.Parse(leaf.ToArray());
        }
        catch (Exception fault) when (fault is AsnContentException or CryptographicException)
        {
            return Refuse(CertificateVerdict.Malformed, fault.Message, out detail);
        }

        IReadOnlyList<ParsedCertificate> last = [];
        var search = new PathSearch(_roots, Hints(intermediates), _options.MaximumIntermediates, MaximumSignatures, candidate => _rules.Check(last = candidate, time));
        var finding = search.Find(parsed);
        path = finding.IsTrusted ? last : [];
        detail = finding.Detail;
        return finding.Verdict;
    }

    /// <summary>A hint that cannot be read helps nobody and harms nobody.</summary>
    private static List<ParsedCertificate> Hints(IEnumerable<byte[]> intermediates)
    {
        var hints = new List<ParsedCertificate>();
        foreach (var der in intermediates)
        {
            if (der.Length > MaximumBytes || hints.Count == 256)
                continue;
            try
            {
                hints.Add(ParsedCertificate.Parse(der));
            }
            catch (Exception fault) when (fault is AsnContentException or CryptographicException)
            {
                continue;
            }
        }

        return hints;
    }

    private static CertificateVerdict Refuse(CertificateVerdict verdict, string why, out string detail)
    {
        detail = why;
        return verdict;
    }
}
