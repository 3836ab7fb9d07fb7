using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Cryptography;
using Bulwark.Policy;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>A running gateway with its worker in the same process. Dispose of it to stop; what the options hold stays the caller's.</summary>
/// <remarks>What may change while it runs is exchanged whole and without touching a connection: server certificate, clients' authorities and revocation lists, token keys, access policy.</remarks>
public sealed class GatewayHost : IAsyncDisposable
{
    /// <summary>The response header that carries the receipt: base64 of a receipt file. The body is what the receipt's response digest is of. In a request it asks for one.</summary>
    public const string ReceiptHeader = "Bulwark-Receipt";

    /// <summary>The name of the gateway's traces and metrics in OpenTelemetry.</summary>
    public const string TelemetryName = "Bulwark.Gateway";

    private readonly GatewayParts _parts;
    private readonly WebApplication _app;
    private readonly WebApplication? _metrics, _health;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _policyChange = new(1, 1);

    private GatewayHost(GatewayParts parts, WebApplication app, WebApplication? metrics, WebApplication? health, ILogger logger)
    {
        (_parts, _app, _metrics, _health, _logger) = (parts, app, metrics, health, logger);
        BaseAddress = GatewayListener.Address(app);
        MetricsAddress = metrics is null ? null : new Uri(GatewayListener.Address(metrics), "metrics");
        HealthAddress = health is null ? null : GatewayListener.Address(health);
    }

    /// <summary>Where clients connect, such as <c>https://localhost:8443/</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Where Prometheus scrapes, on loopback; null when there are no metrics.</summary>
    public Uri? MetricsAddress { get; }

    /// <summary>Where an orchestrator asks for <c>live</c> and <c>ready</c>; null when there is no such port.</summary>
    public Uri? HealthAddress { get; }

    /// <summary>The worker's model, receipt key and evidence.</summary>
    public WorkerFacts Worker => _parts.Worker.Facts;

    /// <summary>The number of the worker's process; null when it is in this one.</summary>
    public int? WorkerProcessId => (_parts.Worker as WorkerProcess)?.ProcessId;

    /// <summary>Digest of the access policy in force.</summary>
    public Digest Policy => _parts.Policies.Current.Version;

    /// <summary>Attests the worker, opens the model, and listens. Nothing listens unless the model is open and every upstream has described its own.</summary>
    /// <exception cref="ArgumentException">The options have faults; the message lists them all.</exception>
    /// <exception cref="KeyRefusedException">The evidence did not pass the policy.</exception>
    /// <exception cref="SandboxException">The sandbox of a separate worker is not what is demanded.</exception>
    /// <exception cref="CryptographicException">The package was changed or is not of a trusted publisher.</exception>
    /// <exception cref="InvalidDataException">An upstream does not describe its model.</exception>
    public static async Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));

        var logging = LoggerFactory.Create(builder => options.Logging?.Invoke(builder));
        var logger = logging.CreateLogger<GatewayHost>();
        var parts = await GatewayParts.CreateAsync(options, logger, cancel);
        WebApplication? app = null, scrape = null, health = null;
        try
        {
            app = GatewayListener.Listen(options, parts.Tls, parts.Memory, logging);
            GatewayRoutes.Map(app, parts, options);
            var model = parts.Worker.Facts.Model;
            logger.ModelOpened(model.Name, model.Version, model.Package);
            if (parts.Worker.Facts.Insecure)
                logger.Simulated();
            if (parts.Worker.Facts is { Sandbox.Length: > 0 } worker)
                logger.WorkerShutIn(worker.Sandbox);
            if (parts.Worker.Facts.SandboxMissing is { Length: > 0 } missing)
                logger.SandboxIncomplete(missing);
            scrape = options.MetricsPort is { } port ? GatewayListener.Scrape(port, parts.Metrics) : null;
            health = options.HealthPort is { } healthPort ? GatewayListener.Health(healthPort, options.ListenOnAnyAddress, parts) : null;
            await app.StartAsync(cancel);
            parts.Issuer?.Start();
            parts.Tokens.PublicAddress = options.PublicAddress ?? GatewayListener.Address(app).ToString();
            foreach (var beside in (WebApplication?[])[scrape, health])
                if (beside is not null)
                    await beside.StartAsync(cancel);
            return new(parts, app, scrape, health, logger);
        }
        catch
        {
            await DisposeAllAsync(app, scrape, health, parts);
            throw;
        }
    }

    /// <summary>New connections get this certificate; living ones go on.</summary>
    /// <param name="certificate">With its private key; stays the caller's.</param>
    /// <exception cref="ArgumentException">It has no private key or has expired.</exception>
    public void RotateServerCertificate(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (!certificate.HasPrivateKey)
            throw new ArgumentException("The certificate has no private key.", nameof(certificate));
        if (certificate.NotAfter < DateTime.Now)
            throw new ArgumentException($"The certificate expired {certificate.NotAfter:u}.", nameof(certificate));
        _parts.Tls.Exchange(certificate);
        _logger.Rotated("server certificate");
    }

    /// <summary>Exchanges the clients' authorities and their revocation lists. A client whose certificate is no longer trusted is refused from its next request on, on a living connection too.</summary>
    /// <param name="roots">At least one.</param>
    /// <param name="revocationLists">DER.</param>
    /// <param name="bundle">The SPIFFE trust bundle, JSON; not asked for where no JWT-SVIDs are taken.</param>
    /// <exception cref="ArgumentException">There is no root, one of them cannot be read, or JWT-SVIDs are taken and no bundle is given; what was in force stays.</exception>
    /// <exception cref="FormatException">JWT-SVIDs are taken and the bundle has no sound keys for them; what was in force stays.</exception>
    public void RotateClientTrust(IReadOnlyList<X509Certificate2> roots, IReadOnlyList<byte[]> revocationLists, ReadOnlyMemory<byte>? bundle = null)
    {
        ArgumentNullException.ThrowIfNull(roots);
        ArgumentNullException.ThrowIfNull(revocationLists);
        var keys = !_parts.Tokens.TakesSvids ? null
            : SpiffeBundle.TokenKeys(bundle ?? throw new ArgumentException("This gateway takes JWT-SVIDs, whose keys are in the trust bundle (bundle.json); there is none.", nameof(bundle)));
        _parts.Trust.Exchange(roots, revocationLists);
        if (keys is not null)
            _parts.Tokens.ExchangeSvidKeys(keys);
        _logger.Rotated("client authorities and revocation lists");
    }

    /// <summary>Exchanges the keys of the token issuer; tokens that were remembered are read anew.</summary>
    /// <exception cref="ArgumentException">A key may not be used for access tokens; what was in force stays.</exception>
    public void RotateTokenKeys(JsonWebKeySet keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _parts.Tokens.Exchange(keys);
        _logger.Rotated("token keys");
    }

    /// <summary>Brings another access policy into force: first the log entry, which names the policy before, then the policy.</summary>
    /// <param name="text">Cedar policies.</param>
    /// <param name="cancel">Ends the waiting for the log.</param>
    /// <exception cref="PolicySyntaxException">The text does not parse; what was in force stays.</exception>
    /// <exception cref="IOException">The log cannot be written; what was in force stays.</exception>
    public async Task ChangePolicyAsync(string text, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(text);
        var policy = new GatewayPolicy(text);
        await _policyChange.WaitAsync(cancel);
        try
        {
            var previous = _parts.Policies.Current.Version;
            if (policy.Version == previous)
                return;
            await _parts.Records.AppendPolicyAsync(policy.Version, previous, cancel);
            _parts.Policies.Current = policy;
            _logger.Rotated("access policy");
        }
        finally
        {
            _policyChange.Release();
        }
    }

    /// <summary>Stops in order: not ready, no new connections, what is under way ends within the drain timeout, what was decided is written.</summary>
    public async ValueTask DisposeAsync()
    {
        _parts.Load.Drain();
        using var limit = new CancellationTokenSource(_parts.DrainTimeout);
        await _app.StopAsync(limit.Token);
        await DisposeAllAsync(_app, _metrics, _health, _parts);
        _policyChange.Dispose();
    }

    private static async ValueTask DisposeAllAsync(WebApplication? app, WebApplication? scrape, WebApplication? health, GatewayParts parts)
    {
        if (app is not null)
            await app.DisposeAsync();
        await parts.DisposeAsync();
        foreach (var beside in (WebApplication?[])[scrape, health])
            if (beside is not null)
                await beside.DisposeAsync();
    }
}
