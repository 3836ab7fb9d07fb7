using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class TransparencyLogTests : IDisposable
{
    private const string Origin = "log.example/bulwark";
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _signer = Signer.Generate();

    public void Dispose()
    {
        _signer.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    public async Task Every_entry_is_read_proved_and_checked_again(int count)
    {
        var log = await CreateAsync(count);
        Assert.Equal(count, log.Size);
        Assert.Equal(LogVerdict.Verified, log.Fsck());
        Assert.Equal(MerkleTree.Root(Enumerable.Range(0, count).Select(i => MerkleTree.LeafHash(Entry(i)))), log.Checkpoint.Root);
        foreach (var index in Enumerable.Range(0, count).Where(i => i % 97 == 0 || i == count - 1))
        {
            Assert.Equal(Entry(index), log.ReadEntry(index).ToArray());
            Assert.True(log.ProveInclusion(index).Verify(Entry(index), log.Checkpoint.Root));
            var proof = TlogProof.Parse(log.ProofFor(index).Format());
            Assert.Equal(LogVerdict.Verified, proof.Verify(Entry(index), _signer.PublicKey));
        }
    }

    [Fact]
    public async Task Growing_one_by_one_gives_what_growing_at_once_gives()
    {
        var log = await CreateAsync(0);
        for (var i = 0; i < 300; i++)
            Assert.Equal(i, (await log.AppendAsync(Entry(i), TestContext.Current.CancellationToken)).Index);
        Assert.Equal(LogVerdict.Verified, log.Fsck());
        Assert.Equal(300, log.Size);
        Assert.Equal(MerkleTree.Root(Enumerable.Range(0, 300).Select(i => MerkleTree.LeafHash(Entry(i)))), log.Checkpoint.Root);
        Assert.True(log.ProveConsistency(100, 300).Verify(log.RootAt(100), log.RootAt(300)));
        Assert.False(log.ProveConsistency(100, 300).Verify(log.RootAt(101), log.RootAt(300)));
    }

    [Fact]
    public async Task Reopening_continues_where_the_log_stood()
    {
        var log = await CreateAsync(300);
        var reopened = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        Assert.Equal(300, (await reopened.AppendAsync(Entry(300), TestContext.Current.CancellationToken)).Index);
        Assert.Equal(301, (await log.AppendAsync(Entry(301), TestContext.Current.CancellationToken)).Index);   // the first object sees the second's entry
        await log.FlushAsync(TestContext.Current.CancellationToken);
        Assert.Equal(LogVerdict.Verified, reopened.Fsck());
        Assert.Equal(302, reopened.Refresh().Size);
    }

    [Fact]
    public async Task Many_writers_at_once_get_different_places_and_lose_nothing()
    {
        await CreateAsync(0);
        var receipts = await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            var log = await TransparencyLog.OpenAsync(_folder["log"], _signer);
            var given = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => log.AppendAsync(Encoding.UTF8.GetBytes($"{writer}/{i}")).AsTask()));
            await log.FlushAsync();
            return given;
        })));
        var reader = await TransparencyLog.OpenAsync(_folder["log"]);
        Assert.Equal(400, reader.Size);
        Assert.Equal(LogVerdict.Verified, reader.Fsck());
        Assert.Equal(400, receipts.SelectMany(given => given).Select(given => given.Index).Distinct().Count());
        foreach (var (given, writer) in receipts.Select((given, writer) => (given, writer)))
            Assert.All(given.Select((receipt, i) => (receipt, i)), pair =>
                Assert.Equal($"{writer}/{pair.i}", Encoding.UTF8.GetString(reader.ReadEntry(pair.receipt.Index).Span)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(700)]
    public async Task A_writer_killed_before_its_checkpoint_has_lost_nothing_and_the_next_one_goes_on(int unpublished)
    {
        var log = await CreateAsync(200);
        var checkpoint = await File.ReadAllBytesAsync(_folder["log/checkpoint"], Cancel);
        var before = Snapshot();
        await log.AppendManyAsync([.. Enumerable.Range(200, unpublished).Select(i => (ReadOnlyMemory<byte>)Entry(i))], Cancel);
        await log.DisposeAsync();
        // What a kill just before the rename leaves: the journal, every new tile, the old ones, the old checkpoint.
        await File.WriteAllBytesAsync(_folder["log/checkpoint"], checkpoint, Cancel);
        foreach (var (path, bytes) in before.Where(file => !File.Exists(file.Key)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, bytes, Cancel);
        }

        await using var next = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        Assert.Equal(200, next.Size);
        Assert.Equal(LogVerdict.Verified, next.Fsck());
        for (var i = 200 + unpublished; i < 1000; i += 61)
            Assert.Equal(Entry(i), next.ReadEntry((await next.AppendAsync(Entry(i), Cancel)).Index).ToArray());
        Assert.Equal(LogVerdict.Verified, next.Fsck());
        Assert.All(Enumerable.Range(0, 200 + unpublished), i => Assert.Equal(Entry(i), next.ReadEntry(i).ToArray()));
    }

    [Fact]
    public async Task A_writer_killed_after_any_of_its_files_has_lost_nothing()
    {
        var log = await CreateAsync(250);
        var before = Snapshot();
        await log.AppendManyAsync([.. Enumerable.Range(250, 10).Select(i => (ReadOnlyMemory<byte>)Entry(i))], Cancel);
        await log.DisposeAsync();
        var after = Snapshot();
        var journal = after.Single(file => file.Key.EndsWith(".journal", StringComparison.Ordinal));
        var written = after.Where(file => !before.ContainsKey(file.Key)).ToArray();
        Assert.True(written.Length >= 4);
        for (var count = 0; count <= written.Length; count++)
        {
            Restore(before);
            await File.WriteAllBytesAsync(journal.Key, journal.Value, Cancel);
            foreach (var (path, bytes) in written.Take(count).Append(new(_folder["log/tile/0/.000.0123456789ab.tmp"], [1, 2, 3])))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllBytesAsync(path, bytes, Cancel);
            }

            await using var next = await TransparencyLog.OpenAsync(_folder["log"], _signer);
            Assert.Equal(LogVerdict.Verified, next.Fsck());
            Assert.Equal(260, (await next.AppendAsync(Entry(260), Cancel)).Index);
            Assert.Equal(LogVerdict.Verified, next.Fsck());
            Assert.All(Enumerable.Range(0, 261), i => Assert.Equal(Entry(i), next.ReadEntry(i).ToArray()));
            Assert.DoesNotContain(Snapshot().Keys, path => path.EndsWith(".tmp", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Entries_are_read_in_order_from_any_place()
    {
        var log = await CreateAsync(600);
        Assert.Equal(Enumerable.Range(0, 600).Select(i => (long)i), log.ReadEntries().Select(one => one.Index));
        Assert.Equal([254, 255, 256], log.ReadEntries(254, 3).Select(one => one.Index));
        Assert.Equal(Entry(256), log.ReadEntries(256, 1).Single().Entry.ToArray());
        Assert.Empty(log.ReadEntries(600));
        Assert.Equal(2, log.ReadEntries(598, 100).Count());
        Edit("log/tile/entries/000", bytes => bytes[^1] ^= 1);
        Assert.Throws<InvalidDataException>(() => log.ReadEntries(255, 1).ToArray());
    }

    [Fact]
    public async Task A_disk_that_takes_no_tiles_lets_the_tree_fail_and_then_refuses_entries_and_keeps_the_log()
    {
        await using var log = await CreateAsync(10);
        // A file where a folder must be stands for a disk that cannot take the bytes; it stops root too.
        Directory.Move(_folder["log/tile/entries"], _folder["entries"]);
        await File.WriteAllTextAsync(_folder["log/tile/entries"], "in the way", Cancel);
        Assert.Equal(10, (await log.AppendAsync(Entry(10), Cancel)).Index);   // durable, and its place is promised
        await Assert.ThrowsAnyAsync<IOException>(() => log.IntegratedAsync(10, Cancel));
        await Assert.ThrowsAnyAsync<Exception>(async () => await log.AppendAsync(Entry(11), Cancel));
        File.Delete(_folder["log/tile/entries"]);
        Directory.Move(_folder["entries"], _folder["log/tile/entries"]);
        Assert.Equal(10, log.Refresh().Size);
        Assert.Equal(11, (await log.AppendAsync(Entry(11), Cancel)).Index);
        Assert.Equal(LogVerdict.Verified, log.Fsck());
        Assert.Equal(Entry(10), log.ReadEntry(10).ToArray());
    }

    [Fact]
    public async Task A_disk_that_takes_no_journal_refuses_the_entry()
    {
        await using var log = await CreateAsync(10);
        var journal = Directory.GetFiles(_folder["log/journal"]).Single();
        Directory.Move(_folder["log/journal"], _folder["moved"]);
        await Assert.ThrowsAnyAsync<IOException>(async () => await log.AppendAsync(Entry(10), Cancel));   // the file that is written is no longer the journal
        Directory.Move(_folder["moved"], _folder["log/journal"]);
        Assert.True(File.Exists(journal));
        Assert.Equal(10, (await log.AppendAsync(Entry(10), Cancel)).Index);
        Assert.Equal(LogVerdict.Verified, log.Fsck());
    }

    [Fact]
    public async Task A_changed_entry_is_found_and_named()
    {
        var log = await CreateAsync(600);
        Edit("log/tile/entries/001", bytes => bytes[^1] ^= 1);
        var report = await log.VerifyAsync(cancel: TestContext.Current.CancellationToken);
        Assert.Equal(LogVerdict.EntriesDiffer, report.Verdict);
        Assert.Contains("Entry 511 ", report.Detail);
        Assert.Throws<InvalidDataException>(() => log.ReadEntry(511));
    }

    [Fact]
    public async Task A_dropped_inserted_or_swapped_entry_is_found()
    {
        var log = await CreateAsync(5);
        var path = _folder["log/tile/entries/000.p/5"];
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        byte[] one = [0, 7, .. "entry 0"u8], two = [0, 7, .. "entry 1"u8];
        Assert.True(whole.AsSpan().StartsWith((byte[])[.. one, .. two]));
        await File.WriteAllBytesAsync(path, whole[one.Length..], TestContext.Current.CancellationToken);
        Assert.Equal(LogVerdict.Incomplete, log.Fsck());
        await File.WriteAllBytesAsync(path, [.. two, .. whole], TestContext.Current.CancellationToken);
        Assert.Equal(LogVerdict.EntriesDiffer, log.Fsck());
        await File.WriteAllBytesAsync(path, [.. two, .. one, .. whole[(one.Length * 2)..]], TestContext.Current.CancellationToken);
        Assert.Equal(LogVerdict.EntriesDiffer, log.Fsck());
    }

    [Fact]
    public async Task An_entry_changed_together_with_its_tile_does_not_give_the_signed_root()
    {
        var log = await CreateAsync(5);
        Edit("log/tile/entries/000.p/5", bytes => bytes[^1] ^= 1);
        var forged = Encoding.UTF8.GetBytes("entry 4");
        forged[^1] ^= 1;
        Edit("log/tile/0/000.p/5", bytes => MerkleTree.LeafHash(forged).Bytes.CopyTo(bytes.AsSpan(4 * 32)));
        Assert.Equal(LogVerdict.RootDiffers, log.Fsck());
        await Assert.ThrowsAsync<InvalidDataException>(async () => await (await TransparencyLog.OpenAsync(_folder["log"], _signer)).AppendAsync(Entry(5), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_missing_tile_or_bundle_is_found()
    {
        var log = await CreateAsync(300);
        File.Delete(_folder["log/tile/0/000"]);
        Assert.Equal(LogVerdict.Incomplete, log.Fsck());
    }

    [Fact]
    public async Task A_checkpoint_of_another_key_is_refused()
    {
        var log = await CreateAsync(3);
        using var other = Signer.Generate();
        var forged = log.Checkpoint.Signed(other);
        await File.WriteAllTextAsync(_folder["log/checkpoint"], forged.Note!.Note, TestContext.Current.CancellationToken);
        Assert.Equal(LogVerdict.WrongSignature, log.Fsck());
        await Assert.ThrowsAsync<InvalidDataException>(() => TransparencyLog.OpenAsync(_folder["log"], _signer));
        await Assert.ThrowsAsync<ArgumentException>(() => TransparencyLog.OpenAsync(_folder["log"], other, _signer.PublicKey));
    }

    [Fact]
    public async Task A_log_that_was_rolled_back_is_refused_by_who_saw_more()
    {
        var log = await CreateAsync(10);
        var old = Snapshot();
        await log.AppendAsync(Entry(10), TestContext.Current.CancellationToken);
        var seen = await log.FlushAsync(Cancel);
        Restore(old);
        Assert.Equal(LogVerdict.NotAppendOnly, log.Fsck());
        Assert.Throws<InvalidDataException>(() => log.Refresh());
        await Assert.ThrowsAsync<InvalidDataException>(async () => await log.AppendAsync(Entry(10), TestContext.Current.CancellationToken));
        var stranger = await TransparencyLog.OpenAsync(_folder["log"], trustedKey: _signer.PublicKey);
        Assert.Equal(LogVerdict.Verified, stranger.Fsck());   // of one piece; only a remembered checkpoint shows the roll-back
        Assert.Equal(LogVerdict.NotAppendOnly, (await stranger.VerifyAsync(seen, cancel: TestContext.Current.CancellationToken)).Verdict);
    }

    [Fact]
    public async Task A_fork_of_the_same_length_is_refused_by_who_saw_the_other_branch()
    {
        var log = await CreateAsync(10);
        var old = Snapshot();
        await log.AppendAsync("left"u8.ToArray(), TestContext.Current.CancellationToken);
        var left = await log.FlushAsync(Cancel);
        Restore(old);
        await using var fork = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        await fork.AppendAsync("right"u8.ToArray(), TestContext.Current.CancellationToken);
        await fork.FlushAsync(Cancel);
        Assert.Equal(LogVerdict.SplitView, log.Fsck());
        Assert.Equal(LogVerdict.SplitView, (await fork.VerifyAsync(left, cancel: Cancel)).Verdict);
        await fork.AppendAsync("more"u8.ToArray(), TestContext.Current.CancellationToken);
        await fork.FlushAsync(Cancel);
        Assert.Equal(LogVerdict.NotAppendOnly, (await fork.VerifyAsync(left, cancel: Cancel)).Verdict);
        Assert.Throws<InvalidDataException>(() => log.Refresh());
    }

    [Fact]
    public async Task A_reader_cannot_append_and_an_entry_has_a_limit()
    {
        await CreateAsync(0);
        var reader = await TransparencyLog.OpenAsync(_folder["log"]);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await reader.AppendAsync(Entry(0), TestContext.Current.CancellationToken));
        var writer = await TransparencyLog.OpenAsync(_folder["log"], _signer);
        Assert.Equal(0, (await writer.AppendAsync(new byte[65535], TestContext.Current.CancellationToken)).Index);
        await Assert.ThrowsAsync<ArgumentException>(async () => await writer.AppendAsync(new byte[65536], TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<IOException>(() => TransparencyLog.CreateAsync(_folder["log"], Origin, _signer, TestContext.Current.CancellationToken));
        Assert.Equal(LogVerdict.Verified, writer.Fsck());
    }

    [Fact]
    public async Task A_proof_is_of_one_entry_in_one_log()
    {
        var log = await CreateAsync(20);
        var proof = log.ProofFor(7);
        using var other = Signer.Generate();
        Assert.Equal(LogVerdict.NotIncluded, proof.Verify(Entry(8), _signer.PublicKey));
        Assert.Equal(LogVerdict.NotIncluded, (proof with { Index = 8 }).Verify(Entry(7), _signer.PublicKey));
        Assert.Equal(LogVerdict.NotIncluded, (proof with { Hashes = [.. proof.Hashes.Skip(1)] }).Verify(Entry(7), _signer.PublicKey));
        Assert.Equal(LogVerdict.WrongSignature, proof.Verify(Entry(7), other.PublicKey));
        Assert.Throws<FormatException>(() => TlogProof.Parse(proof.Format().Replace("index 7", "index 07", StringComparison.Ordinal)));
        Assert.Throws<FormatException>(() => TlogProof.Parse(proof.Format()[5..]));
        Assert.Throws<FormatException>(() => TlogProof.Parse(""));
    }

    [Fact]
    public async Task A_proof_carries_extra_bytes_unchanged()
    {
        var log = await CreateAsync(2);
        var proof = log.ProofFor(1) with { Extra = [1, 2, 3] };
        Assert.Equal(proof.Extra, TlogProof.Parse(proof.Format()).Extra);
    }

    private async Task<TransparencyLog> CreateAsync(int count)
    {
        var log = await TransparencyLog.CreateAsync(_folder["log"], Origin, _signer);
        await log.AppendManyAsync([.. Enumerable.Range(0, count).Select(i => (ReadOnlyMemory<byte>)Entry(i))]);
        await log.FlushAsync();
        return log;
    }

    private static byte[] Entry(int index) => Encoding.UTF8.GetBytes($"entry {index}");

    private void Edit(string path, Action<byte[]> edit)
    {
        var bytes = File.ReadAllBytes(_folder[path]);
        edit(bytes);
        File.WriteAllBytes(_folder[path], bytes);
    }

    private Dictionary<string, byte[]> Snapshot() =>
        Directory.EnumerateFiles(_folder["log"], "*", SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllBytes);

    private void Restore(Dictionary<string, byte[]> files)
    {
        Directory.Delete(_folder["log"], recursive: true);
        foreach (var (path, bytes) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, bytes);
        }
    }
}
