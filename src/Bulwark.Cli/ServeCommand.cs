using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Cli.Serving;
using Bulwark.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Starts the worker and the gateway, and serves until it is interrupted.</summary>
internal static class ServeCommand
{
    private static readonly Argument<FileInfo> Package = new Argument<FileInfo>("package") { Description = "The sealed model." }.AcceptExistingOnly();
    private static readonly Option<bool> Development = new("--dev") { Description = "Make what is missing: identities, tokens, policies. Insecure, and says so." };
    private static readonly Option<DirectoryInfo> Pki = new("--pki") { Description = "Folder with ca.crt (or bundle.json, a SPIFFE trust bundle), server.crt, server.key, token-keys.json. With --dev the default is pki in the workspace.", HelpName = "DIR" };
    private static readonly Option<FileInfo> Policy = new("--policy") { Description = "Cedar policies: who may do what.", HelpName = "FILE" };
    private static readonly Option<FileInfo> Evidence = new("--evidence-policy") { Description = "What the worker's evidence must say; see `attest policy`.", HelpName = "FILE" };
    private static readonly Option<string> Issuer = new("--issuer") { Description = "The only issuer of access tokens.", HelpName = "URL" };
    private static readonly Option<string> Audience = new("--audience") { Description = "This gateway's name in access tokens.", HelpName = "NAME" };
    private static readonly Option<int> Port = new("--port") { Description = "The gateway's port; 0 for any free one.", DefaultValueFactory = _ => 8443 };
    private static readonly Option<int> MetricsPort = new("--metrics-port") { Description = "The port of Prometheus metrics, on loopback; 0 for any free one.", DefaultValueFactory = _ => 9443 };
    private static readonly Option<bool> AnyAddress = new("--any-address") { Description = "Listen on every address, not on loopback only." };

    private static readonly Option<FileInfo> Config = new Option<FileInfo>("--config") { Description = "Settings: upstreams, limits, zones, receipts, health port; see docs/serving.md.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<bool> Oidc = new("--oidc") { Description = "Take the token keys from the issuer (OpenID Connect Discovery) and keep them fresh, instead of token-keys.json." };
    private static readonly Option<FileInfo> IssuerAuthority = new Option<FileInfo>("--issuer-ca") { Description = "With --oidc: PEM certificates that may vouch for the issuer; the system's when left out.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<LogLevel> LogFrom = new("--log") { Description = "Which of the server's own lines go to stderr, from the least: trace, debug, information, warning, error, critical or none. They hold no token, key or value of a request.", DefaultValueFactory = _ => LogLevel.Error, HelpName = "LEVEL" };
    private static readonly Option<Uri> Otlp = new("--otlp") { Description = "Send traces and metrics of OpenTelemetry there (OTLP over gRPC).", HelpName = "URL", CustomParser = AddressOption.Parse };
    private static readonly Option<string> Worker = new Option<string>("--worker") { Description = "Where the model is opened: in a sandboxed process of its own, or inside the gateway's, which has no walls: only with --insecure-sandbox or --dev.", DefaultValueFactory = _ => "process" }.AcceptOnlyFromAmong("process", "inside");
    private static readonly Option<string> Source = new("--source") { Description = "Where the worker's evidence comes from: simulated, tsm (SEV-SNP or TDX), gramine, or tpm: and /dev/tpmrm0, unix:PATH or tcp:HOST:PORT.", DefaultValueFactory = _ => Serving.WorkerEvidence.Simulated, HelpName = "SOURCE" };

    private static readonly Option<Uri> Broker = new("--broker") { Description = "The key broker that releases the model's key, with its own policy and leases; inside the gateway when left out.", HelpName = "URL", CustomParser = AddressOption.Parse };
    private static readonly Option<FileInfo[]> BrokerKey = new Option<FileInfo[]>("--broker-key") { Description = "File of the key (ed25519:…) that signs the broker's decisions; without it they are taken unverified and called insecure. Give it again for more.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> BrokerAuthority = new Option<FileInfo>("--broker-ca") { Description = "PEM certificates that may vouch for the broker; the system's when left out.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<bool> InsecureSandbox = new("--insecure-sandbox") { Description = "Start the worker's process although this kernel lacks a wall of its sandbox: for development; --dev says it too. What is missing is printed, logged and in the metrics." };

    internal static Command Create()
    {
        var command = new Command("serve", """
            Starts the worker and the gateway: TLS 1.3 with client certificates, bound tokens, policy, input screen, signed receipts.

            Example: bulwark serve fraud.bulwark --dev
            """) { Package, Development, Pki, Policy, Evidence, Issuer, Audience, Port, MetricsPort, AnyAddress, Config, Oidc, IssuerAuthority, LogFrom, Otlp, Worker, InsecureSandbox, Source, Broker, BrokerAuthority, BrokerKey, CreateIdentity() };
        MonitorSetup.AddTo(command);
        command.SetAction(ServeAsync);
        return command;
    }

    private static Command CreateIdentity()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = "A folder that does not exist yet." };
        var clients = new Option<string[]>("--client") { Description = "Name of a client; give it again for more.", DefaultValueFactory = _ => [.. DevelopmentIdentity.DefaultClients], HelpName = "NAME" };
        var command = new Command("dev-identity", "Makes an authority, certificates and bound tokens for development. Example: bulwark serve dev-identity pki") { folder, clients };
        command.SetAction(parsed =>
        {
            var identity = DevelopmentIdentity.Create(parsed.GetRequiredValue(folder).FullName, parsed.GetRequiredValue(clients));
            return new Screen(parsed).Answer(new { folder = identity.Folder, clients = identity.Clients, insecure = true }, console =>
            {
                console.MarkupLineInterpolated($"Development identities for {string.Join(", ", identity.Clients)} in {identity.Folder}");
                console.MarkupLine("[yellow]INSECURE: whoever reads that folder can act as the server and as every client.[/]");
            });
        });
        return command;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var issuer = parsed.GetValue(Oidc) ? OpenIssuer(parsed) : null;
        using var setup = await SetUpAsync(parsed, issuer, cancel);
        var options = setup.Options with
        {
            Port = parsed.GetValue(Port),
            MetricsPort = parsed.GetValue(MetricsPort),
            ListenOnAnyAddress = parsed.GetValue(AnyAddress),
            SeparateWorker = parsed.GetValue(Worker) == "process",
            InsecureSandbox = parsed.GetValue(InsecureSandbox) || parsed.GetValue(Development),
            Logging = logging => logging.SetMinimumLevel(parsed.GetValue(LogFrom)).AddSimpleConsole(line => line.SingleLine = true).Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace),
        };
        if (parsed.GetValue(Config) is { } config)
            options = GatewayFile.Apply(config, options);
        if (options is { SeparateWorker: false, InsecureSandbox: false })
            throw new CommandException("--worker inside opens the model in the gateway's own process, which has none of the sandbox's walls.", "leave --worker out, or say that it may be so: --insecure-sandbox, or --dev");
        options = options with { EvidenceSource = Serving.WorkerEvidence.Open(parsed.GetRequiredValue(Source), options) };
        using var device = options.EvidenceSource as IDisposable;
        using var broker = parsed.GetValue(Broker) is { } address ? BrokerCommand.Client(address, parsed.GetValue(BrokerAuthority)) : null;
        options = options with { Broker = broker is null ? null : new(broker), BrokerKeys = parsed.GetValue(BrokerKey) is { Length: > 0 } pinned ? AttestPolicyCommand.Trusted(pinned, setup.Keys) : [] };
        if (broker is not null && options.BrokerKeys.Count == 0)
            screen.Note("INSECURE: no --broker-key, so nobody verifies the broker's decisions here.");
        options = await MonitorSetup.ApplyAsync(parsed, parsed.GetRequiredValue(Package).FullName, options, cancel);
        using var telemetry = parsed.GetValue(Otlp) is { } collector ? new GatewayTelemetry(collector) : null;
        await using var host = await GatewayHost.StartAsync(options, cancel);
        Announce(screen, host, parsed.GetRequiredValue(Package).ToString(), parsed.GetValue(Development) ? PkiFolder(parsed) : null);
        void Note(string text) => screen.Note(Markup.Escape(text));
        var reload = new GatewayReload(host, PkiFolder(parsed), parsed.GetValue(Policy)?.FullName, [setup.Keys.PublicKey(Workspace.SigningKey)], issuer is null, Note);
        // Interrupting is how a server ends: its answer was given when it began.
        await reload.FollowAsync(TimeSpan.FromSeconds(2), cancel).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        screen.Note("stopped");
        return ExitCode.Yes;
    }

    private static async Task<GatewaySetup> SetUpAsync(ParseResult parsed, OidcKeys? issuer, CancellationToken cancel)
    {
        var workspace = Workspace.Require(parsed);
        var package = parsed.GetRequiredValue(Package).FullName;
        if (parsed.GetValue(Development))
        {
            var setup = await GatewaySetup.DevelopmentAsync(workspace, package, PkiFolder(parsed));
            return parsed.GetValue(Policy) is { } own ? setup.WithPolicy(await File.ReadAllTextAsync(own.FullName, cancel)) : setup;
        }

        return await GatewaySetup.FromFilesAsync(
            workspace, package, Needed(parsed, Pki).FullName, Needed(parsed, Policy).FullName, Needed(parsed, Evidence).FullName, Needed(parsed, Issuer), Needed(parsed, Audience), issuer, cancel);
    }

    private static OidcKeys OpenIssuer(ParseResult parsed)
    {
        var roots = new X509Certificate2Collection();
        if (parsed.GetValue(IssuerAuthority) is { } file)
            roots.ImportFromPemFile(file.FullName);
        return new OidcKeys(Needed(parsed, Issuer), [.. roots]);
    }

    private static T Needed<T>(ParseResult parsed, Option<T> option) where T : class => parsed.GetValue(option)
        ?? throw new CommandException($"{option.Name} is missing.", "give it, or --dev for a gateway on one developer's machine");

    private static string PkiFolder(ParseResult parsed) =>
        parsed.GetValue(Pki)?.FullName ?? Path.Combine(Workspace.Require(parsed).Directory.FullName, "pki");

    private static void Announce(Screen screen, GatewayHost host, string package, string? developmentPki)
    {
        var (model, worker) = (host.Worker.Model, host.Worker);
        screen.Answer(
            new
            {
                address = host.BaseAddress,
                metrics = host.MetricsAddress,
                health = host.HealthAddress,
                model = model.Name,
                version = model.Version,
                package = model.Package,
                evidence = worker.Evidence.Digest(),
                receiptKey = worker.ReceiptKey.ToString(),
                insecure = worker.Insecure,
                sandbox = worker.Sandbox,
                sandboxMissing = worker.SandboxMissing,
                workerProcess = host.WorkerProcessId,
                pki = developmentPki,
            },
            console =>
            {
                if (worker.Insecure)
                    console.MarkupLine("[yellow]INSECURE: the worker's evidence is simulated; it proves nothing about this machine.[/]");
                console.MarkupLineInterpolated($"[green]{model.Name} {model.Version} is served on {host.BaseAddress}[/]");
                console.MarkupLineInterpolated($"  package      {model.Package}");
                console.MarkupLineInterpolated($"  receipt key  {worker.ReceiptKey}");
                console.MarkupLineInterpolated($"  metrics      {host.MetricsAddress}");
                console.MarkupLineInterpolated($"  worker       {(host.WorkerProcessId is { } process ? $"process {process}: {worker.Sandbox}" : "inside this process, without a sandbox")}");
                if (worker.SandboxMissing.Length > 0)
                    console.MarkupLineInterpolated($"[yellow]INSECURE: the worker's sandbox lacks {worker.SandboxMissing}.[/]");
                if (developmentPki is not null)
                    console.Profile.Out.Writer.WriteLine($"sealed: bulwark attest policy init {package} -o evidence-policy.json && bulwark score {model.Name} --gateway {host.BaseAddress} --evidence-policy evidence-policy.json --row VALUES");
                if (developmentPki is not null)
                    console.Profile.Out.Writer.WriteLine($"try:  curl --cacert {developmentPki}/ca.crt --cert {developmentPki}/client-payments.crt --key {developmentPki}/client-payments.key -H \"Authorization: Bearer $(cat {developmentPki}/client-payments.jwt)\" {host.BaseAddress}v2/models/{model.Name}");
            });
        screen.Note("Ctrl-C stops.");
    }
}
