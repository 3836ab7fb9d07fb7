using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Databases;
using Bulwark.Server;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Runs a key broker until it is interrupted.</summary>
internal static class BrokerServeCommand
{
    private static readonly Argument<FileInfo[]> Packages = new Argument<FileInfo[]>("packages") { Description = "Sealed models whose keys the workspace's key ring unwraps.", Arity = ArgumentArity.OneOrMore }.AcceptExistingOnly();
    private static readonly Option<FileInfo> Policy = new("--policy") { Description = "The evidence policy, signed; a development policy may go without.", Required = true, HelpName = "FILE" };
    private static readonly Option<FileInfo[]> Trust = new("--policy-key") { Description = "File of a key (ed25519:…) whose policies are in force here; the workspace's signing key when left out. Give it again for more.", HelpName = "FILE" };
    private static readonly Option<string> Store = new("--store") { Description = $"What brokers share: {BrokerStores.Forms}. The default is broker.db in the workspace.", HelpName = "STORE" };
    private static readonly Option<DirectoryInfo> Pki = new("--pki") { Description = "Folder with server.crt and server.key; pki in the workspace when left out.", HelpName = "DIR" };
    private static readonly Option<DirectoryInfo> Collateral = new("--collateral") { Description = "Folder of vendors' certificates, revocation lists and documents, for evidence that brings none.", HelpName = "DIR" };
    private static readonly Option<int> Port = new("--port") { Description = "The broker's port; 0 for any free one.", DefaultValueFactory = _ => 8444 };
    private static readonly Option<int?> MetricsPort = new("--metrics-port") { Description = "The port of Prometheus metrics, on loopback; 0 for any free one. None when left out." };
    private static readonly Option<bool> AnyAddress = new("--any-address") { Description = "Listen on every address, not on loopback only." };

    internal static Command Create()
    {
        var command = new Command("serve", """
            Runs a key broker: challenge and release over TLS 1.3, every decision in the log before it is answered.

            Example: bulwark broker serve fraud.bulwark --policy evidence-policy.json --store sqlite:broker.db
            """) { Packages, Policy, Trust, Store, Pki, Collateral, Port, MetricsPort, AnyAddress };
        command.SetAction(ServeAsync);
        return command;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancel)
    {
        var (screen, workspace) = (new Screen(parsed), Workspace.Require(parsed));
        using var keys = workspace.OpenKeys();
        using var signer = keys.OpenSigner(Workspace.SigningKey);
        await using var log = await workspace.OpenLogAsync(keys);
        using var store = BrokerStores.Open(parsed.GetValue(Store) ?? $"sqlite:{Path.Combine(workspace.Directory.FullName, "broker.db")}");
        var pki = parsed.GetValue(Pki)?.FullName ?? Path.Combine(workspace.Directory.FullName, "pki");
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(pki, "server.crt"), Path.Combine(pki, "server.key"));
        var policy = EvidencePolicySignature.Open(await File.ReadAllBytesAsync(parsed.GetRequiredValue(Policy).FullName, cancel), AttestPolicyCommand.Trusted(parsed.GetValue(Trust), keys));
        await using var host = await BrokerHost.StartAsync(new()
        {
            Packages = [.. parsed.GetRequiredValue(Packages).Select(package => package.FullName)],
            Publishers = [keys.PublicKey(Workspace.SigningKey)],
            Keys = keys,
            Signer = signer,
            Policy = policy,
            Log = log,
            Store = store,
            ServerCertificate = certificate,
            Collateral = parsed.GetValue(Collateral) is { } folder ? new CollateralFolder(folder.FullName) : null,
            Port = parsed.GetValue(Port),
            MetricsPort = parsed.GetValue(MetricsPort),
            ListenOnAnyAddress = parsed.GetValue(AnyAddress),
        }, cancel);
        var insecure = policy.Environment is not EvidenceEnvironment.Production;
        screen.Answer(new { address = host.BaseAddress, metrics = host.MetricsAddress, policy = policy.Digest(), version = policy.Version, store = store.Name, flags = policy.Flags(), insecure }, console =>
        {
            if (insecure)
                console.MarkupLine("[yellow]INSECURE: a development policy; what it releases proves nothing.[/]");
            console.MarkupLineInterpolated($"[green]The broker listens on {host.BaseAddress}[/]");
            console.MarkupLineInterpolated($"  policy  {policy.Digest()}, version {policy.Version}");
            console.MarkupLineInterpolated($"  store   {store.Name}");
            foreach (var flag in policy.Flags())
                console.MarkupLineInterpolated($"  [yellow]lets in[/] {flag}");
        });
        screen.Note("Ctrl-C stops.");
        await Task.Delay(Timeout.Infinite, cancel).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        screen.Note("stopped");
        return ExitCode.Yes;
    }
}
