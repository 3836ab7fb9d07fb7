using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

/// <summary>The journal: what a crash leaves of a batch is cut off, what was promised never, and what someone changed is named.</summary>
public sealed class FileLogStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _signer = Signer.Generate();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Journal => Directory.GetFiles(_folder["log/journal"], "*.journal").Order(StringComparer.Ordinal).Last();

    public void Dispose()
    {
        _signer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_batch_cut_at_any_byte_was_never_promised_and_the_next_takes_its_place()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using (var store = new FileLogStore(_folder["log"], 0))
            await store.AppendAsync([Entry(0), Entry(1)], Cancel);
        var whole = await File.ReadAllBytesAsync(Journal, Cancel);
        await using (var store = new FileLogStore(_folder["log"], 0))
            Assert.Equal(2, await store.AppendAsync([Entry(2), Entry(3)], Cancel));
        var longer = await File.ReadAllBytesAsync(Journal, Cancel);
        for (var length = whole.Length; length <= longer.Length; length++)
        {
            await File.WriteAllBytesAsync(Journal, longer.AsMemory(0, length), Cancel);
            await using var store = new FileLogStore(_folder["log"], 2);
            var expected = length == longer.Length ? 4 : 2;
            Assert.Equal(expected, await store.CountAsync(Cancel));
            Assert.Equal(expected, await store.AppendAsync([Entry(9)], Cancel));
            Assert.Equal(Entry(9).ToArray(), (await store.ReadAsync(expected, 10, Cancel)).Single().ToArray());
        }
    }

    [Fact]
    public async Task Zeros_behind_the_last_batch_are_what_a_power_cut_leaves()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using (var store = new FileLogStore(_folder["log"], 0))
            await store.AppendAsync([Entry(0)], Cancel);
        await File.AppendAllBytesAsync(Journal, new byte[200], Cancel);
        await using var again = new FileLogStore(_folder["log"], 0);
        Assert.Equal(1, await again.AppendAsync([Entry(1)], Cancel));
    }

    [Fact]
    public async Task A_batch_that_others_follow_was_promised_so_damage_to_it_stops_the_log()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using (var store = new FileLogStore(_folder["log"], 0))
        {
            await store.AppendAsync([Entry(0)], Cancel);
            await store.AppendAsync([Entry(1)], Cancel);
        }

        var bytes = await File.ReadAllBytesAsync(Journal, Cancel);
        bytes[JournalRecord.HeadBytes + 3] ^= 1;
        await File.WriteAllBytesAsync(Journal, bytes, Cancel);
        await using var again = new FileLogStore(_folder["log"], 0);
        Assert.Contains("damaged at byte 0", (await Assert.ThrowsAsync<InvalidDataException>(async () => await again.AppendAsync([Entry(2)], Cancel))).Message);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Journal, Cancel));   // evidence stays
    }

    [Fact]
    public async Task The_journal_begins_anew_when_large_and_forgets_what_is_settled()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using var store = new FileLogStore(_folder["log"], 0) { RotateAboveBytes = 1000 };
        for (var i = 0; i < 100; i++)
            Assert.Equal(i, await store.AppendAsync([Entry(i)], Cancel));
        Assert.True(Directory.GetFiles(_folder["log/journal"]).Length > 3);
        await store.ForgetAsync(50, Cancel);
        var first = await store.FirstAsync(Cancel);
        Assert.InRange(first, 1, 50);
        Assert.Equal(100 - first, (await store.ReadAsync(first, 1000, Cancel)).Count);
        await using var again = new FileLogStore(_folder["log"], 0) { RotateAboveBytes = 1000 };
        Assert.Equal(100, await again.AppendAsync([Entry(100)], Cancel));
        Assert.Equal(Entry(77).ToArray(), (await again.ReadAsync(77, 1, Cancel)).Single().ToArray());
    }

    [Fact]
    public async Task A_writer_whose_file_another_has_left_goes_on_behind_the_others_entries()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using var one = new FileLogStore(_folder["log"], 0) { RotateAboveBytes = 200 };
        await using var other = new FileLogStore(_folder["log"], 0) { RotateAboveBytes = 200 };
        await one.AppendAsync([Entry(0)], Cancel);
        await other.AppendAsync([new byte[300]], Cancel);
        Assert.Equal(2, await other.AppendAsync([Entry(2)], Cancel));   // in a new file
        Assert.Equal(3, await one.AppendAsync([Entry(3)], Cancel));
        await using var reader = new FileLogStore(_folder["log"], 0);
        var read = await reader.ReadAsync(0, 10, Cancel);
        Assert.Equal([Entry(2).ToArray(), Entry(3).ToArray()], read.Skip(2).Select(entry => entry.ToArray()));
    }

    [Fact]
    public async Task A_gap_is_never_read_over()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using (var store = new FileLogStore(_folder["log"], 0) { RotateAboveBytes = 200 })
        {
            for (var i = 0; i < 12; i++)
                await store.AppendAsync([Entry(i)], Cancel);
        }

        var oldest = Directory.GetFiles(_folder["log/journal"], "*.journal").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(oldest, Cancel);
        bytes[JournalRecord.HeadBytes + 2 + Entry(0).Length] ^= 1;   // the second head
        await File.WriteAllBytesAsync(oldest, bytes, Cancel);
        await using var again = new FileLogStore(_folder["log"], 0);
        Assert.Contains("lacks entry 1", (await Assert.ThrowsAsync<InvalidDataException>(async () => await again.ReadAsync(0, 100, Cancel))).Message);
    }

    [Fact]
    public async Task A_changed_length_deletes_nothing()
    {
        Directory.CreateDirectory(_folder["log"]);
        await using (var store = new FileLogStore(_folder["log"], 0))
        {
            await store.AppendAsync([Entry(0)], Cancel);
            await store.AppendAsync([Entry(1)], Cancel);
        }

        var bytes = await File.ReadAllBytesAsync(Journal, Cancel);
        bytes[5] = 0x7f;   // the first record's length: beyond the file
        await File.WriteAllBytesAsync(Journal, bytes, Cancel);
        await using (var again = new FileLogStore(_folder["log"], 0))
            Assert.Contains("whole batches follow", (await Assert.ThrowsAsync<InvalidDataException>(async () => await again.AppendAsync([Entry(2)], Cancel))).Message);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Journal, Cancel));

        var alone = bytes[..(JournalRecord.HeadBytes + 2 + Entry(0).Length)];
        await File.WriteAllBytesAsync(Journal, alone, Cancel);
        await using (var again = new FileLogStore(_folder["log"], 0))
            Assert.Equal(0, await again.AppendAsync([Entry(2)], Cancel));
        Assert.Equal(alone, await File.ReadAllBytesAsync(Directory.GetFiles(_folder["log/journal"], "*.torn").Single(), Cancel));
    }

    [Fact]
    public async Task An_older_checkpoint_is_not_gone_on_from()
    {
        byte[] older;
        await using (var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example/older", _signer, Cancel))
        {
            await log.AppendManyAsync([.. Enumerable.Range(0, 100).Select(Entry)], Cancel);
            await log.FlushAsync(Cancel);
            older = await File.ReadAllBytesAsync(_folder["log/checkpoint"], Cancel);
            await log.AppendManyAsync([.. Enumerable.Range(100, 900).Select(Entry)], Cancel);
        }

        await File.WriteAllBytesAsync(_folder["log/checkpoint"], older, Cancel);
        await File.WriteAllTextAsync(_folder["log/settled"], """{"Size":1000,"Boot":null}""", Cancel);
        await using var again = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        Assert.Contains("older checkpoint", (await Assert.ThrowsAsync<InvalidDataException>(async () => await again.AppendAsync(Entry(1000), Cancel))).Message);
    }

    [Fact]
    public void A_whole_tile_is_not_replaced_by_another()
    {
        Directory.CreateDirectory(_folder["log"]);
        var files = new TileStore(_folder["log"]);
        byte[] one = [.. Enumerable.Repeat((byte)1, 8192)], other = [.. Enumerable.Repeat((byte)2, 8192)];
        files.WriteNew("tile/0/000", one);
        files.WriteNew("tile/0/000", one);
        Assert.Throws<InvalidDataException>(() => files.WriteNew("tile/0/000", other));
        files.WriteNew("tile/0/000", other, replace: true);
        files.WriteNew("tile/0/001", []);
        files.WriteNew("tile/0/001", one);   // a power cut left it empty
    }

    [Theory]
    [InlineData("older")]
    [InlineData("cut")]
    [InlineData("changed")]
    [InlineData("gone and begun again")]
    public async Task A_stale_or_changed_journal_is_named_and_takes_no_entry(string done)
    {
        byte[] older;
        await using (var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example/journal", _signer, Cancel))
        {
            await log.AppendManyAsync([.. Enumerable.Range(0, 10).Select(Entry)], Cancel);
            older = await File.ReadAllBytesAsync(Journal, Cancel);
            await log.AppendManyAsync([.. Enumerable.Range(10, 10).Select(Entry)], Cancel);
        }

        var bytes = await File.ReadAllBytesAsync(Journal, Cancel);
        switch (done)
        {
            case "older":
                await File.WriteAllBytesAsync(Journal, older, Cancel);
                break;
            case "cut":
                await File.WriteAllBytesAsync(Journal, bytes.AsMemory(0, bytes.Length - 1), Cancel);
                break;
            case "changed":
                await RewriteAsync([.. Enumerable.Range(0, 19).Select(Entry), Entry(99)]);
                break;
            default:
                await RewriteAsync([Entry(0)]);
                break;
        }

        await using var again = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await again.AppendAsync(Entry(20), Cancel));
        var report = await (await TransparencyLog.OpenAsync(_folder["log"])).VerifyAsync(cancel: Cancel);
        Assert.Equal(done == "changed" ? LogVerdict.StoreDiffers : LogVerdict.StoreRolledBack, report.Verdict);
        if (done == "changed")
            Assert.Contains("Entry 19 ", report.Detail);
    }

    [Fact]
    public async Task A_store_that_gives_a_promised_place_again_closes_the_log()
    {
        await using var store = new ForgetfulStore();
        await using var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example/fails-over", _signer, store, Cancel);
        await log.AppendManyAsync([.. Enumerable.Range(0, 300).Select(Entry)], Cancel);
        await log.FlushAsync(Cancel);
        store.Entries.RemoveRange(200, 100);   // a replica that lacked the last commits took over
        Assert.Contains("rolled back", (await Assert.ThrowsAsync<InvalidDataException>(async () => await log.AppendAsync(Entry(300), Cancel))).Message);
        store.Entries.AddRange([.. Enumerable.Range(0, 200).Select(Entry)]);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await log.AppendAsync(Entry(301), Cancel));
        Assert.Equal(300, log.Size);
    }

    private sealed class ForgetfulStore : ILogStore
    {
        public List<ReadOnlyMemory<byte>> Entries { get; } = [];

        public string Name => "memory";

        public ValueTask<long> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default)
        {
            Entries.AddRange(entries);
            return new(Entries.Count - entries.Count);
        }

        public ValueTask<long> CountAsync(CancellationToken cancel = default) => new(Entries.Count);

        public ValueTask<long> FirstAsync(CancellationToken cancel = default) => new(0);

        public ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(long first, int count, CancellationToken cancel = default) => new([.. Entries.Skip((int)first).Take(count)]);

        public ValueTask ForgetAsync(long size, CancellationToken cancel = default) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Tiles_lost_with_the_power_are_rendered_again_from_the_journal()
    {
        await using (var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example/power", _signer, Cancel))
            await log.AppendManyAsync([.. Enumerable.Range(0, 1000).Select(Entry)], Cancel);
        // Another running of the machine; files that were not flushed are empty or gone.
        await File.WriteAllTextAsync(_folder["log/settled"], """{"Size":0,"Boot":"another"}""", Cancel);
        foreach (var file in Directory.EnumerateFiles(_folder["log/tile"], "*", SearchOption.AllDirectories).Where((_, i) => i % 2 == 0).ToArray())
            await File.WriteAllBytesAsync(file, [], Cancel);
        await using var again = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        Assert.Equal(1000, (await again.AppendAsync(Entry(1000), Cancel)).Index);
        Assert.Equal(LogVerdict.Verified, again.Fsck());
    }

    [Fact]
    public async Task Fsck_repairs_what_the_entries_still_give_and_says_what_they_do_not()
    {
        await using (var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example/repair", _signer, Cancel))
            await log.AppendManyAsync([.. Enumerable.Range(0, 1000).Select(Entry)], Cancel);
        File.Delete(_folder["log/tile/0/001"]);
        await File.WriteAllBytesAsync(_folder["log/tile/entries/002"], [1, 2, 3], Cancel);
        await using var reader = await TransparencyLog.OpenAsync(_folder["log"]);
        Assert.Equal(LogVerdict.Incomplete, reader.Fsck());
        var (report, mended, quarantine) = await reader.RepairAsync(cancel: Cancel);
        Assert.Equal((LogVerdict.Verified, 2), (report.Verdict, mended));
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(Path.Combine(quarantine!, "tile/entries/002"), Cancel));
        Directory.Delete(_folder["log/journal"], recursive: true);
        await File.WriteAllBytesAsync(_folder["log/tile/entries/002"], [1, 2, 3], Cancel);
        (report, mended, quarantine) = await reader.RepairAsync(cancel: Cancel);
        Assert.Equal((LogVerdict.Incomplete, 0, null), (report.Verdict, mended, quarantine));
    }

    [Fact]
    public async Task What_someone_waits_for_is_in_the_tree_at_once_and_the_rest_within_a_second()
    {
        await using var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example/follows", _signer, Cancel);
        var given = await log.AppendAsync(Entry(0), Cancel);
        for (var waited = 0; log.Size == 0 && waited < 200; waited++)
            await Task.Delay(50, Cancel);   // half a second by itself; patience for a busy machine
        Assert.Equal(1, log.Size);
        Assert.Equal(MerkleTree.LeafHash(Entry(0).Span), given.LeafHash);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.IntegratedAsync(1, Cancel));
    }

    private async Task RewriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var record = new byte[JournalRecord.SizeOf(entries)];
        JournalRecord.Write(record, 0, entries);
        await File.WriteAllBytesAsync(Journal, record, Cancel);
    }

    private static ReadOnlyMemory<byte> Entry(int index) => Encoding.UTF8.GetBytes($"entry {index}");
}
