using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>The key broker: releases models' keys to attested workers, and takes the approvals and revocations of those who may give them.</summary>
internal static class BrokerCommand
{
    internal static Command Create() => new("broker", "Releases models' keys to attested workers: serve, approve, revoke, leases.")
    {
        BrokerServeCommand.Create(), CreateAuthority("approve", "approved"), CreateAuthority("revoke", "revoked"), CreateLeases(),
    };

    private static Command CreateAuthority(string verb, string action)
    {
        var package = new Argument<FileInfo>("package") { Description = "The sealed model." }.AcceptExistingOnly();
        var broker = new Option<Uri>("--broker") { Description = "The broker's address.", Required = true, HelpName = "URL", CustomParser = AddressOption.Parse };
        var authority = new Option<FileInfo>("--ca") { Description = "PEM certificates that may vouch for the broker; the system's when left out.", HelpName = "FILE" };
        var key = new Option<string>("--key") { Description = "The workspace's signing key to sign with; the policy must list it as an approver.", DefaultValueFactory = _ => Workspace.SigningKey, HelpName = "NAME" };
        var reason = new Option<string>("--reason") { Description = "Why; it is in the log for good.", HelpName = "TEXT" };
        var release = new Option<string>("--release") { Description = "Only this release: its chain of renewals, its worker's start and receipt key; also when its lease has lapsed, for a week.", HelpName = "ID" };
        var boot = new Option<string>("--boot") { Description = "Only this start of a worker, as `broker leases` shows it.", HelpName = "HEX" };
        var receipts = new Option<string>("--receipt-key") { Description = "Only the worker that signs receipts with this key (ed25519:…).", HelpName = "KEY" };
        var output = new Option<FileInfo>("--output", "-o") { Description = "Keep the signed revocation too, for clients (`score --revocation`).", HelpName = "FILE" };
        var summary = action == "approved" ? "Approves the first release of a model's key, signed by an approver of the policy. Good for a week."
            : "Revokes a model's key for good, or one release, start or worker of it: nothing of it is released or renewed any more; workers wipe key and model at their next renewal.";
        var command = new Command(verb, $"{summary} Example: bulwark broker {verb} fraud.bulwark --broker https://broker:8444") { package, broker, authority, key, reason };
        if (action == "revoked")
            new List<Option> { release, boot, receipts, output }.ForEach(command.Add);
        command.SetAction(async (parsed, cancel) =>
        {
            using var keys = Workspace.Require(parsed).OpenKeys();
            using var signer = keys.OpenSigner(parsed.GetRequiredValue(key));
            var model = Digest.OfFile(parsed.GetRequiredValue(package).FullName);
            var used = new KeyAuthorityUsed
            {
                Action = action,
                Model = model,
                By = signer.PublicKey,
                Time = DateTimeOffset.UtcNow,
                Reason = parsed.GetValue(reason),
                ReleaseId = action == "revoked" ? parsed.GetValue(release) : null,
                BootId = action == "revoked" ? parsed.GetValue(boot) : null,
                ReceiptKey = action == "revoked" && parsed.GetValue(receipts) is { } worker ? VerificationKey.Parse(worker) : null,
            };
            using var http = Client(parsed.GetRequiredValue(broker), parsed.GetValue(authority));
            var envelope = Dsse.Sign(Statement.Of("model", model, used), signer);
            if (action == "revoked" && parsed.GetValue(output) is { } file)
                AtomicFile.Write(file.FullName, envelope);
            using var content = new ByteArrayContent(envelope);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await http.PostAsync("attest/authority", content, cancel);
            var text = await response.Content.ReadAsStringAsync(cancel);
            var done = response.StatusCode == HttpStatusCode.OK;
            return new Screen(parsed).Answer(new { action, model, by = signer.PublicKey.ToString(), done, answer = text }, console =>
                console.MarkupLineInterpolated($"{(done ? action : "refused")}: {model} {(done ? "" : text)}"), done ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static Command CreateLeases()
    {
        var store = new Option<string>("--store") { Description = $"The brokers' store: {BrokerStores.Forms}.", Required = true, HelpName = "STORE" };
        var command = new Command("leases", "Lists the leases that run. Example: bulwark broker leases --store sqlite:broker.db") { store };
        command.SetAction(parsed =>
        {
            using var opened = BrokerStores.Open(parsed.GetRequiredValue(store));
            var leases = KeyBroker.LeasesOf(opened, TimeProvider.System);
            return new Screen(parsed).Answer(leases, console =>
            {
                var table = new Table().Border(TableBorder.Rounded).AddColumns("release", "root", "boot", "model", "ends", "kind", "platform", "trust");
                foreach (var lease in leases)
                    table.AddRow(new Text(lease.ReleaseId), new Text(lease.Root ?? "-"), new Text(lease.BootId), new Text($"{lease.Model}"[..19] + "…"), new Text($"{lease.Ends:u}"), new Text(lease.Kind), new Text(lease.Platform ?? "-"), new Text(lease.Insecure ? "INSECURE" : "hardware"));
                console.Write(table);
                console.MarkupLineInterpolated($"{leases.Count} leases");
            });
        });
        return command;
    }

    /// <summary>A client that believes only <paramref name="authority"/> where it is given.</summary>
    internal static HttpClient Client(Uri broker, FileInfo? authority)
    {
        X509Certificate2Collection? roots = null;
        if (authority is not null)
        {
            roots = [];
            roots.ImportFromPemFile(authority.FullName);
        }

        var handler = new SocketsHttpHandler { SslOptions = TlsPolicy.Client(roots), AllowAutoRedirect = false };
        return new HttpClient(handler, disposeHandler: true) { BaseAddress = new Uri(broker, "/"), Timeout = TimeSpan.FromSeconds(30) };
    }
}
