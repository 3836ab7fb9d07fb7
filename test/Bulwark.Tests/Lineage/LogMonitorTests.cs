using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;

namespace Bulwark.Tests.Lineage;

/// <summary>A log on a web server as strangers see it: what the server gives, and what a monitor finds.</summary>
public sealed class LogMonitorTests : IDisposable
{
    private const string Origin = "log.example/followed";
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _key = Signer.Generate();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_remote_log_is_followed_entry_by_entry()
    {
        await using var log = await LogAsync(300);
        await using var host = await LogHost.StartAsync(_folder["log"], 0, cancel: Cancel);
        using var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.GZip });
        var monitor = LogMonitor.OfServer(host.BaseAddress, log.NoteKey, _folder["m"], http);
        Assert.Equal(LogVerdict.Verified, (await monitor.LookAsync(cancel: Cancel)).Verdict);
        await AppendAsync(log, 300, 5);
        await AppendAsync(log, 305, 700);
        var found = await LogMonitor.OfServer(host.BaseAddress, log.NoteKey, _folder["m"], http).LookAsync(cancel: Cancel);
        Assert.Equal((LogVerdict.Verified, 300L, 1005L), (found.Verdict, found.Remembered, found.Size));
        var remote = TransparencyLog.OpenRemote(host.BaseAddress, _key.PublicKey, http);
        Assert.Equal(LogVerdict.Verified, remote.Fsck());
        Assert.Equal(LogVerdict.Verified, remote.ProofFor(301).Verify(Entry(301).Span, _key.PublicKey));
        Assert.Throws<InvalidDataException>(() => TransparencyLog.OpenRemote(host.BaseAddress, Signer.Generate().PublicKey, http));
    }

    [Fact]
    public async Task A_server_gives_the_logs_files_with_their_types_and_nothing_else()
    {
        await using var log = await LogAsync(300);
        await using var host = await LogHost.StartAsync(_folder["log"], 0, cancel: Cancel);
        using var http = new HttpClient { BaseAddress = host.BaseAddress };
        using var checkpoint = await http.GetAsync("checkpoint", Cancel);
        Assert.Equal("text/plain; charset=utf-8", checkpoint.Content.Headers.ContentType!.ToString());
        Assert.True(checkpoint.Headers.CacheControl!.NoCache);
        foreach (var path in (string[])["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"])
        {
            using var tile = await http.GetAsync(path, Cancel);
            Assert.Equal("application/octet-stream", tile.Content.Headers.ContentType!.ToString());
            Assert.Contains("immutable", tile.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.Equal(await File.ReadAllBytesAsync(_folder[$"log/{path}"], Cancel), await tile.Content.ReadAsByteArrayAsync(Cancel));
        }

        foreach (var path in (string[])["journal", "journal/00000000000000000000.journal", "log.vkey", "settled", "render.lock", "tile/0/001", "tile/00/000", "tile/0/../../settled", "tile/0/%2e%2e/%2e%2e/settled", "tile/64/000", "", "tile"])
        {
            using var refused = await http.GetAsync(path, Cancel);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, refused.StatusCode);
        }
    }

    [Theory]
    [InlineData("rolled back", LogVerdict.NotAppendOnly)]
    [InlineData("split", LogVerdict.SplitView)]
    [InlineData("forked", LogVerdict.NotAppendOnly)]
    [InlineData("entry", LogVerdict.EntriesDiffer)]
    [InlineData("dropped tile", LogVerdict.Incomplete)]
    [InlineData("other key", LogVerdict.WrongSignature)]
    [InlineData("no checkpoint", LogVerdict.Malformed)]
    public async Task What_a_monitor_finds_it_names(string done, LogVerdict expected)
    {
        await using var log = await LogAsync(300);
        var monitor = LogMonitor.OfFolder(_folder["shown"], log.NoteKey, _folder["m"]);
        Show("log");
        Assert.Equal(LogVerdict.Verified, (await monitor.LookAsync(cancel: Cancel)).Verdict);
        switch (done)
        {
            case "rolled back":
                await LogAsync(100, "other");
                Show("other");
                break;
            case "split":
                await LogAsync(300, "other", 5000);
                Show("other");
                break;
            case "forked":
                await LogAsync(400, "other", 5000);
                Show("other");
                break;
            case "entry":
                await AppendAsync(log, 300, 10);
                Show("log");
                var bundle = await File.ReadAllBytesAsync(_folder["shown/tile/entries/001.p/54"], Cancel);
                bundle[^1] ^= 1;
                await File.WriteAllBytesAsync(_folder["shown/tile/entries/001.p/54"], bundle, Cancel);
                break;
            case "dropped tile":
                await AppendAsync(log, 300, 10);
                Show("log");
                File.Delete(_folder["shown/tile/entries/001.p/54"]);
                break;
            case "other key":
                using (var other = Signer.Generate())
                    await File.WriteAllTextAsync(_folder["shown/checkpoint"], log.Checkpoint.Signed(other).Note!.Note, Cancel);
                break;
            default:
                await File.WriteAllTextAsync(_folder["shown/checkpoint"], "hello", Cancel);
                break;
        }

        var found = await monitor.LookAsync(cancel: Cancel);
        Assert.Equal(expected, found.Verdict);
        Assert.Equal(300, monitor.Remembered!.Size);   // what was verified stays what is remembered
        if (done is "rolled back" or "split" or "forked")
            Assert.Contains(monitor.Remembered.Note!.Note, await File.ReadAllTextAsync(found.Evidence!, Cancel));
    }

    [Fact]
    public async Task A_checkpoint_that_others_were_shown_is_held_against_the_log()
    {
        await using var log = await LogAsync(300);
        var earlier = log.Checkpoint;
        await AppendAsync(log, 300, 10);
        var monitor = LogMonitor.OfFolder(_folder["log"], log.NoteKey, _folder["m"]);
        Assert.Equal(LogVerdict.Unverified, (await monitor.CompareAsync(earlier, Cancel)).Verdict);
        await monitor.LookAsync(cancel: Cancel);
        Assert.Equal(LogVerdict.Verified, (await monitor.CompareAsync(earlier, Cancel)).Verdict);
        await using var other = await LogAsync(300, "other", 5000);
        var split = await monitor.CompareAsync(other.Checkpoint, Cancel);
        Assert.Equal(LogVerdict.SplitView, split.Verdict);
        Assert.True(File.Exists(split.Evidence));
        await AppendAsync(other, 9000, 10);
        Assert.Equal(LogVerdict.SplitView, (await monitor.CompareAsync(other.Checkpoint, Cancel)).Verdict);   // of one size
        await AppendAsync(other, 9100, 10);
        Assert.Equal(LogVerdict.NotAppendOnly, (await monitor.CompareAsync(other.Checkpoint, Cancel)).Verdict);   // more than is shown here
    }

    [Fact]
    public async Task Tiles_that_give_the_older_root_alone_do_not_hide_a_fork()
    {
        await using var real = await LogAsync(300, "real");
        await using var fork = await LogAsync(600, "fork", 5000);
        Show("real");
        var monitor = LogMonitor.OfFolder(_folder["shown"], real.NoteKey, _folder["m"]);
        Assert.Equal(LogVerdict.Verified, (await monitor.LookAsync(cancel: Cancel)).Verdict);
        var follower = await TransparencyLog.OpenAsync(_folder["shown"], trustedKey: _key.PublicKey);
        Show("fork");
        Assert.NotEqual(LogVerdict.Verified, (await monitor.CompareAsync(fork.Checkpoint, Cancel)).Verdict);   // what is shown is what was shown elsewhere, and not what was verified
        foreach (var path in (string[])["tile/0/000", "tile/entries/000"])
            File.Copy(_folder["real/" + path], _folder["shown/" + path], overwrite: true);
        File.Copy(_folder["real/tile/0/001.p/44"], _folder["shown/tile/0/001"], overwrite: true);
        var bytes = await File.ReadAllBytesAsync(_folder["shown/tile/1/000.p/2"], Cancel);
        (await File.ReadAllBytesAsync(_folder["real/tile/1/000.p/1"], Cancel)).CopyTo(bytes, 0);
        await File.WriteAllBytesAsync(_folder["shown/tile/1/000.p/2"], bytes, Cancel);
        await File.WriteAllBytesAsync(_folder["shown/tile/0/001"], [.. await File.ReadAllBytesAsync(_folder["real/tile/0/001.p/44"], Cancel), .. (await File.ReadAllBytesAsync(_folder["fork/tile/0/001"], Cancel))[(44 * 32)..]], Cancel);
        var doctored = await TransparencyLog.OpenAsync(_folder["shown"], trustedKey: _key.PublicKey);
        Assert.Equal(real.Checkpoint.Root, doctored.RootAt(300));   // so the older root alone proves nothing
        Assert.False(doctored.Continues(real.Checkpoint, doctored.Checkpoint));
        Assert.Throws<InvalidDataException>(follower.Refresh);
    }

    [Fact]
    public async Task A_monitor_with_a_policy_misses_the_witnesses()
    {
        using var witness = Signer.Generate();
        await using var log = await LogAsync(3);
        var policy = LogPolicy.Parse(Encoding.UTF8.GetBytes($"log {log.NoteKey}\nwitness w {new NoteKey("w", witness.PublicKey, NoteKeyKind.Cosignature)}\nquorum w\n"));
        var monitor = LogMonitor.OfFolder(_folder["log"], log.NoteKey, _folder["m"], policy);
        Assert.Equal(LogVerdict.QuorumMissing, (await monitor.LookAsync(cancel: Cancel)).Verdict);
        await log.AddCosignaturesAsync(log.Checkpoint with { Note = log.Checkpoint.Note!.Cosigned("w", witness, DateTimeOffset.UtcNow) }, [policy.Witnesses[0].Key!], Cancel);
        Assert.Equal(LogVerdict.Verified, (await monitor.LookAsync(cancel: Cancel)).Verdict);
    }

    [Fact]
    public async Task A_fork_that_no_witness_signed_is_a_fork_first_of_all()
    {
        using var witness = Signer.Generate();
        await using var log = await LogAsync(300);
        var monitor = LogMonitor.OfFolder(_folder["shown"], log.NoteKey, _folder["m"]);
        Show("log");
        Assert.Equal(LogVerdict.Verified, (await monitor.LookAsync(cancel: Cancel)).Verdict);
        await LogAsync(400, "other", 5000);
        Show("other");
        var policy = LogPolicy.Parse(Encoding.UTF8.GetBytes($"log {log.NoteKey}\nwitness w {new NoteKey("w", witness.PublicKey, NoteKeyKind.Cosignature)}\nquorum w\n"));
        var found = await LogMonitor.OfFolder(_folder["shown"], log.NoteKey, _folder["m"], policy).LookAsync(cancel: Cancel);
        Assert.Equal(LogVerdict.NotAppendOnly, found.Verdict);
        Assert.True(File.Exists(found.Evidence));
    }

    [Fact]
    public async Task A_server_that_forks_again_and_again_fills_no_disk()
    {
        await using var log = await LogAsync(3);
        Show("log");
        var monitor = LogMonitor.OfFolder(_folder["shown"], log.NoteKey, _folder["m"]);
        Assert.Equal(LogVerdict.Verified, (await monitor.LookAsync(cancel: Cancel)).Verdict);
        for (var i = 0; i < LogMonitor.MaximumEvidence; i++)
            await File.WriteAllTextAsync(_folder[$"m/evidence-{i}.txt"], "kept", Cancel);
        await LogAsync(4, "other", 5000);
        Show("other");
        var found = await monitor.LookAsync(cancel: Cancel);
        Assert.Equal((LogVerdict.NotAppendOnly, null), (found.Verdict, found.Evidence));
        Assert.Equal(LogMonitor.MaximumEvidence, Directory.GetFiles(_folder["m"], "evidence-*").Length);
    }

    private async Task<TransparencyLog> LogAsync(int count, string name = "log", int from = 0)
    {
        var log = await TransparencyLog.CreateAsync(_folder[name], Origin, _key, Cancel);
        await AppendAsync(log, from, count);
        return log;
    }

    private void Show(string name)
    {
        if (Directory.Exists(_folder["shown"]))
            Directory.Delete(_folder["shown"], recursive: true);
        foreach (var file in Directory.EnumerateFiles(_folder[name], "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(_folder["shown"], Path.GetRelativePath(_folder[name], file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static async Task AppendAsync(TransparencyLog log, int from, int count)
    {
        await log.AppendManyAsync([.. Enumerable.Range(from, count).Select(Entry)], Cancel);
        await log.FlushAsync(Cancel);
    }

    private static ReadOnlyMemory<byte> Entry(int index) => Encoding.UTF8.GetBytes($"entry {index}");
}
