using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>Which clients' certificates are trusted now. Exchanged as a whole while connections live: each is judged anew at its next request.</summary>
internal sealed class ClientTrust
{
    private readonly ConditionalWeakTable<X509Certificate2, byte[][]> _shown = [];
    private readonly TimeProvider _time;
    private volatile Bundle _bundle;

    internal ClientTrust(IReadOnlyList<X509Certificate2> roots, IReadOnlyList<byte[]> revocationLists, string? trustDomain, TimeProvider time)
    {
        _time = time;
        _bundle = new(roots, revocationLists, trustDomain, time, Epoch: 1);
    }

    /// <summary>Counts the exchanges; what was judged under another one is judged again.</summary>
    internal long Epoch => _bundle.Epoch;

    internal IReadOnlyList<X509Certificate2> Roots => _bundle.Roots;

    /// <summary>Exchanges the authorities and their revocation lists.</summary>
    /// <exception cref="ArgumentException">There is no root, or a root or list cannot be read; what was trusted before stays so.</exception>
    internal void Exchange(IReadOnlyList<X509Certificate2> roots, IReadOnlyList<byte[]> revocationLists) =>
        _bundle = new(roots, revocationLists, _bundle.TrustDomain, _time, _bundle.Epoch + 1);

    /// <summary>Judges a certificate in a handshake, and keeps what came with it for a later judgement.</summary>
    internal CertificateVerdict Judge(X509Certificate2? leaf, X509Certificate2Collection? shown)
    {
        var hints = shown is null ? [] : shown.Select(certificate => certificate.RawData).ToArray();
        if (leaf is not null)
            _shown.AddOrUpdate(leaf, hints);
        return _bundle.Judge(leaf, hints);
    }

    /// <summary>Judges a certificate of a living connection by what is trusted now.</summary>
    internal CertificateVerdict JudgeAgain(X509Certificate2 leaf) => _bundle.Judge(leaf, _shown.TryGetValue(leaf, out var hints) ? hints : []);

    /// <summary>The path of a certificate of a living connection to its root; empty when it is not trusted now.</summary>
    internal IReadOnlyList<ParsedCertificate> PathOf(X509Certificate2 leaf) => _bundle.PathOf(leaf, _shown.TryGetValue(leaf, out var hints) ? hints : []);

    private sealed class Bundle(IReadOnlyList<X509Certificate2> roots, IReadOnlyList<byte[]> revocationLists, string? trustDomain, TimeProvider time, long Epoch)
    {
        private readonly CertificatePathValidator _paths = new([.. roots.Select(root => root.RawData)], new() { RevocationLists = revocationLists, SpiffeTrustDomain = trustDomain });

        internal long Epoch { get; } = Epoch;

        internal string? TrustDomain => trustDomain;

        internal IReadOnlyList<X509Certificate2> Roots => roots;

        internal CertificateVerdict Judge(X509Certificate2? leaf, byte[][] hints) =>
            leaf is null ? CertificateVerdict.NoCertificate : _paths.Validate(leaf.RawDataMemory.Span, hints, time.GetUtcNow(), out _);

        internal IReadOnlyList<ParsedCertificate> PathOf(X509Certificate2 leaf, byte[][] hints)
        {
            _paths.Validate(leaf.RawDataMemory.Span, hints, time.GetUtcNow(), out _, out var path);
            return path;
        }
    }
}
