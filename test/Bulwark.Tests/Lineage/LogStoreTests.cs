using System.Text;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Lineage;
using Bulwark.Tests.Servers;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Bulwark.Tests.Lineage;

/// <summary>The rules that every store of a log keeps, and the same tiles from each.</summary>
public sealed class LogStoreTests : IDisposable
{
    private const string Origin = "log.example/stores";
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _signer = Signer.Generate();
    private string? _database;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _signer.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("files")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Entries_get_places_and_are_there_again(string kind)
    {
        await using (var log = await CreateAsync(kind))
        {
            for (var i = 0; i < 5; i++)
                Assert.Equal(i, (await log.AppendAsync(Entry(i), Cancel)).Index);
            Assert.Equal(Enumerable.Range(5, 700).Select(i => (long)i), (await log.AppendManyAsync([.. Enumerable.Range(5, 700).Select(Entry)], Cancel)).Select(given => given.Index));
            Assert.Equal(LogVerdict.Verified, log.Fsck());
        }

        await using var again = await TransparencyLog.OpenAsync(_folder["log"], _signer, store: await OpenStoreAsync(kind));
        Assert.Equal(705, again.Size);
        Assert.Equal(705, (await again.AppendAsync(Entry(705), Cancel)).Index);
        Assert.Equal(LogVerdict.Verified, again.Fsck());
        Assert.All(again.ReadEntries(), one => Assert.Equal(Entry((int)one.Index).ToArray(), one.Entry.ToArray()));
        Assert.Equal(LogVerdict.Verified, (await again.ProofForAsync(705, Cancel)).Verify(Entry(705).Span, _signer.PublicKey));
    }

    [Fact]
    public async Task Every_store_renders_the_same_bytes()
    {
        var folders = new Dictionary<string, Dictionary<string, byte[]>>();
        foreach (var kind in (string[])["files", "sqlite", "postgres"])
        {
            await using (var log = await CreateAsync(kind, kind))
            {
                await log.AppendManyAsync([.. Enumerable.Range(0, 300).Select(Entry)], Cancel);
                await log.FlushAsync(Cancel);
                await log.AppendManyAsync([.. Enumerable.Range(300, 70_000).Select(Entry)], Cancel);
                await log.AppendAsync(ReadOnlyMemory<byte>.Empty, Cancel);
            }

            folders[kind] = Directory.EnumerateFiles(_folder[$"{kind}/tile"], "*", SearchOption.AllDirectories).Append(_folder[$"{kind}/checkpoint"])
                .ToDictionary(file => Path.GetRelativePath(_folder[kind], file), File.ReadAllBytes);
        }

        var expected = folders["files"];
        Assert.Contains("tile/2/000.p/1", expected.Keys);
        Assert.DoesNotContain("tile/entries/000.p/300", expected.Keys);
        Assert.All(folders.Values, other =>
        {
            Assert.Equal(expected.Keys.Where(path => !path.Contains(".p/", StringComparison.Ordinal)).Order(), other.Keys.Where(path => !path.Contains(".p/", StringComparison.Ordinal)).Order());
            Assert.All(other, file => Assert.True(!expected.TryGetValue(file.Key, out var bytes) || bytes.AsSpan().SequenceEqual(file.Value), file.Key));
        });
    }

    [Theory]
    [InlineData("files")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Writers_side_by_side_get_different_places_and_lose_nothing(string kind)
    {
        await using (await CreateAsync(kind))
        {
        }

        var given = await Task.WhenAll(Enumerable.Range(0, 3).Select(writer => Task.Run(async () =>
        {
            await using var log = await TransparencyLog.OpenAsync(_folder["log"], _signer, store: await OpenStoreAsync(kind));
            return await Task.WhenAll(Enumerable.Range(0, 50).Select(i => log.AppendAsync(Encoding.UTF8.GetBytes($"{writer}/{i}")).AsTask()));
        })));
        await using var reader = await TransparencyLog.OpenAsync(_folder["log"], store: await OpenStoreAsync(kind));
        Assert.Equal(150, reader.Size);
        Assert.Equal(LogVerdict.Verified, reader.Fsck());
        Assert.Equal(150, given.SelectMany(one => one).Select(one => one.Index).Distinct().Count());
        foreach (var (one, writer) in given.Select((one, writer) => (one, writer)))
            Assert.All(one.Select((receipt, i) => (receipt, i)), pair => Assert.Equal($"{writer}/{pair.i}", Encoding.UTF8.GetString(reader.ReadEntry(pair.receipt.Index).Span)));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task A_store_that_was_rolled_back_is_named_and_takes_no_entry(string kind)
    {
        await using (var log = await CreateAsync(kind))
            await log.AppendManyAsync([.. Enumerable.Range(0, 300).Select(Entry)], Cancel);
        await ChangeAsync(kind, "DELETE FROM {0} WHERE place >= 290", "UPDATE bulwark_logs SET next = 290");
        await using var again = await TransparencyLog.OpenAsync(_folder["log"], _signer, store: await OpenStoreAsync(kind));
        Assert.Equal(LogVerdict.StoreRolledBack, again.Fsck());
        Assert.Contains("rolled back", (await Assert.ThrowsAsync<InvalidDataException>(async () => await again.AppendAsync(Entry(300), Cancel))).Message);
    }

    [Theory]
    [InlineData("sqlite", 299)]
    [InlineData("postgres", 299)]
    [InlineData("sqlite", 7)]
    [InlineData("postgres", 7)]
    public async Task An_entry_changed_in_the_store_is_named(string kind, int place)
    {
        await using (var log = await CreateAsync(kind))
            await log.AppendManyAsync([.. Enumerable.Range(0, 300).Select(Entry)], Cancel);
        await ChangeAsync(kind, $"UPDATE {{0}} SET entry = {(kind == "sqlite" ? "x'00'" : "'\\x00'")} WHERE place = {place}");
        await using var again = await TransparencyLog.OpenAsync(_folder["log"], _signer, store: await OpenStoreAsync(kind));
        var report = await again.VerifyAsync(cancel: Cancel);
        Assert.Equal(LogVerdict.StoreDiffers, report.Verdict);
        Assert.Contains($"Entry {place} ", report.Detail);
    }

    [Fact]
    public async Task A_log_is_written_through_the_store_that_it_was_made_with()
    {
        await using (await CreateAsync("sqlite"))
        {
        }

        Assert.Contains("sqlite:", (await Assert.ThrowsAsync<ArgumentException>(() => TransparencyLog.OpenAsync(_folder["log"], _signer))).Message);
        await using var store = await LogStores.OfAsync(_folder["log"], Cancel);
        Assert.Equal($"sqlite:{_folder["log.db"]}", store!.Name);
        Assert.Equal(LogVerdict.Verified, (await TransparencyLog.OpenAsync(_folder["log"])).Fsck());   // readers need only the files
        await Assert.ThrowsAsync<FormatException>(() => LogStores.OpenAsync("mysql:x", _folder.Path, Cancel));
    }

    [Fact]
    public async Task A_server_that_is_killed_refuses_and_comes_back_with_everything_it_promised()
    {
        using var server = PostgresServer.StartOwn();
        var connection = server.CreateDatabase();
        await using var log = await TransparencyLog.CreateAsync(_folder["log"], Origin, _signer, await PostgresLogStore.OpenAsync(connection, cancel: Cancel), Cancel);
        await log.AppendManyAsync([.. Enumerable.Range(0, 100).Select(Entry)], Cancel);
        server.Kill();
        await Assert.ThrowsAsync<IOException>(async () => await log.AppendAsync(Entry(100), Cancel));
        server.StartAgain();
        var given = await log.AppendAsync(Entry(100), Cancel);
        Assert.True(given.Index >= 100);
        Assert.Equal(LogVerdict.Verified, log.Fsck());
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(Entry(i).ToArray(), log.ReadEntry(i).ToArray()));
        Assert.Equal(Entry(100).ToArray(), log.ReadEntry(given.Index).ToArray());
    }

    private async Task<TransparencyLog> CreateAsync(string kind, string name = "log") =>
        await TransparencyLog.CreateAsync(_folder[name], Origin, _signer, await OpenStoreAsync(kind), Cancel);

    [Fact]
    public void A_name_keeps_how_the_server_is_checked_and_no_secret()
    {
        var name = PostgresLogStore.Public("Host=db;Username=u;Password=hidden;SSL Password=hidden;Passfile=/hidden;SSL Mode=VerifyFull;Root Certificate=/ca.pem;Options='-c a=b;c'");
        Assert.DoesNotContain("hidden", name, StringComparison.Ordinal);
        var again = new NpgsqlConnectionStringBuilder(name);
        Assert.Equal(("db", "u", SslMode.VerifyFull, "/ca.pem", "-c a=b;c"), (again.Host, again.Username, again.SslMode, again.RootCertificate, again.Options));
    }

    private async Task<ILogStore?> OpenStoreAsync(string kind) => kind switch
    {
        "sqlite" => SqliteLogStore.Open(_folder["log.db"]),
        "postgres" => await PostgresLogStore.OpenAsync(_database ??= PostgresServer.NewDatabase(), cancel: Cancel),
        _ => null,
    };

    private async Task ChangeAsync(string kind, string sql, string? alsoOnServer = null)
    {
        if (kind == "sqlite")
        {
            await using var connection = new SqliteConnection($"Data Source={_folder["log.db"]};Pooling=False");
            await connection.OpenAsync(Cancel);
            await using var command = connection.CreateCommand();
            command.CommandText = string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, "entries");
            await command.ExecuteNonQueryAsync(Cancel);
            return;
        }

        await using var source = NpgsqlDataSource.Create(_database!);
        await using var change = source.CreateCommand(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, "bulwark_log_entries") + ";" + alsoOnServer);
        await change.ExecuteNonQueryAsync(Cancel);
    }

    private static ReadOnlyMemory<byte> Entry(int index) => Encoding.UTF8.GetBytes($"entry {index}");
}
