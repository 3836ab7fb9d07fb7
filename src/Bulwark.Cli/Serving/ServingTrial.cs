using System.Diagnostics;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Server;
using Bulwark.Worker;

namespace Bulwark.Cli.Serving;

/// <summary>Serves a sealed model for a moment: one prediction verified offline, requests timed, and everything that must be refused tried.</summary>
internal sealed class ServingTrial(Workspace workspace, Screen screen)
{
    private const int TimedRequests = 200;

    /// <summary>What the first prediction leaves behind, for anyone to verify.</summary>
    internal static readonly IReadOnlyList<string> Evidence = ["request.json", "response.json", "receipt.json", "worker.key"];

    internal async Task<ServingFinding> RunAsync(ServingCase what, IProgress<double> progress, CancellationToken cancel)
    {
        using var setup = await GatewaySetup.DevelopmentAsync(workspace, what.Package, what.PkiFolder);
        var identity = DevelopmentIdentity.Open(what.PkiFolder);

        var start = Stopwatch.GetTimestamp();
        await using var gateway = await GatewayHost.StartAsync(setup.Options, cancel);
        var session = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (gateway.Worker.Insecure)
            screen.Note("[yellow]Attestation is simulated: this serves to show the line, it protects nothing from this machine's operator.[/]");
        progress.Report(0.2);

        using var authority = identity.LoadAuthority();
        using var certificate = identity.LoadClient("payments");
        using var client = new GatewayClient(gateway.BaseAddress, authority, certificate, identity.LoadToken("payments"));
        var links = await FirstReceiptAsync(what, client, setup.Log.Key, gateway.Worker.ReceiptKey, cancel);
        progress.Report(0.3);
        var timed = await TimeAsync(what, client, cancel);
        progress.Report(0.6);
        var appends = await TimeAppendsAsync(setup.Log, cancel);
        progress.Report(0.7);
        var refusals = await new RefusalTrials(what, gateway.BaseAddress, identity, authority).RunAsync(cancel);
        progress.Report(0.9);
        return new ServingFinding
        {
            SessionSeconds = session,
            RequestMedianSeconds = timed[timed.Length / 2],
            RequestP99Seconds = timed[timed.Length * 99 / 100],
            AppendMedianSeconds = appends[appends.Length / 2],
            BareScoreSeconds = await BareScoreAsync(what, setup.Keys, cancel),
            Requests = timed.Length,
            EvidenceKind = EvidenceKinds.Simulated,
            WorkerKey = gateway.Worker.ReceiptKey.ToString(),
            Links = links,
            Refusals = [.. refusals, .. await RefusedStartsAsync(what, setup.Options, cancel)],
        };
    }

    /// <summary>Asks for one prediction, keeps request, response and receipt as files, and checks the receipt with nothing but public keys.</summary>
    private static async Task<IReadOnlyList<ReceiptLink>> FirstReceiptAsync(ServingCase what, GatewayClient client, VerificationKey logKey, VerificationKey workerKey, CancellationToken cancel)
    {
        var body = GatewayClient.Body(what.Row);
        var (status, answer, headers) = await client.InferAsync(what.ModelName, body, cancel);
        if (status != 200)
            throw new InvalidDataException($"The gateway refused an ordinary row ({status}): {System.Text.Encoding.UTF8.GetString(answer)}");
        var receipt = Convert.FromBase64String(headers.GetValues(GatewayHost.ReceiptHeader).Single());
        Directory.CreateDirectory(what.ReceiptFolder);
        AtomicFile.Write(Path.Combine(what.ReceiptFolder, "request.json"), body);
        AtomicFile.Write(Path.Combine(what.ReceiptFolder, "response.json"), answer);
        AtomicFile.Write(Path.Combine(what.ReceiptFolder, "receipt.json"), receipt);
        AtomicFile.Write(Path.Combine(what.ReceiptFolder, "worker.key"), System.Text.Encoding.UTF8.GetBytes(workerKey + "\n"));
        var report = PredictionReceipt.Parse(receipt).Verify(logKey, [workerKey], body, answer, what.PackageDigest);
        return [.. report.Links.Select(link => new ReceiptLink(link.Name, link.Holds, link.Detail))];
    }

    /// <summary>Seconds of each request, ascending, after a warm-up.</summary>
    private static async Task<double[]> TimeAsync(ServingCase what, GatewayClient client, CancellationToken cancel)
    {
        var body = GatewayClient.Body(what.Row);
        var seconds = new List<double>();
        for (var i = -20; i < TimedRequests; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var (status, _, _) = await client.InferAsync(what.ModelName, body, cancel);
            if (status != 200)
                throw new InvalidDataException($"The gateway answered {status} in the middle of a run.");
            if (i >= 0)
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return [.. seconds.Order()];
    }

    private static async Task<double[]> TimeAppendsAsync(TransparencyLog log, CancellationToken cancel)
    {
        var seconds = new List<double>();
        for (var i = 0; i < 30; i++)
        {
            var entry = System.Text.Encoding.UTF8.GetBytes($"{{\"measurement\":\"append\",\"round\":{i}}}");
            var start = Stopwatch.GetTimestamp();
            await log.AppendAsync(entry, cancel);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return [.. seconds.Order()];
    }

    private static async Task<double> BareScoreAsync(ServingCase what, KeyRing keys, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(what.Package);
        using var model = await SealedModel.OpenAsync(stream, keys, [keys.PublicKey(Workspace.SigningKey)], cancel);
        using var scorer = model.OpenScorer();
        var score = new float[scorer.Classes];
        return Making.Stopwatches.PerCall(() => scorer.Score(what.Row, 1, score), 500);
    }

    /// <summary>Gateways that must not come up: a tampered package, a production policy that meets simulated evidence.</summary>
    private static async Task<IReadOnlyList<RefusalTrial>> RefusedStartsAsync(ServingCase what, GatewayOptions options, CancellationToken cancel)
    {
        var tampered = Path.Combine(what.ReceiptFolder, "tampered.bulwark");
        var bytes = await File.ReadAllBytesAsync(what.Package, cancel);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(tampered, bytes, cancel);
        try
        {
            return
            [
                await RefusedStartAsync("start with a package in which one bit is flipped", "package", () => GatewayHost.StartAsync(options with { PackagePath = tampered, Port = 0, MetricsPort = null }, cancel)),
                await RefusedStartAsync("start under a production policy with simulated evidence", "simulated", () => GatewayHost.StartAsync(
                    options with { Port = 0, MetricsPort = null, EvidencePolicy = options.EvidencePolicy with { Environment = EvidenceEnvironment.Production } }, cancel)),
            ];
        }
        finally
        {
            File.Delete(tampered);
        }
    }

    private static async Task<RefusalTrial> RefusedStartAsync(string tried, string expected, Func<Task<GatewayHost>> start)
    {
        try
        {
            await using var host = await start();
            return new RefusalTrial(tried, expected, "it started", Refused: false);
        }
        catch (Exception refusal) when (refusal is System.Security.Cryptography.CryptographicException or ArgumentException or KeyRefusedException or InvalidDataException)
        {
            return new RefusalTrial(tried, expected, refusal.Message, refusal.Message.Contains(expected, StringComparison.OrdinalIgnoreCase));
        }
    }
}
