using System.Text;
using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Cli;

/// <summary>What <c>log fsck</c> and <c>log verify</c> answer, and what a repair leaves.</summary>
public sealed class LogFsckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Log => _folder["w/log"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_a_pinned_key_the_answer_is_no_yes()
    {
        await MakeAsync(3);
        Assert.Equal(0, await FsckAsync("-w", _folder["w"]));
        Assert.Equal(2, await FsckAsync(Log, "-w", _folder["nowhere"]));
        Assert.Contains("No key was pinned", _said);
        Assert.Equal(0, await FsckAsync(Log, "-w", _folder["nowhere"], "--trust"));
        Assert.Equal(0, await FsckAsync(Log, "-w", _folder["nowhere"], "--key", (await File.ReadAllTextAsync(Path.Combine(Log, "log.vkey"), Cancel)).Trim()));
        using var stranger = Signer.Generate();
        Assert.Equal(1, await FsckAsync(Log, "-w", _folder["nowhere"], "--log-key", new NoteKey("log.example", stranger.PublicKey).ToString()));
        Assert.Equal(2, (await CommandContractTests.RunAsync(["verify", Log, "-w", _folder["nowhere"]])).Code);
    }

    [Fact]
    public async Task A_repair_keeps_what_it_replaced_and_answers_yes_when_the_log_is_whole_again()
    {
        await MakeAsync(3);
        await File.WriteAllTextAsync(Path.Combine(Log, "tile/0/000.p/3"), "changed", Cancel);
        Assert.Equal(1, await FsckAsync("-w", _folder["w"]));
        Assert.Equal(0, await FsckAsync("-w", _folder["w"], "--repair"));
        var kept = Directory.GetFiles(Path.Combine(Log, "quarantine"), "*", SearchOption.AllDirectories).Single();
        Assert.EndsWith("tile/0/000.p/3", kept, StringComparison.Ordinal);
        Assert.Equal("changed", await File.ReadAllTextAsync(kept, Cancel));
        Assert.Equal(0, await FsckAsync("-w", _folder["w"]));
    }

    [Theory]
    [InlineData("changed")]
    [InlineData("cut")]
    [InlineData("gone")]
    public async Task A_journal_that_the_tree_does_not_need_begins_anew(string done)
    {
        await MakeAsync(3);
        var journal = Directory.GetFiles(Path.Combine(Log, "journal"), "*.journal").Single();
        var bytes = await File.ReadAllBytesAsync(journal, Cancel);
        if (done == "changed")
            bytes[JournalRecord.HeadBytes + 5] ^= 1;
        if (done == "gone")
            File.Delete(journal);
        else
            await File.WriteAllBytesAsync(journal, done == "cut" ? bytes[..JournalRecord.HeadBytes] : bytes, Cancel);
        Assert.Equal(1, await FsckAsync("-w", _folder["w"]));
        Assert.Equal(0, await FsckAsync("-w", _folder["w"], "--repair"));
        Assert.Equal(done != "gone", Directory.Exists(Path.Combine(Log, "quarantine")));
        await AppendAsync("after");
        Assert.Equal(0, await FsckAsync("-w", _folder["w"]));
    }

    [Fact]
    public async Task Entries_behind_the_tree_are_carried_over_and_a_gap_among_them_is_not_closed()
    {
        await MakeAsync(3);
        var size = (await TransparencyLog.OpenAsync(Log)).Size;
        await using (var store = new FileLogStore(Log, size))
        {
            await store.AppendAsync([Encoding.UTF8.GetBytes("promised")], Cancel);
            await store.AppendAsync([Encoding.UTF8.GetBytes("promised too")], Cancel);
        }

        var journal = Directory.GetFiles(Path.Combine(Log, "journal"), "*.journal").Single();
        var bytes = await File.ReadAllBytesAsync(journal, Cancel);
        bytes[JournalRecord.HeadBytes + 5] ^= 1;   // the first record, which the tree has
        await File.WriteAllBytesAsync(journal, bytes, Cancel);
        Assert.Equal(0, await FsckAsync("-w", _folder["w"], "--repair"));
        await AppendAsync("after");
        var log = await TransparencyLog.OpenAsync(Log);
        Assert.Equal(["promised", "promised too", "after"], log.ReadEntries(size).Select(read => Encoding.UTF8.GetString(read.Entry.Span)));

        await using (var store = new FileLogStore(Log, log.Size))
        {
            await store.AppendAsync([Encoding.UTF8.GetBytes("lost")], Cancel);
            await store.AppendAsync([Encoding.UTF8.GetBytes("kept")], Cancel);
        }

        journal = Directory.GetFiles(Path.Combine(Log, "journal"), "*.journal").Order(StringComparer.Ordinal).Last();
        bytes = await File.ReadAllBytesAsync(journal, Cancel);
        bytes[bytes.AsSpan().LastIndexOf("lost"u8)] ^= 1;
        await File.WriteAllBytesAsync(journal, bytes, Cancel);
        Assert.Equal(1, await FsckAsync("-w", _folder["w"], "--repair"));
        Assert.Contains("were promised", _said);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(journal, Cancel));
    }

    [Fact]
    public async Task What_a_writer_put_away_is_mentioned()
    {
        await MakeAsync(3);
        var journal = Directory.GetFiles(Path.Combine(Log, "journal"), "*.journal").Single();
        await File.AppendAllBytesAsync(journal, [1, 2, 3], Cancel);
        await AppendAsync("after");
        Assert.Equal(0, await FsckAsync("-w", _folder["w"]));
        Assert.Contains(".torn", _said);
    }

    [Fact]
    public async Task The_workspaces_log_is_held_against_its_database_and_a_strangers_folder_connects_nowhere()
    {
        await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), null, $"sqlite:{_folder["log.db"]}");
        await AppendAsync("one");
        Assert.Equal(0, (await CommandContractTests.RunAsync(["log", "verify", "-w", _folder["w"]])).Code);
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={_folder["log.db"]};Pooling=False"))
        {
            await connection.OpenAsync(Cancel);
            using var change = connection.CreateCommand();
            change.CommandText = "UPDATE entries SET entry = x'00'";
            await change.ExecuteNonQueryAsync(Cancel);
        }

        var (code, output, _) = await CommandContractTests.RunAsync(["log", "verify", "-w", _folder["w"]]);
        Assert.Equal(1, code);
        Assert.Contains("storeDiffers", output);
        Assert.Equal(0, await FsckAsync(Log, "-w", _folder["nowhere"], "--trust"));
        Assert.Contains("was not asked", _said);
        Assert.Equal(1, await FsckAsync(Log, "-w", _folder["nowhere"], "--trust", "--connect"));
    }

    [Fact]
    public async Task Uses_of_keys_that_nobody_signed_are_not_counted()
    {
        var workspace = await MakeAsync(0);
        var use = Statement.Of("file.sealed", SampleClaims.Data, new KeyUsed { Operation = "unwrap", Key = "file:sealing", Version = "1", Purpose = "open", By = SampleClaims.Somebody, Time = SampleClaims.Now });
        var before = await UsesAsync();
        using var stranger = Signer.Generate();
        await AppendAsync(Dsse.Sign(use, stranger));
        Assert.Equal(before, await UsesAsync());
        await workspace.AppendAsync(use, Cancel);
        Assert.Equal(before + 1, await UsesAsync());

        async Task<long> UsesAsync()
        {
            using var document = JsonDocument.Parse((await CommandContractTests.RunAsync(["keys", "inventory", "--json", "-w", _folder["w"]])).Output);
            return document.RootElement.GetProperty("keys").EnumerateArray().Sum(key => key.TryGetProperty("usesLogged", out var uses) && uses.ValueKind == JsonValueKind.Number ? uses.GetInt64() : 0);
        }
    }

    private string _said = "";

    private async Task<int> FsckAsync(params string[] options)
    {
        var (code, output, error) = await CommandContractTests.RunAsync(["log", "fsck", .. options]);
        _said = (output + error).ReplaceLineEndings(" ");
        return code;
    }

    private async Task<Workspace> MakeAsync(int entries)
    {
        var workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), null);
        for (var i = 0; i < entries; i++)
            await AppendAsync($"entry {i}");
        return workspace;
    }

    private Task AppendAsync(string entry) => AppendAsync(Encoding.UTF8.GetBytes(entry));

    private async Task AppendAsync(byte[] entry)
    {
        var workspace = Workspace.At(new DirectoryInfo(_folder["w"]));
        using var keys = workspace.OpenKeys();
        await using var log = await workspace.OpenLogAsync(keys);
        await log.AppendAsync(entry, Cancel);
    }
}
