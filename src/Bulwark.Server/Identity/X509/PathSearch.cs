namespace Bulwark.Server;

/// <summary>What a check came to, and why.</summary>
internal readonly record struct Finding(CertificateVerdict Verdict, string Detail)
{
    internal static Finding Trusted => new(CertificateVerdict.Trusted, "");

    internal bool IsTrusted => Verdict == CertificateVerdict.Trusted;
}

/// <summary>Looks for a path of valid signatures from a certificate to a root that also passes the rules; depth first, roots first.</summary>
internal sealed class PathSearch(
    IReadOnlyList<ParsedCertificate> roots, IReadOnlyList<ParsedCertificate> hints, int maximumIntermediates, int budget, Func<IReadOnlyList<ParsedCertificate>, Finding> rules)
{
    private readonly List<ParsedCertificate> _path = [];
    private Finding? _refusal;
    private bool _tooLong;

    /// <summary>Trusted when one path is; else what the first complete path failed by; else that there is none.</summary>
    internal Finding Find(ParsedCertificate leaf)
    {
        _path.Add(leaf);
        if (Extend())
            return Finding.Trusted;
        return _refusal
            ?? (budget <= 0 ? new(CertificateVerdict.TooComplex, "The certificates form too large a maze.")
            : _tooLong ? new(CertificateVerdict.PathTooLong, $"No root is reached within {maximumIntermediates} intermediate authorities.")
            : new(CertificateVerdict.UntrustedIssuer, "No path of valid signatures leads to a trusted root."));
    }

    private bool Extend()
    {
        var current = _path[^1];
        foreach (var root in roots)
        {
            if (!Issued(root, current))
                continue;
            var finding = rules([.. _path, root]);
            if (finding.IsTrusted)
                return true;
            _refusal ??= finding;
        }

        foreach (var hint in hints)
        {
            if (!NamesIssuer(hint, current) || _path.Any(used => IsSame(used, hint)))
                continue;
            if (!hint.IsSelfIssued && _path.Skip(1).Count(authority => !authority.IsSelfIssued) >= maximumIntermediates)
            {
                _tooLong = true;
                continue;
            }

            if (!Issued(hint, current))
                continue;
            _path.Add(hint);
            if (Extend())
                return true;
            _path.RemoveAt(_path.Count - 1);
        }

        return false;
    }

    /// <summary>RFC 4158, section 2.4.2: the same name with the same key is the same authority, whoever certified it.</summary>
    private static bool IsSame(ParsedCertificate a, ParsedCertificate b) =>
        NamesEqual(a.Subject, b.Subject) && a.Key.Encoded.Span.SequenceEqual(b.Key.Encoded.Span);

    private static bool NamesIssuer(ParsedCertificate issuer, ParsedCertificate subject) => NamesEqual(issuer.Subject, subject.Issuer);

    private static bool NamesEqual(DistinguishedName a, DistinguishedName b) => a.Encoded.Span.SequenceEqual(b.Encoded.Span);

    private bool Issued(ParsedCertificate issuer, ParsedCertificate subject)
    {
        if (!NamesIssuer(issuer, subject) || --budget < 0)
            return false;
        if (issuer.Key.Weakness is { } weakness)
        {
            _refusal ??= new(CertificateVerdict.WeakKey, $"An authority's key is refused: {weakness}.");
            return false;
        }

        return issuer.Key.Verify(subject.Tbs, subject.SignatureAlgorithm, subject.Signature);
    }
}
