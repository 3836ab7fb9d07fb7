using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>The parts of one gateway, put together once.</summary>
internal sealed class GatewayParts : IAsyncDisposable
{
    private GatewayParts(GatewayOptions options, IScoringWorker worker, ServedModels models, GatewayRecords records, GatewayMetrics metrics, ILogger logger)
    {
        (Worker, Models, Records, Metrics, DrainTimeout) = (worker, models, records, metrics, options.DrainTimeout);
        Trust = new(options.ClientRoots, options.RevocationLists, options.SpiffeTrustDomain, options.Time);
        Tls = new(options.ServerCertificate, Trust, metrics, logger);
        Tokens = new(options.AccessTokens, options.DpopNonces, options.Time, options.TokenIssuer is null ? null : options.TokenKeysMaximumAge, options.SharedProofs, options.Svids);
        Issuer = options.TokenIssuer is null ? null : new(options.TokenIssuer, Tokens, options.Time, logger);
        Policies = new(new GatewayPolicy(options.Policy));
        Load = new(options.MaximumConcurrentRequests);
        Audit = new(options.Log, options.Signer, options.TrailDirectory is null ? null : new AuditTrail(options.TrailDirectory), options.AuditQueue, models.DigestOf, failure =>
        {
            metrics.LogFailed();
            logger.LogFailed(failure);
        });
        Ocsp = options.Ocsp is null ? null : new(options.Ocsp, options.Time, logger);
        var door = new Doorkeeper(Trust, Tokens, Policies, new(options.RequestsPerSecond, options.RequestBurst, options.SharedRates), new(options.Zones), options.Observer, records.Pseudonym, metrics, options.Time, Ocsp);
        Gateway = new(models, door, Policies, Audit, Load, metrics, options, logger);
        Grpc = new(Gateway, () => IsReady, Load, metrics, options);
        metrics.Gauge("bulwark_audit_backlog", "Decisions that wait to be written.", () => Audit.Backlog);
        metrics.Gauge("bulwark_lease_seconds", "Seconds until the lease of the model's key ends; 0 when the worker holds none.", () => worker.IsReady ? Math.Max(0, (worker.Facts.Release.LeaseEnds - options.Time.GetUtcNow())?.TotalSeconds ?? 0) : 0);
        metrics.Gauge("bulwark_worker_restarts", "Worker processes started after the first.", () => (worker as WorkerProcess)?.Restarts ?? 0);
        metrics.Gauge("bulwark_worker_insecure_sandbox", "1 when a wall of the worker's sandbox is missing, or it has none.", () => Sandbox == "complete" ? 0 : 1);
        if (Issuer is not null)
            metrics.Gauge("bulwark_token_keys_age_seconds", "Seconds since the issuer gave its keys; above the limit every token is refused.", () => Tokens.Age.TotalSeconds);
        metrics.Gauge("bulwark_requests_under_way", "Requests under way.", () => Load.UnderWay);
        metrics.Gauge("bulwark_server_certificate_seconds", "Seconds until the server's certificate expires.", () => (Tls.NotAfter - options.Time.GetUtcNow().UtcDateTime).TotalSeconds);
    }

    internal IScoringWorker Worker { get; }

    /// <summary>A word for what keeps the worker in: <c>complete</c>, <c>insecure</c> when a wall is missing, <c>none</c> inside the gateway's process.</summary>
    internal string Sandbox => Worker.Facts is { Sandbox.Length: > 0 } facts ? facts.SandboxMissing.Length == 0 ? "complete" : "insecure" : "none";

    internal ServedModels Models { get; }
    internal GatewayRecords Records { get; }
    internal GatewayMetrics Metrics { get; }
    internal ClientTrust Trust { get; }
    internal GatewayTls Tls { get; }
    internal TokenGate Tokens { get; }
    internal IssuerFollower? Issuer { get; }
    internal OcspStatuses? Ocsp { get; }
    internal PolicyHolder Policies { get; }
    internal GatewayLoad Load { get; }
    internal ConnectionMemory Memory { get; } = new();
    internal AuditWriter Audit { get; }
    internal Gateway Gateway { get; }
    internal GrpcDoor Grpc { get; }
    internal TimeSpan DrainTimeout { get; }

    /// <summary>True while every model would answer, tokens can be checked and the gateway does not drain.</summary>
    internal bool IsReady => !Load.IsDraining && Tokens.IsCurrent && Models.All.All(model => model.IsReady);

    internal static async Task<GatewayParts> CreateAsync(GatewayOptions options, ILogger logger, CancellationToken cancel)
    {
        var metrics = new GatewayMetrics();
        var records = new GatewayRecords(options, metrics);
        var worker = await StartWorkerAsync(options, records, cancel);
        List<IServedModel> models = [new LocalModel(worker, options.MaximumRows)];
        try
        {
            foreach (var upstream in options.Upstreams)
                models.Add(await UpstreamModel.ConnectAsync(upstream, options.MaximumRows, logger, cancel));
            if (models.GroupBy(model => model.Signature.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new InvalidDataException($"An upstream and the package are both called {twice.Key}.");
            return new(options, worker, new ServedModels(models), records, metrics, logger);
        }
        catch
        {
            foreach (var model in models)
                await model.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes what was decided, then lets the models go.</summary>
    public async ValueTask DisposeAsync()
    {
        Memory.Dispose();
        if (Issuer is not null)
            await Issuer.DisposeAsync();
        await Audit.DisposeAsync();
        await Models.DisposeAsync();
        Ocsp?.Dispose();
    }

    /// <summary>The broker's part and the worker's part of starting, in one process: challenge, evidence, decision, key, model.</summary>
    private static async Task<IScoringWorker> StartWorkerAsync(GatewayOptions options, GatewayRecords records, CancellationToken cancel)
    {
        Stream Package() => File.OpenRead(options.PackagePath);
        SealVerification verified;
        await using (var package = Package())
            verified = await SealedModel.VerifyAsync(package, options.Publishers, cancel);
        if (!verified.IsTrusted)
            throw new CryptographicException($"The model package is refused ({verified.Verdict}): {verified.Reason}");
        await records.AppendPoliciesAsync(cancel);
        IKeyBroker broker = options.Broker is { } elsewhere ? new RemoteBroker(elsewhere, records) : new KeyBroker(options.EvidencePolicy, async (asked, ending) => asked == verified.PackageDigest ? await DataKeyAsync(asked, options, ending) : null, records.AppendAsync, options.Time);
        if (options.SeparateWorker)
            return await WorkerProcess.StartAsync(Package, options.Publishers, options.EvidenceSource, broker, options.InsecureSandbox, verified.PackageDigest, cancel);
        return await ScoringWorker.StartAsync(Package, options.Publishers, options.EvidenceSource, broker, options.Time, cancel);
    }

    private static async ValueTask<SecretBytes?> DataKeyAsync(Digest asked, GatewayOptions options, CancellationToken cancel)
    {
        await using var package = File.OpenRead(options.PackagePath);
        var (dataKey, verification) = await SealedModel.UnwrapDataKeyAsync(package, options.PackageKeys ?? options.Keys, options.Publishers, cancel);
        if (verification.PackageDigest == asked)
            return dataKey;
        dataKey.Dispose();   // the file was replaced since it was verified
        return null;
    }
}
