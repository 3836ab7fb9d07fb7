using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Benchmarks.Receipts;

/// <summary>How long a receipt takes to be walked from its signature to the data set, in a log of many decisions: with the index at hand, and the first time.</summary>
internal static class ReceiptsArea
{
    private const int Batch = 2000;

    public static int Run(string[] arguments)
    {
        var decisions = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 100_000;
        var folder = Directory.CreateTempSubdirectory("bulwark-receipts-");
        try
        {
            RunAsync(folder.FullName, decisions).GetAwaiter().GetResult();
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(string folder, int decisions)
    {
        using Signer logKey = Signer.Generate(), signer = Signer.Generate(), worker = Signer.Generate();
        var (path, index) = (Path.Combine(folder, "log"), Path.Combine(folder, "index"));
        PredictionReceipt receipt;
        await using (var log = await TransparencyLog.CreateAsync(path, "bench.example/log", logKey))
        {
            foreach (var statement in Making(worker.PublicKey))
                await log.AppendAsync(Dsse.Sign(statement, signer));
            for (var done = 0; done < decisions; done += Batch)
                await log.AppendManyAsync([.. Enumerable.Range(done, Math.Min(Batch, decisions - done)).Select(i => (ReadOnlyMemory<byte>)PredictionReceipt.Sign(Facts(i), worker))]);
            var envelope = PredictionReceipt.Sign(Facts(-1), worker);
            var given = await log.AppendAsync(envelope);
            receipt = new PredictionReceipt(envelope, PredictionReceipt.NewSalt(), await log.ProofForAsync(given.Index));
        }

        var bytes = receipt.ToBytes();
        Console.WriteLine($"log of {decisions:N0} decisions, receipt of {bytes.Length} bytes");
        await TimeAsync("first time, the index made anew", path, index, bytes, logKey, signer, worker);
        for (var i = 0; i < 3; i++)
            await TimeAsync("with the index", path, index, bytes, logKey, signer, worker);
    }

    private static async Task TimeAsync(string name, string path, string index, byte[] bytes, Signer logKey, Signer signer, Signer worker)
    {
        var clock = Stopwatch.StartNew();
        var receipt = PredictionReceipt.Parse(bytes);
        var own = receipt.Verify(logKey.PublicKey, [worker.PublicKey]);
        await using var log = await TransparencyLog.OpenAsync(path, trustedKey: logKey.PublicKey);
        var links = new EvidenceWalk(new LineageReader(log, LineageIndex.Open(log, index, new byte[32]), [signer.PublicKey])).From(receipt, worker.PublicKey);
        if (!own.Trusted || !links.All(link => link.HoldsThroughout))
            throw new InvalidOperationException(string.Join("; ", links.SelectMany(link => link.Flatten()).Where(link => !link.Holds)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-34}{clock.Elapsed.TotalMilliseconds,10:0.0} ms, {links.Sum(link => link.Flatten().Count()) + own.Links.Count} links hold"));
    }

    private static IEnumerable<Statement> Making(VerificationKey worker) =>
    [
        Statement.Of("access policy", Of("policy"), new PolicyChanged { Kind = PolicyChanged.AccessPolicy, Time = DateTimeOffset.UnixEpoch }),
        Statement.Of("train", Of("data"), new DatasetCommitted { Step = "train" }),
        Statement.Of("model.onnx", Of("onnx"), new TrainingProvenance
        {
            BuildDefinition = new(TrainingProvenance.BuildType, JsonSerializer.SerializeToElement(new { epochs = 3 }), [ResourceDescriptor.Of(TrainingProvenance.TrainingData, Of("data"))]),
            RunDetails = new(new("https://bulwark.dev/trainer", new Dictionary<string, string> { ["bulwark"] = "bench" }), new("run", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch), Bulwark_privacy: new(1, 1e-5, "add or remove one record")),
        }),
        Statement.Of("fraud.bulwark", Of("model"), new ModelSealed { Name = "fraud", Version = "1", Signer = worker, PackageBytes = 1, Files = [new("model.onnx", 1, Of("onnx"))], Dataset = Of("data"), Epsilon = 1, Delta = 1e-5 }),
        Statement.Of("model", Of("model"), new KeyReleased
        {
            ReleaseId = new string('0', 32), Time = DateTimeOffset.UnixEpoch, Verdict = "released", Reason = "", Model = Of("model"), Evidence = Of("evidence"), ReceiptKey = worker, Kind = "simulated", Policy = Of("evidence policy"), FailedLegs = [], Insecure = true,
        }),
    ];

    private static PredictionFacts Facts(int request) => new()
    {
        RequestDigest = Of($"request {request}"),
        ResponseDigest = Of($"response {request}"),
        ModelDigest = Of("model"),
        PolicyVersion = Of("policy"),
        AttestationDigest = Of("evidence"),
        ScreenVerdict = "passed",
        Outcome = "scored",
        Time = DateTimeOffset.UnixEpoch,
        Insecure = true,
    };

    private static Digest Of(string text) => Digest.Of(System.Text.Encoding.UTF8.GetBytes(text));
}
