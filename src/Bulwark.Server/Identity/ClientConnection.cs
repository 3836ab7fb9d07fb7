using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Policy;

namespace Bulwark.Server;

/// <summary>What is known of one TLS connection, worked out once: whose certificate, what it is called in the log, and what was accepted last.</summary>
/// <remarks>Thread-safe: the streams of an HTTP/2 connection share it, and each memory is one reference that is exchanged whole.</remarks>
internal sealed class ClientConnection
{
    private volatile TokenMemory? _token;
    private volatile PolicyMemory? _policy;
    private volatile RevocationMemory? _revocation;
    private long _trustEpoch;

    internal ClientConnection(X509Certificate2 certificate, string pseudonym, string zone, long trustEpoch)
    {
        Certificate = certificate;
        NotAfter = certificate.NotAfter.ToUniversalTime();
        Thumbprint = SHA256.HashData(certificate.RawDataMemory.Span);
        Pseudonym = pseudonym;
        SpiffeId = Bulwark.Server.SpiffeId.Of(certificate.RawData);
        Zone = zone;
        _trustEpoch = trustEpoch;
    }

    internal X509Certificate2 Certificate { get; }

    internal DateTime NotAfter { get; }

    /// <summary>SHA-256 of the certificate: what a token is bound to (RFC 8705).</summary>
    internal byte[] Thumbprint { get; }

    internal string Pseudonym { get; }

    /// <summary>The certificate's SPIFFE id; null without.</summary>
    internal string? SpiffeId { get; }

    /// <summary>The zone of the network that it comes from.</summary>
    internal string Zone { get; }

    /// <summary>The trust under which the certificate was judged last.</summary>
    internal long TrustEpoch
    {
        get => Volatile.Read(ref _trustEpoch);
        set => Volatile.Write(ref _trustEpoch, value);
    }

    /// <summary>Until when the certificate need not be asked about again.</summary>
    internal RevocationMemory? Revocation
    {
        get => _revocation;
        set => _revocation = value;
    }

    /// <summary>The token that was accepted last on this connection.</summary>
    internal TokenMemory? Token
    {
        get => _token;
        set => _token = value;
    }

    /// <summary>What the policies were asked last, and what they said.</summary>
    internal PolicyMemory? Policy
    {
        get => _policy;
        set => _policy = value;
    }

    /// <param name="TrustEpoch">The trust under which its path was found.</param>
    /// <param name="Until">When it is asked about anew.</param>
    internal sealed record RevocationMemory(long TrustEpoch, DateTimeOffset Until);

    /// <param name="Compact">The token's text.</param>
    /// <param name="Token">What it says.</param>
    /// <param name="Epoch">The key set that it was checked by.</param>
    /// <param name="Until">When it is checked anew.</param>
    internal sealed record TokenMemory(string Compact, AccessToken Token, long Epoch, DateTimeOffset Until);

    /// <param name="Policies">Who was asked.</param>
    /// <param name="Token">Whose.</param>
    /// <param name="Facts">The facts.</param>
    /// <param name="Model">About which model.</param>
    /// <param name="Action">What for.</param>
    /// <param name="Answer">What they said.</param>
    internal sealed record PolicyMemory(PolicySet Policies, AccessToken Token, PolicyFacts Facts, string Model, string Action, AuthorizationAnswer Answer);
}
