using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Server;
using Bulwark.Worker;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>A model of 30 features, identities, a log: everything that a gateway needs, in a folder that goes with it.</summary>
internal sealed class GatewayStage : IDisposable
{
    internal const int Features = 30;
    private const int Bodies = 20_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-bench-gateway");
    private readonly Signer _development = Signer.Generate();
    private readonly Signer _statements, _logSigner;

    private GatewayStage()
    {
        Keys = KeyRing.Create(PathOf("keyring.json"), KeyRingUnlock.KeyFile(PathOf("keyring.key")));
        Keys.CreateSymmetric("sealing");
        Keys.CreateSigning("signing");
        Keys.CreateSigning("log");
        (_statements, _logSigner) = (Keys.OpenSigner("signing"), Keys.OpenSigner("log"));
        Identity = DevelopmentIdentity.Create(PathOf("pki"));
        Onnx = OnnxModel.Export(Schema, DenseNetwork<float>.Create(new NetworkShape(Features, [32, 16], 1), seed: 5));
        Screen = FitScreen();
        var random = new Random(7);
        Row = RandomRow(random);
        File.WriteAllBytes(BodyFile, BodyOf(Row));
        WriteBodies(random);
    }

    internal KeyRing Keys { get; }
    internal DevelopmentIdentity Identity { get; }
    internal byte[] Onnx { get; }
    internal InputScreen Screen { get; }
    internal float[] Row { get; }
    internal string BodyFile => PathOf("body.json");

    /// <summary>A request a line, each of another row: the query monitor passes over a row that it has just seen.</summary>
    internal string BodiesFile => PathOf("bodies.jsonl");
    internal TransparencyLog Log { get; private set; } = null!;

    internal static FeatureSchema Schema { get; } = new()
    {
        Label = "y",
        Features = [.. Enumerable.Range(0, Features).Select(i => new Feature { Name = $"v{i}", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1 })],
    };

    internal static async Task<GatewayStage> CreateAsync()
    {
        var stage = new GatewayStage();
        stage.Log = await TransparencyLog.CreateAsync(stage.PathOf("log"), "bulwark.bench/gateway", stage._logSigner, CancellationToken.None);
        var manifest = new ModelManifest { Name = "bench", Version = "1", Created = DateTimeOffset.UtcNow };
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = stage.Onnx, [ModelFolder.ScreenName] = stage.Screen.ToJson() };
        await SealedModel.SealAsync(new ModelFolder(manifest, files), manifest, stage.Keys, "sealing", stage._statements, stage.PathOf("bench.bulwark"), CancellationToken.None);
        return stage;
    }

    /// <summary>Rules as a bank would have them: most for other clients and teams, some for everybody, one for ours.</summary>
    internal static string Policy(int rules)
    {
        var text = new StringBuilder();
        for (var i = 0; i < rules - 3; i++)
            text.AppendLine((i % 4) switch
            {
                0 => $$"""permit (principal == Client::"client{{i}}", action == Action::"infer", resource == Model::"model{{i % 17}}") when { context.hour >= 6 && context.hour < 22 };""",
                1 => $$"""permit (principal in Team::"team{{i}}", action, resource) when { context has purpose && context.purpose == "fraud" };""",
                2 => $$"""forbid (principal, action, resource == Model::"retired{{i}}");""",
                _ => $$"""forbid (principal == Client::"client{{i}}", action, resource) when { context.suspicion > 500 };""",
            });
        text.AppendLine("""forbid (principal, action, resource) when { context.suspicion > 900 };""");
        text.AppendLine("""forbid (principal, action, resource) when { context has budgetLeft && context.budgetLeft <= 0 };""");
        text.AppendLine("""permit (principal == Client::"payments", action == Action::"infer", resource == Model::"bench") when { context.zone == "unknown" && context.binding like "certificate*" };""");
        return text.ToString();
    }

    internal GatewayOptions Options(int rules, ReceiptMode receipts) => new()
    {
        PackagePath = PathOf("bench.bulwark"),
        Publishers = [Keys.PublicKey("signing")],
        Keys = Keys,
        Signer = _statements,
        EvidencePolicy = new()
        {
            Environment = EvidenceEnvironment.Development,
            Kinds = [EvidenceKinds.Simulated],
            InsecureSimulated = true,
            SimulatedKeys = [_development.PublicKey],
            Measurements = [WorkerClosure.Measure()],
            Models = [Digest.Of(File.ReadAllBytes(PathOf("bench.bulwark")))],
            MaximumAgeSeconds = 300,
        },
        EvidenceSource = new SimulatedEvidenceSource(_development, WorkerClosure.Measure(), TimeProvider.System),
        Log = Log,
        Policy = Policy(rules),
        ServerCertificate = Identity.LoadServer(),
        ClientRoots = [Identity.LoadAuthority()],
        AccessTokens = Identity.TokenOptions(),
        Receipts = receipts,
        Observer = Monitor(),
        TrailDirectory = PathOf(string.Create(CultureInfo.InvariantCulture, $"trail-{rules}-{receipts}")),
        MetricsPort = null,
    };

    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose()
    {
        Log.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _development.Dispose();
        _logSigner.Dispose();
        _statements.Dispose();
        Keys.Dispose();
        _folder.Delete(recursive: true);
    }

    private void WriteBodies(Random random)
    {
        using var bodies = File.Create(BodiesFile);
        var encoder = new FeatureEncoder(Schema);
        for (var written = 0; written < Bodies;)
        {
            var row = RandomRow(random);
            if (!Screen.Check(row, encoder.Encode(row)).IsAccepted)   // a thousandth of ordinary rows is meant to be refused
                continue;
            bodies.Write(BodyOf(row));
            bodies.WriteByte((byte)'\n');
            written++;
        }
    }

    private static float[] RandomRow(Random random) => [.. Enumerable.Range(0, Features).Select(_ => MathF.Round(random.NextSingle(), 4))];

    private static byte[] BodyOf(float[] row) =>
        JsonSerializer.SerializeToUtf8Bytes(new { id = "4f1c", inputs = new[] { new { name = "features", shape = new[] { 1, Features }, datatype = "FP32", data = row } } });

    /// <summary>A query monitor as <c>serve</c> sets one up; a false alarm is counted and has no consequence, so that every request has the same way.</summary>
    private static Unconcerned Monitor()
    {
        var monitor = QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), OrdinaryRows(), Features, new QueryMonitorOptions { Capacity = 1 << 20 });
        var queries = new MonitoredQueries(AlarmAnswer.Record, null, TimeProvider.System);
        queries.Watch("bench", Schema, monitor);
        return new Unconcerned(queries);
    }

    private static float[] OrdinaryRows()
    {
        var random = new Random(3);
        var raw = new float[Features * 2000];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = random.NextSingle();
        return new FeatureEncoder(Schema).Encode(raw);
    }

    private static InputScreen FitScreen()
    {
        var encoder = new FeatureEncoder(Schema);
        var encoded = OrdinaryRows();
        var (mean, covariance) = InputScreen.Moments(encoded, encoder.EncodedWidth);
        return InputScreen.Fit(ScreenContract.Of(Schema), mean, covariance).Calibrate(encoded, 0.001);
    }

    /// <summary>Observes like the monitor that it holds, and suspects nobody.</summary>
    private sealed class Unconcerned(MonitoredQueries queries) : QueryObserver
    {
        public override ClientStanding StandingOf(string client) => queries.StandingOf(client) with { Suspicion = 0 };

        public override bool Observe(in ObservedQuery query) => queries.Observe(query);
    }
}
