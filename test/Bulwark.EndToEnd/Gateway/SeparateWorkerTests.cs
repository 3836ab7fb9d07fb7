using System.Diagnostics;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Worker;
using Bulwark.Worker.Processes;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>The worker in a process of its own: what it cannot do, and what becomes of requests when it dies.</summary>
public sealed class SeparateWorkerTests : GatewayTest
{
    [Fact]
    public async Task A_separate_worker_scores_as_one_inside_and_takes_sealed_requests()
    {
        await using var host = await World.StartAsync(World.Options with { SeparateWorker = true });
        using var plain = World.Payments(host);
        var response = await GatewayWorld.InferAsync(plain, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(GatewayWorld.Cancel));
        using var client = new BulwarkClient(new()
        {
            Gateway = host.BaseAddress,
            Model = "fraud",
            Policy = World.EvidencePolicy,
            Log = World.Keys.PublicKey("log"),
            Brokers = [World.Keys.PublicKey("signing")],
            Authorities = [World.Identity.LoadAuthority()],
            Certificate = World.Identity.LoadClient("payments"),
            Token = World.Identity.LoadToken("payments"),
        });
        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel)));
        Assert.All(all, scores => Assert.Equal(all[0], scores));
        Assert.Contains("\"data\":[" + all[0][0].ToString("R", System.Globalization.CultureInfo.InvariantCulture), await response.Content.ReadAsStringAsync(GatewayWorld.Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_it_has_shut_itself_in_the_kernel_says_that_every_wall_stands()
    {
        await using var worker = await StartAsync();
        var (walls, missing) = (worker.Facts.Sandbox, worker.Facts.SandboxMissing);
        var status = await File.ReadAllLinesAsync($"/proc/{worker.ProcessId}/status", GatewayWorld.Cancel);
        Assert.Contains("NoNewPrivs:\t1", status);
        if (!missing.Contains("seccomp", StringComparison.Ordinal))
            Assert.Contains("Seccomp:\t2", status);
        Assert.All((string[])["no new privileges", "no core dumps, not dumpable", "no diagnostics port"], wall => Assert.Contains(wall, walls, StringComparison.Ordinal));
        Assert.Contains("Max core file size        0                    0", await File.ReadAllTextAsync($"/proc/{worker.ProcessId}/limits", GatewayWorld.Cancel), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{worker.ProcessId}-*"));
        var locked = status.Single(line => line.StartsWith("VmLck:", StringComparison.Ordinal));
        if (walls.Contains("memory locked", StringComparison.Ordinal))
            Assert.DoesNotContain(" 0 kB", locked, StringComparison.Ordinal);
        else
            Assert.True(walls.Contains("no swap on this machine", StringComparison.Ordinal) || walls.Contains("MAY BE SWAPPED", StringComparison.Ordinal), walls);
        foreach (var thread in Directory.GetDirectories($"/proc/{worker.ProcessId}/task"))
        {
            try
            {
                var one = await File.ReadAllLinesAsync(Path.Combine(thread, "status"), GatewayWorld.Cancel);
                Assert.Equal(status.Where(line => line.StartsWith("Seccomp:", StringComparison.Ordinal)), one.Where(line => line.StartsWith("Seccomp:", StringComparison.Ordinal)));
            }
            catch (IOException)
            {
                // this thread has ended since
            }
        }
    }

    [Theory, InlineData("seccomp"), InlineData("landlock")]
    public async Task A_kernel_that_lacks_a_wall_starts_no_worker_unless_somebody_said_insecure_and_then_it_says_so(string wall)
    {
        var refused = await Assert.ThrowsAsync<SandboxException>(() => WorkerProcess.StartAsync(Start() with { Without = wall, InsecureSandbox = false }, GatewayWorld.Cancel));
        Assert.Contains(wall, refused.Missing, StringComparison.OrdinalIgnoreCase);
        await using var worker = await WorkerProcess.StartAsync(Start() with { Without = wall }, GatewayWorld.Cancel);
        Assert.Contains(wall, worker.Facts.SandboxMissing, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("NOT ", worker.Facts.Sandbox, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_whose_lease_ends_leaves_with_key_and_model_and_comes_back_when_the_broker_releases_again()
    {
        var line = new CutBroker(Broker(World.EvidencePolicy with { Release = new() { LeaseSeconds = 15 } }));
        await using var worker = await WorkerProcess.StartAsync(Start() with { Broker = line }, GatewayWorld.Cancel);
        var (first, release) = (worker.ProcessId, worker.Facts.Release.ReleaseId);
        await Eventually.IsSoAsync(async () => await ScoresAsync(worker) && worker.Facts.Release.ReleaseId != release);   // it renewed through this side
        line.IsCut = true;
        await Eventually.IsSoAsync(async () => await Record.ExceptionAsync(() => ScoresAsync(worker, swallow: false)) is LeaseEndedException);
        await Eventually.IsSoAsync(() => !Directory.Exists($"/proc/{first}"));
        line.IsCut = false;
        await Eventually.IsSoAsync(() => ScoresAsync(worker));
        Assert.NotEqual(first, worker.ProcessId);
    }

    [Fact]
    public async Task A_process_that_is_started_anew_serves_the_first_ones_package_and_no_other()
    {
        var other = World.PackagePath + ".other";
        var replaced = (await FraudModel.SealAsync(World.Keys, other, GatewayWorld.Cancel)).PackageDigest;   // of the same publisher, allowed by the same policy
        var path = World.PackagePath;
        var decided = new System.Collections.Concurrent.ConcurrentBag<KeyReleaseRecord>();
        var broker = Broker(World.EvidencePolicy with { Models = [World.Package, replaced] }, () => path, decided.Add);
        await using var worker = await WorkerProcess.StartAsync(Start() with { Broker = broker, Package = () => File.OpenRead(path) }, GatewayWorld.Cancel);
        path = other;
        using (var process = Process.GetProcessById(worker.ProcessId))
            process.Kill();

        Exception? failure = null;
        await Eventually.IsSoAsync(async () => (failure = await Record.ExceptionAsync(() => ScoresAsync(worker, swallow: false)))?.Message.Contains($"{replaced}", StringComparison.Ordinal) == true);
        Assert.Contains($"{World.Package}", failure!.Message, StringComparison.Ordinal);
        Assert.Equal(0, worker.Restarts);
        Assert.All(decided, one => Assert.Equal(World.Package, one.Model));   // no key of the other one was asked for
        path = World.PackagePath;
        await Eventually.IsSoAsync(() => ScoresAsync(worker));
        Assert.Equal((1, World.Package), (worker.Restarts, worker.Facts.Model.Package));
    }

    [Fact]
    public async Task Its_memory_is_closed_to_others_of_the_same_user()
    {
        await using var worker = await StartAsync();
        using var ordinary = Process.Start(WithoutTracing("sleep", "600"))!;
        try
        {
            await Eventually.IsSoAsync(async () => (await File.ReadAllTextAsync($"/proc/{ordinary.Id}/comm", GatewayWorld.Cancel)).Trim() == "sleep");   // before that it is setpriv, with its rights
            Assert.Equal(0, await LookAsync(ordinary.Id));
            Assert.NotEqual(0, await LookAsync(worker.ProcessId));
        }
        finally
        {
            ordinary.Kill();
            await ordinary.WaitForExitAsync(GatewayWorld.Cancel);
        }
    }

    [Fact]
    public async Task A_worker_that_is_killed_with_a_lease_open_takes_its_keys_along_and_another_is_started_meanwhile_requests_are_503()
    {
        await using var host = await World.StartAsync(World.Options with { SeparateWorker = true });
        using var client = World.Payments(host);
        Assert.True((await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow))).IsSuccessStatusCode);
        var (killed, key) = (host.WorkerProcessId!.Value, host.Worker.ReceiptKey);
        using (var process = Process.GetProcessById(killed))
        {
            process.Kill();
            await process.WaitForExitAsync(GatewayWorld.Cancel);
        }

        await Eventually.IsSoAsync(async () =>
        {
            var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
            if (!response.IsSuccessStatusCode)
            {
                Assert.Equal(503, (int)response.StatusCode);
                Assert.StartsWith("worker-unavailable", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
            }

            return response.IsSuccessStatusCode;
        });
        Assert.NotEqual(killed, host.WorkerProcessId);
        Assert.NotEqual(key, host.Worker.ReceiptKey);
        Assert.Contains("bulwark_worker_restarts 1", await GatewayWorld.MetricsAsync(host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_keeps_a_worker_inside_from_starting_keeps_a_separate_one_too()
    {
        var options = World.Options with { SeparateWorker = true };
        await Assert.ThrowsAsync<KeyRefusedException>(() => World.StartAsync(options with { EvidencePolicy = World.EvidencePolicy with { Measurements = [Digest.Of("other"u8)] } }));
        await Assert.ThrowsAnyAsync<CryptographicException>(() => StartAsync(publisher: World.Keys.PublicKey("log")));
    }

    private Task<WorkerProcess> StartAsync(VerificationKey? publisher = null) => WorkerProcess.StartAsync(Start(publisher), GatewayWorld.Cancel);

    private WorkerStart Start(VerificationKey? publisher = null) => new(() => File.OpenRead(World.PackagePath), [publisher ?? World.Keys.PublicKey("signing")],
        new SimulatedEvidenceSource(World.DevelopmentKey, WorkerClosure.Measure(), TimeProvider.System), Broker(World.EvidencePolicy), InsecureSandbox: true);

    private KeyBroker Broker(EvidencePolicy policy, Func<string>? path = null, Action<KeyReleaseRecord>? decided = null) => new(policy, async (_, cancel) =>
    {
        await using var stream = File.OpenRead(path?.Invoke() ?? World.PackagePath);
        return (await Models.SealedModel.UnwrapDataKeyAsync(stream, World.Keys, [World.Keys.PublicKey("signing")], cancel)).DataKey;
    }, (record, _) =>
    {
        decided?.Invoke(record);
        return ValueTask.CompletedTask;
    }, TimeProvider.System);

    private async Task<bool> ScoresAsync(WorkerProcess worker, bool swallow = true)
    {
        try
        {
            return (await worker.AnswerAsync(new WorkerRequest("{}"u8.ToArray(), GatewayWorld.GoodRow, 1, null, World.Package), GatewayWorld.Cancel)).Verdict.IsAccepted;
        }
        catch (IOException) when (swallow)
        {
            return false;
        }
    }

    /// <summary>A broker that can be cut off, as by a broken line.</summary>
    private sealed class CutBroker(IKeyBroker broker) : IKeyBroker
    {
        internal volatile bool IsCut;

        public ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel) =>
            IsCut ? throw new HttpRequestException("The line is cut.") : broker.ChallengeAsync(introduction, cancel);

        public ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel) => broker.ReleaseAsync(evidence, renews, cancel);
    }

    /// <summary>Opens another process's memory, as a debugger of the same user would: without the right to trace everybody.</summary>
    private static async Task<int> LookAsync(int process)
    {
        var start = WithoutTracing("dd", "count=0", "of=/dev/null", $"if=/proc/{process}/mem");
        start.RedirectStandardError = start.RedirectStandardOutput = true;
        using var look = Process.Start(start)!;
        await look.WaitForExitAsync(GatewayWorld.Cancel);
        return look.ExitCode;
    }

    private static ProcessStartInfo WithoutTracing(string program, params string[] arguments) => Environment.UserName == "root"
        ? new("setpriv", ["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", program, .. arguments])
        : new(program, arguments);
}
