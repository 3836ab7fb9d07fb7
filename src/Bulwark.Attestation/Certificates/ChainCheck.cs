namespace Bulwark.Attestation.Certificates;

/// <summary>Checks a chain of attestation certificates from a leaf to a pinned root, a leg for each thing that can be wrong.</summary>
/// <param name="Prefix">What the legs' names begin with, for example <c>vcek</c>.</param>
/// <param name="Chain">Leaf first, root last.</param>
/// <param name="TrustedRoots">SHA-256 of the SubjectPublicKeyInfo of each root that is trusted.</param>
internal sealed record ChainCheck(string Prefix, IReadOnlyList<DerCertificate> Chain, IReadOnlyCollection<Cryptography.Digest> TrustedRoots)
{
    /// <summary>Adds the legs <c>root</c>, <c>chain</c> and <c>dates</c>.</summary>
    /// <returns>True when all hold.</returns>
    internal bool AddTo(Legs legs, DateTimeOffset now)
    {
        var root = Chain.Count > 0 && TrustedRoots.Contains(Chain[^1].KeyDigest) && Chain[^1].IsIssuedBy(Chain[^1]);
        var rooted = legs.Check($"{Prefix}-root", root, "the chain ends in a root that is not pinned", code: "UntrustedRoot");
        var chained = legs.Check($"{Prefix}-chain", IsChained(), "a certificate was not issued by the next one", code: "CertChain");
        var late = Chain.FirstOrDefault(certificate => now > certificate.NotAfter);
        var early = Chain.FirstOrDefault(certificate => now < certificate.NotBefore);
        var dated = legs.Check($"{Prefix}-dates", late is null && early is null,
            late is not null ? $"the certificate {late.CommonName} ended on {late.NotAfter:yyyy-MM-dd}" : $"the certificate {early?.CommonName} begins on {early?.NotBefore:yyyy-MM-dd}",
            code: late is not null ? "CertExpired" : "CertNotYetValid");
        return rooted & chained & dated;
    }

    /// <summary>The first date at which one of the certificates ends.</summary>
    internal DateTimeOffset? ValidUntil => Chain.Count == 0 ? null : Chain.Min(certificate => certificate.NotAfter);

    private bool IsChained()
    {
        for (var index = 0; index + 1 < Chain.Count; index++)
        {
            if (!Chain[index + 1].IsAuthority || !Chain[index].IsIssuedBy(Chain[index + 1]))
                return false;
        }

        return Chain.Count > 1;
    }
}
