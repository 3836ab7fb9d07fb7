using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

/// <summary>One sound statement of every claim.</summary>
internal static class SampleClaims
{
    internal static readonly Digest Data = Digest.Of("data"u8), Test = Digest.Of("test"u8), Onnx = Digest.Of("onnx"u8), Package = Digest.Of("package"u8),
        Evidence = Digest.Of("evidence"u8), Policy = Digest.Of("policy"u8);

    internal static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    internal static readonly string Somebody = Pseudonym.Of(new byte[32], "somebody"u8);

    internal static IEnumerable<Statement> All() =>
    [
        Committed(Data), Protected(), Accessed(),
        Statement.Of("file.sealed", Data, new KeyUsed { Operation = "unwrap", Key = "pkcs11:token=demo;object=kek", Version = "2", Purpose = "open", By = Somebody, Time = Now }),
        Statement.Of("subject key", Digest.Of("salted"u8), new SubjectErased { Time = Now, Reason = "request of the person", Epoch = 3, Datasets = [Data], Models = [Package] }),
        Trained(Onnx, Data, 1.0), Evaluated(), Attacked(), Sealed(Package, Onnx, Data), Promoted(), Released(Package, Evidence, Signing()),
        Statement.Of("model", Package, new RequestJudged { Action = "infer", Time = Now, Outcome = "scored", Reason = "passed", Status = 200, Client = Somebody, Policy = Policy, Policies = ["policy0"] }),
        Statement.Of([new("access policy", Policy), new("fraud", Package)], new RequestsJudged
        {
            Gateway = "00112233445566778899aabbccddeeff", First = 0, Policy = Policy,
            Decisions = [new() { Action = "infer", Time = Now, Outcome = "scored", Reason = "accepted", Status = 200, Client = Somebody, Model = "fraud", Policies = ["policy0"] }],
        }),
        Statement.Of([new("request", Data), new("response", Test), new("model", Package)], Facts()),
        Statement.Of("worker", Test, new MeasurementPublished { Value = "sha384:" + new string('a', 96), Kind = "sev-snp", Program = "worker 1", Time = Now }),
        Statement.Of("model", Package, new KeyAuthorityUsed { Action = "revoked", Model = Package, By = Signing(), Reason = "stolen", Time = Now }),
        Statement.Of("policy.cedar", Policy, new PolicyChanged { Kind = PolicyChanged.AccessPolicy, Time = Now }),
        Statement.Of("privacy ledger, line 3", Data, new PrivacyBooked { Line = 2, Kind = "commit", Dataset = "data", Booking = JsonSerializer.SerializeToElement(new { kind = "commit" }), Time = Now }),
        Statement.Of("report.html", Data, new RunFinished { Pipeline = "card-fraud", Steps = ["train-plain"], Time = Now }),
    ];

    internal static Statement Committed(Digest root, params Digest[] sources) => Statement.Of("train.parquet", root, new DatasetCommitted
    {
        Step = "train",
        Rows = 10,
        Columns = ["amount", "is_fraud"],
        Label = "is_fraud",
        Sources = sources,
        TestSet = Test,
        Settings = new Dictionary<string, string> { ["seed"] = "1" },
    });

    internal static Statement Protected() => Statement.Of("payments.protected.parquet", Digest.Of("protected file"u8), new DataProtected
    {
        Dataset = $"payments/{Data}",
        Commitment = Data,
        Rows = 10,
        Columns = [new("amount", "keep"), new("card_number", "tokenise", "columns/card_number")],
        Policy = Policy,
        File = Digest.Of("protected file"u8),
        Bytes = 100,
    });

    internal static Statement Accessed() => Statement.Of("payments", Data, new DataAccessed
    {
        Purpose = "chargeback",
        By = Somebody,
        Time = Now,
        Columns = [new("card_number", "tokenise", "columns/card_number", true, null)],
    });

    internal static Statement Trained(Digest onnx, Digest data, double? epsilon, string? ledgerHead = null) => Statement.Of("model.onnx", onnx, new TrainingProvenance
    {
        BuildDefinition = new(
            TrainingProvenance.BuildType, JsonSerializer.SerializeToElement(new { model = "fraud", epochs = 3 }),
            [ResourceDescriptor.Of(TrainingProvenance.TrainingData, data), ResourceDescriptor.Of(TrainingProvenance.TestData, Test), new(TrainingProvenance.Code, new Dictionary<string, string> { ["gitCommit"] = new('a', 40) })],
            new Dictionary<string, string> { ["os"] = "linux" }),
        RunDetails = new(
            new("https://bulwark.dev/trainer", new Dictionary<string, string> { ["bulwark"] = "0.1.0" }), new("run-1", Now, Now.AddSeconds(2)),
            Bulwark_privacy: epsilon is { } spent ? new(spent, 1e-5, "add or remove one record", "record", ledgerHead) : null),
    });

    internal static Statement Evaluated() => Statement.Of("model.onnx", Onnx, new ModelEvaluated { Dataset = Test, Rows = 5, Figures = new Dictionary<string, double> { ["auc"] = 0.9, ["accuracy"] = 0.8 }, Time = Now });

    internal static Statement Attacked() => Statement.Of("model.onnx", Onnx, new ModelAttacked { Attack = "membership", Time = Now, Report = JsonSerializer.SerializeToElement(new { auc = 0.51 }) });

    internal static Statement Sealed(Digest package, Digest onnx, Digest data, double? epsilon = 1) => Statement.Of("fraud.bulwark", package, new ModelSealed
    {
        Name = "fraud",
        Version = "1",
        Signer = Signing(),
        PackageBytes = 1000,
        Files = [new("model.onnx", 500, onnx)],
        Dataset = data,
        Epsilon = epsilon,
        Delta = epsilon is null ? null : 1e-5,
        Accuracy = 0.9,
    });

    internal static Statement Promoted() => Statement.Of("fraud.bulwark", Package, new ModelPromoted { Stage = "production", Promoted = true, Gates = [new("signature", true, "trusted")], Time = Now });

    internal static Statement Released(Digest package, Digest evidence, VerificationKey receiptKey, string verdict = "released") => Statement.Of("model", package, new KeyReleased
    {
        ReleaseId = new('0', 32),
        Time = Now,
        Verdict = verdict,
        Reason = verdict == "released" ? "" : "measurement",
        Model = package,
        Evidence = evidence,
        ReceiptKey = receiptKey,
        Kind = "simulated",
        Policy = Policy,
        FailedLegs = verdict == "released" ? [] : ["measurement"],
        Insecure = true,
    });

    internal static PredictionFacts Facts() => new()
    {
        RequestDigest = Data,
        ResponseDigest = Test,
        ModelDigest = Package,
        PolicyVersion = Policy,
        AttestationDigest = Evidence,
        ScreenVerdict = "passed",
        Outcome = "scored",
        Time = Now,
        Insecure = true,
    };

    private static VerificationKey Signing() => new(new byte[32]);
}
