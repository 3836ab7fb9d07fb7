using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Tests.Models;
using Bulwark.Worker;
using Bulwark.Worker.Processes;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A worker of its own with a model whose weights are apart; and the worker published trimmed. Small here; BULWARK_LONG_TESTS=1 takes more than 2 GiB (8 GiB of memory and disk) and publishes.</summary>
public sealed class LargeModelTests : IDisposable
{
    private static readonly bool s_long = Environment.GetEnvironmentVariable("BULWARK_LONG_TESTS") == "1";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-large");
    private readonly Signer _signer = Signer.Generate();
    private readonly Signer _development = Signer.Generate();
    private readonly KeyRing _keys;

    public LargeModelTests()
    {
        _keys = KeyRing.Create(Path.Combine(_folder.FullName, "keys.json"), KeyRingUnlock.KeyFile(Path.Combine(_folder.FullName, "keys.key")));
        _keys.CreateSymmetric("models");
    }

    public void Dispose()
    {
        _keys.Dispose();
        _signer.Dispose();
        _development.Dispose();
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
    }

    [Fact]
    public async Task A_separate_worker_scores_with_weights_that_are_in_no_file()
    {
        var rows = LookupModel.RowsFor(s_long ? (1L << 31) + (1 << 20) : 9 << 20);
        var info = await SealAsync(rows);
        Assert.True(!s_long || info.PlainBytes > int.MaxValue);
        await using var worker = await StartAsync(info.PackageDigest, Path.Combine(AppContext.BaseDirectory, "worker", "Bulwark.Worker"));
        await AssertScoresAsync(worker, rows);
        foreach (var file in OpenFiles(worker.ProcessId))
            Assert.True(file.StartsWith("/memfd:", StringComparison.Ordinal) || !File.Exists(file) || new FileInfo(file).Length < 64 << 20, file);
    }

    [Fact]
    public async Task The_worker_that_was_published_trimmed_scores_the_same()
    {
        var given = Environment.GetEnvironmentVariable("BULWARK_PUBLISHED_WORKER");
        Assert.SkipUnless(s_long || given is not null, "publishing takes minutes: BULWARK_LONG_TESTS=1 does it; BULWARK_PUBLISHED_WORKER names a folder with one.");
        var published = given ?? await PublishAsync();
        const long Rows = 3000;
        var info = await SealAsync(Rows);
        await using var worker = await StartAsync(info.PackageDigest, Path.Combine(published, "Bulwark.Worker"));
        await AssertScoresAsync(worker, Rows);
        Assert.DoesNotContain(File.ReadLines($"/proc/{worker.ProcessId}/maps"), line => line.Contains("/dotnet/shared/", StringComparison.Ordinal));
    }

    private async Task<string> PublishAsync()
    {
        var published = Path.Combine(_folder.FullName, "published");
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Bulwark.slnx")))
            root = root.Parent;
        var start = new ProcessStartInfo("dotnet", [
            "publish", Path.Combine(root.FullName, "src", "Bulwark.Worker"), "-c", "Release", "-r", "linux-x64", "--self-contained", "-p:PublishTrimmed=true", "-p:RestoreLockedMode=false",
            "--artifacts-path", Path.Combine(_folder.FullName, "artifacts"), "-o", published])
        { RedirectStandardOutput = true };
        using var publish = Process.Start(start)!;
        var said = await publish.StandardOutput.ReadToEndAsync(GatewayWorld.Cancel);
        await publish.WaitForExitAsync(GatewayWorld.Cancel);
        Assert.True(publish.ExitCode == 0, said);
        Assert.DoesNotContain("IL2", said, StringComparison.Ordinal);
        return published;
    }

    /// <summary>Row 7 and the last, which lies beyond 2 GiB in the long form, through the clear and the sealed door of the worker.</summary>
    private static async Task AssertScoresAsync(WorkerProcess worker, long rows)
    {
        var body = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"inputs":[{"name":"features","datatype":"FP32","shape":[2,1],"data":[7,{{rows - 1}}]}]}"""));
        var answer = await worker.AnswerAsync(new WorkerRequest(body, new float[] { 7, rows - 1 }, 2, null, Digest.Of("policy"u8)) { Sign = true }, GatewayWorld.Cancel);
        Assert.Equal([LookupModel.Score(2.5f), LookupModel.Score(-1.5f)], answer.Scores.ToArray(), (a, b) => MathF.Abs(a - b) < 1e-6f);
        var receipt = Lineage.Dsse.Verify(answer.Envelope, worker.Facts.ReceiptKey);
        Assert.Equal(Lineage.DsseVerdict.Trusted, receipt.Verdict);

        var route = new SealedRoute("POST", "/v2/models/lookup/sealed", "lookup");
        using var channel = SealedChannel.Open(worker.Facts.Evidence.Keys.Hpke, worker.Facts.Evidence.ChannelBinding(), DateTimeOffset.UtcNow);
        var call = channel.Seal(route, body);
        var back = await worker.AnswerAsync(new SealedAsk(route, call.Message, Digest.Of("policy"u8), 10), GatewayWorld.Cancel);
        Assert.Equal((200, "scored"), (back.Status, back.Outcome));
    }

    private async Task<SealedModelInfo> SealAsync(long rows)
    {
        var folder = LookupModel.Folder(_folder.FullName, rows, (7, 2.5f), (rows - 1, -1.5f));
        var info = await SealedModel.SealAsync(folder, folder.Manifest, _keys, "models", _signer, PackagePath, GatewayWorld.Cancel);
        File.Delete(folder.Weights!);   // from here on they are sealed only
        Assert.True(info.PackageBytes - info.PlainBytes < Math.Max(16 << 10, info.PlainBytes / 10_000));
        return info;
    }

    private string PackagePath => Path.Combine(_folder.FullName, "lookup.bulwark");

    private async Task<WorkerProcess> StartAsync(Digest package, string program)
    {
        var measurement = WorkerClosure.Measure();
        var policy = new EvidencePolicy
        {
            Environment = EvidenceEnvironment.Development,
            Kinds = [EvidenceKinds.Simulated],
            InsecureSimulated = true,
            SimulatedKeys = [_development.PublicKey],
            Measurements = [measurement],
            Models = [package],
            MaximumAgeSeconds = 300,
        };
        var broker = new KeyBroker(policy, async (_, cancel) =>
        {
            await using var stream = File.OpenRead(PackagePath);
            return (await SealedModel.UnwrapDataKeyAsync(stream, _keys, [_signer.PublicKey], cancel)).DataKey;
        }, (_, _) => ValueTask.CompletedTask, TimeProvider.System);
        var start = new WorkerStart(() => File.OpenRead(PackagePath), [_signer.PublicKey], new SimulatedEvidenceSource(_development, measurement, TimeProvider.System), broker, InsecureSandbox: true) { Program = program };
        return await WorkerProcess.StartAsync(start, GatewayWorld.Cancel);
    }

    private static IEnumerable<string> OpenFiles(int process)
    {
        foreach (var link in new DirectoryInfo($"/proc/{process}/fd").EnumerateFileSystemInfos())
        {
            string? target;
            try
            {
                target = link.LinkTarget;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                continue;   // closed meanwhile, or hidden: the process is not dumpable
            }

            if (target is not null)
                yield return target;
        }
    }
}
