using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>All that one gateway with its worker needs. The caller keeps what it gave and disposes of it after the host.</summary>
public sealed record GatewayOptions
{
    /// <summary>The sealed model package to serve.</summary>
    public required string PackagePath { get; init; }

    /// <summary>The keys whose signature on a package is trusted; at least one.</summary>
    public required IReadOnlyCollection<VerificationKey> Publishers { get; init; }

    /// <summary>The key ring of the broker role: it unwraps the package's data key, once evidence has passed.</summary>
    public required KeyRing Keys { get; init; }

    /// <summary>Opens the package's key: the ring or another store, as a rule one that records its uses.</summary>
    /// <value>null: <see cref="Keys"/>, unrecorded</value>
    public IKeyProvider? PackageKeys { get; init; }

    /// <summary>The key broker that releases the package's key; null for one inside the gateway, with <see cref="Keys"/>. Stays the caller's.</summary>
    public KeyBrokerClient? Broker { get; init; }

    /// <summary>Whose signature on that broker's decisions counts; without any, what it releases is taken unverified and called insecure, whatever it says.</summary>
    public IReadOnlyCollection<VerificationKey> BrokerKeys { get; init; } = [];

    /// <summary>Signs what the gateway and its broker write to the log.</summary>
    public required Signer Signer { get; init; }

    /// <summary>What the worker's evidence must say.</summary>
    public required EvidencePolicy EvidencePolicy { get; init; }

    /// <summary>Where the worker gets its evidence from.</summary>
    public required IEvidenceSource EvidenceSource { get; init; }

    /// <summary>The transparency log, open for appending.</summary>
    public required TransparencyLog Log { get; init; }

    /// <summary>Who may do what: Cedar policies. Principals are <c>Client::"subject"</c>, actions <c>Action::"infer"</c> and <c>Action::"inspect"</c>, resources <c>Model::"name"</c>.</summary>
    public required string Policy { get; init; }

    /// <summary>The gateway's certificate with its private key.</summary>
    public required X509Certificate2 ServerCertificate { get; init; }

    /// <summary>The authorities that may issue client certificates; at least one.</summary>
    public required IReadOnlyList<X509Certificate2> ClientRoots { get; init; }

    /// <summary>Revocation lists of those authorities, DER. When there are any, each certificate needs a good one from its issuer.</summary>
    public IReadOnlyList<byte[]> RevocationLists { get; init; } = [];

    /// <summary>The responder that is asked about clients' certificates, beside revocation lists; null asks none.</summary>
    public OcspOptions? Ocsp { get; init; }

    /// <summary>A SPIFFE trust domain: clients' certificates must then be X.509-SVIDs of it. Null asks for none.</summary>
    public string? SpiffeTrustDomain { get; init; }

    /// <summary>What an access token must be.</summary>
    public required AccessTokenOptions AccessTokens { get; init; }

    /// <summary>The SPIFFE trust bundle of <see cref="SpiffeTrustDomain"/>, JSON; null without. Its authorities are also to stand in <see cref="ClientRoots"/>.</summary>
    public ReadOnlyMemory<byte>? TrustBundle { get; init; }

    /// <summary>The audience of JWT-SVIDs, which then count beside access tokens: with keys of <see cref="TrustBundle"/>, over a connection whose certificate has the same SPIFFE id. Null takes none.</summary>
    public string? JwtSvidAudience { get; init; }

    /// <summary>The issuer that <see cref="AccessTokens"/>' keys are from: the gateway asks it again and again. Null for keys that only their file changes. Stays the caller's.</summary>
    public OidcKeys? TokenIssuer { get; init; }

    /// <summary>How long keys count after the issuer gave them; then every token is refused (503) until it answers again.</summary>
    /// <value>Default: 1 hour; from 10 minutes to 7 days.</value>
    public TimeSpan TokenKeysMaximumAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>True to run the worker in a sandboxed process of its own.</summary>
    public bool SeparateWorker { get; init; }

    /// <summary>True to start a separate worker although a wall of its sandbox is missing on this kernel: for development; log, metrics and health say <c>insecure</c>.</summary>
    public bool InsecureSandbox { get; init; }

    /// <summary>The port of the gateway; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>True to listen on every address; else on loopback only.</summary>
    public bool ListenOnAnyAddress { get; init; }

    /// <summary>The port of metrics, on loopback only and without TLS; 0 for any free one, null for none.</summary>
    public int? MetricsPort { get; init; } = 0;

    /// <summary>The largest request body, in bytes.</summary>
    public int MaximumBodyBytes { get; init; } = 1 << 20;

    /// <summary>Most rows of one request.</summary>
    public int MaximumRows { get; init; } = 1024;

    /// <summary>Models of other servers, behind the same doors.</summary>
    public IReadOnlyList<UpstreamOptions> Upstreams { get; init; } = [];

    /// <summary>When a signed receipt is made.</summary>
    public ReceiptMode Receipts { get; init; }

    /// <summary>Where clients reach the gateway, such as <c>https://models.bank.example</c>: what DPoP proofs must be for. Null is where it listens.</summary>
    public string? PublicAddress { get; init; }

    /// <summary>True to demand a nonce of the gateway's in each DPoP proof.</summary>
    public bool DpopNonces { get; init; } = true;

    /// <summary>DPoP proofs that several gateways have seen together; null for this one alone.</summary>
    public SharedProofs? SharedProofs { get; init; }

    /// <summary>Names for parts of the network, for policies.</summary>
    public IReadOnlyList<NetworkZone> Zones { get; init; } = [];

    /// <summary>Where the private trail of decisions is written; null for none.</summary>
    public string? TrailDirectory { get; init; }

    /// <summary>Decisions that may wait for the log; above it requests are answered 503.</summary>
    public int AuditQueue { get; init; } = 8192;

    /// <summary>Requests under way at once; above it new ones are answered 503.</summary>
    public int MaximumConcurrentRequests { get; init; } = 4096;

    /// <summary>Connections at once.</summary>
    public int MaximumConnections { get; init; } = 16_384;

    /// <summary>Requests a second that one client may send; 0 for no limit.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>Requests that a client may send at once before its rate holds.</summary>
    public int RequestBurst { get; init; } = 100;

    /// <summary>Where several gateways count a client's requests together; null for this one alone.</summary>
    public SharedRates? SharedRates { get; init; }

    /// <summary>The port of health, on loopback unless <see cref="ListenOnAnyAddress"/>, without TLS; 0 for any free one, null for none.</summary>
    public int? HealthPort { get; init; }

    /// <summary>How long requests under way may take to end when the gateway stops.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Where a query monitor is joined.</summary>
    public QueryObserver Observer { get; init; } = QueryObserver.None;

    /// <summary>True to take sealed requests for a model whose query monitor acts on what it sees, although it sees nothing of them; else they are refused (403, <c>sealed-not-monitored</c>).</summary>
    public bool SealedUnmonitored { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives the server's own log lines; null for none.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!File.Exists(PackagePath)) yield return $"There is no package {PackagePath}.";
        if (Publishers.Count == 0) yield return "No publisher is trusted; give the key that signed the package.";
        if (ClientRoots.Count == 0) yield return "No authority may issue client certificates.";
        if (!ServerCertificate.HasPrivateKey) yield return "The server's certificate has no private key.";
        if (Port is < 0 or > 65535 || MetricsPort is < 0 or > 65535) yield return "A port is from 0 to 65535.";
        if (MaximumBodyBytes is < 64 or > 1 << 30) yield return $"{nameof(MaximumBodyBytes)} is {MaximumBodyBytes}; it must be from 64 to 2^30.";
        if (HealthPort is < 0 or > 65535) yield return $"{nameof(HealthPort)} is {HealthPort}; a port is from 0 to 65535.";
        if (AuditQueue is < 16 or > 1_000_000) yield return $"{nameof(AuditQueue)} is {AuditQueue}; it must be from 16 to 1000000.";
        if (MaximumConcurrentRequests < 1) yield return $"{nameof(MaximumConcurrentRequests)} is {MaximumConcurrentRequests}; it must be at least 1.";
        if (MaximumConnections < 1) yield return $"{nameof(MaximumConnections)} is {MaximumConnections}; it must be at least 1.";
        if (!(RequestsPerSecond >= 0)) yield return $"{nameof(RequestsPerSecond)} is {RequestsPerSecond}; it must be 0 or more.";
        if (RequestBurst < 1) yield return $"{nameof(RequestBurst)} is {RequestBurst}; it must be at least 1.";
        if (DrainTimeout < TimeSpan.Zero) yield return $"{nameof(DrainTimeout)} is {DrainTimeout}; it must be 0 or more.";
        if (PublicAddress is not null && !(Uri.TryCreate(PublicAddress, UriKind.Absolute, out var address) && address.Scheme == "https" && address.PathAndQuery == "/"))
            yield return $"{nameof(PublicAddress)} is {PublicAddress}; it must be https://HOST[:PORT].";
        if (ServerCertificate.NotAfter.ToUniversalTime() < Time.GetUtcNow().UtcDateTime) yield return $"The server's certificate expired {ServerCertificate.NotAfter:u}.";
        if (SpiffeTrustDomain is not null && SpiffeId.Fault($"spiffe://{SpiffeTrustDomain}/x") is { } fault) yield return $"{nameof(SpiffeTrustDomain)} is {SpiffeTrustDomain}: {fault}.";
        foreach (var unsound in Ocsp?.Faults() ?? []) yield return unsound;
        if (JwtSvidFault() is { } svids) yield return svids;
        foreach (var list in RevocationLists)
            if (RevocationList.FaultOf(list) is { } unread) yield return $"A revocation list cannot be read: {unread}.";
        foreach (var unsound in Bulwark.Policy.PolicySet.Faults(Policy)) yield return $"The access policy, line {unsound.Line}: {unsound.Fault}.";
        foreach (var unsound in AccessTokens.Faults()) yield return unsound;
        if (TokenIssuer is not null && TokenIssuer.Issuer != AccessTokens.Issuer) yield return $"{nameof(TokenIssuer)} is {TokenIssuer.Issuer}; tokens are to be of {AccessTokens.Issuer}.";
        if (TokenKeysMaximumAge < TimeSpan.FromMinutes(10) || TokenKeysMaximumAge > TimeSpan.FromDays(7)) yield return $"{nameof(TokenKeysMaximumAge)} is {TokenKeysMaximumAge}; it must be from 10 minutes to 7 days.";
        foreach (var unsound in Upstreams.SelectMany(upstream => upstream.Faults())) yield return unsound;
        if (Upstreams.GroupBy(upstream => upstream.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice) yield return $"Two upstreams are called {twice.Key}.";
        if (MaximumRows is < 1 or > 1_000_000) yield return $"{nameof(MaximumRows)} is {MaximumRows}; it must be from 1 to 1000000.";
    }

    /// <summary>What a JWT-SVID must be; null where none is taken.</summary>
    internal JwtSvidOptions? Svids => JwtSvidAudience is null ? null
        : new(SpiffeBundle.TokenKeys(TrustBundle!.Value), SpiffeTrustDomain!, JwtSvidAudience, AccessTokens.ClockSkew, AccessTokens.MaximumLifetime);

    private string? JwtSvidFault()
    {
        if (JwtSvidAudience is null)
            return null;
        if (JwtSvidAudience.Length == 0 || SpiffeTrustDomain is null || TrustBundle is not { } bundle)
            return $"{nameof(JwtSvidAudience)} needs a name, a {nameof(SpiffeTrustDomain)} and the trust bundle (bundle.json).";
        try
        {
            SpiffeBundle.TokenKeys(bundle);
            return null;
        }
        catch (FormatException fault)
        {
            return $"{nameof(JwtSvidAudience)}: {fault.Message}";
        }
    }
}

/// <summary>When the worker signs a receipt of what it answered.</summary>
public enum ReceiptMode
{
    /// <summary>For every request.</summary>
    Always = 0,

    /// <summary>For requests that carry the header <c>Bulwark-Receipt</c>; the others leave their decision in the log, and no statement of the worker's.</summary>
    Asked,
}
