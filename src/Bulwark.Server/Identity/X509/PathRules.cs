using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>The rules for a complete path, the certificate first and the root last, each signature already checked.</summary>
internal sealed class PathRules(CertificatePathOptions options, IReadOnlyList<RevocationList> lists)
{
    /// <summary>Comparisons of names with constraints that one path may cost.</summary>
    private const int MaximumNameChecks = 100_000;

    internal Finding Check(IReadOnlyList<ParsedCertificate> path, DateTimeOffset time)
    {
        var now = time.ToUniversalTime();
        for (var i = 0; i < path.Count; i++)
        {
            var role = i == 0 ? "The certificate" : i == path.Count - 1 ? "The root" : $"Authority {i}";
            var finding = First(
                Dates(path[i], now, role),
                Shape.Check(path[i], role, isRoot: i == path.Count - 1),
                i == 0 ? EndEntity.Check(path[i], options) : Authority(path[i], role, Below(path, i)),
                options.Profile == CertificateProfile.WebPki ? WebPki.Check(path[i], role, isLeaf: i == 0, isRoot: i == path.Count - 1) : Finding.Trusted);
            if (!finding.IsTrusted)
                return finding;
        }

        return First(Names(path), Revocation(path, now));
    }

    private static Finding First(params ReadOnlySpan<Finding> findings)
    {
        foreach (var finding in findings)
            if (!finding.IsTrusted)
                return finding;
        return Finding.Trusted;
    }

    private static Finding Dates(ParsedCertificate certificate, DateTimeOffset now, string role) =>
        now < certificate.NotBefore ? new(CertificateVerdict.NotYetValid, $"{role} is not valid before {certificate.NotBefore:u}.")
        : now > certificate.NotAfter ? new(CertificateVerdict.Expired, $"{role} expired {certificate.NotAfter:u}.")
        : Finding.Trusted;

    /// <summary>Authorities between this one and the certificate that count: self-issued ones do not.</summary>
    private static int Below(IReadOnlyList<ParsedCertificate> path, int index) =>
        path.Take(index).Skip(1).Count(certificate => !certificate.IsSelfIssued);

    private static Finding Authority(ParsedCertificate certificate, string role, int below)
    {
        var extensions = certificate.Extensions;
        if (!extensions.IsAuthority || !extensions.IsCritical(CertificateExtensions.BasicConstraintsOid))
            return new(CertificateVerdict.IssuerIsNoAuthority, $"{role} does not say, critically, that it is an authority.");
        if (extensions.KeyUsage is { } usage && !usage.HasFlag(X509KeyUsageFlags.KeyCertSign))
            return new(CertificateVerdict.WrongKeyUsage, $"{role} may not sign certificates.");
        if (certificate.Subject.IsEmpty)
            return new(CertificateVerdict.Malformed, $"{role} has no name.");
        if (extensions.SubjectKeyIdentifier is null)
            return new(CertificateVerdict.Malformed, $"{role} has no subject key identifier.");
        return extensions.BasicConstraints!.Value.PathLength is { } length && below > length
            ? new(CertificateVerdict.PathTooLong, $"{role} allows {length} authorities below it; there are {below}.") : Finding.Trusted;
    }

    private static Finding Names(IReadOnlyList<ParsedCertificate> path)
    {
        var budget = MaximumNameChecks;
        for (var i = path.Count - 1; i > 0; i--)
        {
            if (path[i].Extensions.NameConstraints is not { } constraints)
                continue;
            for (var j = i - 1; j >= 0; j--)
            {
                if (j > 0 && path[j].IsSelfIssued)
                    continue;
                var names = SubjectNames.Of(path[j]);
                budget -= names.Count * (constraints.Permitted.Count + constraints.Excluded.Count);
                if (budget < 0)
                    return new(CertificateVerdict.TooComplex, "The path has too many names and name constraints.");
                if (names.FirstOrDefault(name => !constraints.Allows(name)) is { } refused)
                    return new(CertificateVerdict.NameNotPermitted, $"An authority may not certify the {refused.Kind} name {refused.Text}.");
            }
        }

        return Finding.Trusted;
    }

    private Finding Revocation(IReadOnlyList<ParsedCertificate> path, DateTimeOffset now)
    {
        if (lists.Count == 0)
            return Finding.Trusted;
        for (var i = 0; i < path.Count - 1; i++)
        {
            var issuer = path[i + 1];
            if (lists.FirstOrDefault(list => list.IsUsable(issuer, now)) is not { } list)
                return new(CertificateVerdict.RevocationUnknown, "No usable revocation list of an issuer was given.");
            if (list.Revokes(path[i].Serial))
                return new(CertificateVerdict.Revoked, "The issuer has revoked a certificate of the path.");
        }

        return Finding.Trusted;
    }
}
