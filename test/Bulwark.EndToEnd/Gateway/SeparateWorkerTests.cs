using System.Diagnostics;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Worker;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>The worker in a process of its own: what it cannot do, and what becomes of requests when it dies.</summary>
public sealed class SeparateWorkerTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await GatewayWorld.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _world.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_separate_worker_scores_as_one_inside_and_takes_sealed_requests()
    {
        await using var host = await _world.StartAsync(_world.Options with { SeparateWorker = true });
        using var plain = _world.Payments(host);
        var response = await GatewayWorld.InferAsync(plain, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(GatewayWorld.Cancel));
        using var client = new BulwarkClient(new()
        {
            Gateway = host.BaseAddress, Model = "fraud", Policy = _world.EvidencePolicy, Log = _world.Keys.PublicKey("log"), Brokers = [_world.Keys.PublicKey("signing")],
            Authorities = [_world.Identity.LoadAuthority()], Certificate = _world.Identity.LoadClient("payments"), Token = _world.Identity.LoadToken("payments"),
        });
        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel)));
        Assert.All(all, scores => Assert.Equal(all[0], scores));
        Assert.Contains("\"data\":[" + all[0][0].ToString("R", System.Globalization.CultureInfo.InvariantCulture), await response.Content.ReadAsStringAsync(GatewayWorld.Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_it_has_shut_itself_in_it_opens_no_file_and_no_socket_and_leaves_no_core()
    {
        await using var worker = await StartAsync();
        var walls = worker.Facts.Sandbox;
        Assert.Contains("no new privileges", walls, StringComparison.Ordinal);
        Assert.Contains("no core dumps", walls, StringComparison.Ordinal);
        Assert.Contains("not dumpable", walls, StringComparison.Ordinal);
        if (walls.Contains("Landlock ", StringComparison.Ordinal) && !walls.Contains("no Landlock", StringComparison.Ordinal))
            Assert.Contains("file refused, new file refused", walls, StringComparison.Ordinal);
        if (!walls.Contains("no seccomp", StringComparison.Ordinal))
            Assert.Contains("socket refused, local socket refused", walls, StringComparison.Ordinal);
        var status = await File.ReadAllTextAsync($"/proc/{worker.ProcessId}/status", GatewayWorld.Cancel);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        Assert.Contains("Max core file size        0                    0", await File.ReadAllTextAsync($"/proc/{worker.ProcessId}/limits", GatewayWorld.Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_memory_is_closed_to_others_of_the_same_user()
    {
        await using var worker = await StartAsync();
        using var ordinary = Process.Start(WithoutTracing("sleep", "600"))!;
        try
        {
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
    public async Task A_worker_that_is_killed_with_a_lease_open_answers_nothing_more_and_takes_its_keys_along()
    {
        await using var host = await _world.StartAsync(_world.Options with { SeparateWorker = true });
        using var client = _world.Payments(host);
        Assert.True((await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow))).IsSuccessStatusCode);
        using (var process = Process.GetProcessById(host.WorkerProcessId!.Value))
        {
            process.Kill();
            await process.WaitForExitAsync(GatewayWorld.Cancel);
        }

        var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(503, (int)response.StatusCode);
        Assert.StartsWith("worker-unavailable", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_keeps_a_worker_inside_from_starting_keeps_a_separate_one_too()
    {
        var options = _world.Options with { SeparateWorker = true };
        await Assert.ThrowsAsync<KeyRefusedException>(() => _world.StartAsync(options with { EvidencePolicy = _world.EvidencePolicy with { Measurements = [Digest.Of("other"u8)] } }));
        await Assert.ThrowsAnyAsync<CryptographicException>(() => StartAsync(publisher: _world.Keys.PublicKey("log")));
    }

    private async Task<WorkerProcess> StartAsync(VerificationKey? publisher = null)
    {
        var package = await File.ReadAllBytesAsync(_world.PackagePath, GatewayWorld.Cancel);
        var source = new SimulatedEvidenceSource(_world.DevelopmentKey, WorkerClosure.Measure(), TimeProvider.System);
        var broker = new KeyBroker(_world.EvidencePolicy, async (_, cancel) =>
        {
            using var stream = new MemoryStream(package);
            return (await Models.SealedModel.UnwrapDataKeyAsync(stream, _world.Keys, [_world.Keys.PublicKey("signing")], cancel)).DataKey;
        }, (_, _) => ValueTask.CompletedTask, TimeProvider.System);
        return await WorkerProcess.StartAsync(new MemoryStream(package), [publisher ?? _world.Keys.PublicKey("signing")], source, broker, GatewayWorld.Cancel);
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
