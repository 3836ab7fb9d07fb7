using Bulwark.Databases;
using Bulwark.Privacy;
using Bulwark.Tests.Servers;
using Npgsql;

namespace Bulwark.Tests.Privacy;

/// <summary>The same rules in every store.</summary>
public sealed class LedgerStoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ledgerstore");
    private string? _database;

    public void Dispose() => TemporaryFolder.Remove(_folder.FullName);

    [Theory]
    [InlineData("file")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public void What_was_reserved_is_there_for_the_next_process(string kind)
    {
        string head;
        using (var ledger = PrivacyLedger.Open(Store(kind)))
        {
            ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
            ledger.Reserve("data", new GaussianEvent(5), "first").Commit();
            head = ledger.Head;
        }

        using var again = PrivacyLedger.Open(Store(kind));
        Assert.Equal(head, again.Head);
        Assert.Equal(1, again.Spent("data", 1e-5).Events);
        Assert.Throws<PrivacyBudgetException>(() => again.Reserve("data", new GaussianEvent(5), "second"));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Many_writers_never_exceed_the_budget(string kind)
    {
        using (var ledger = PrivacyLedger.Open(Store(kind)))
            ledger.SetBudget("data", new PrivacyBudget(GaussianMechanism.Epsilon(10 / Math.Sqrt(10), 1e-5) * 1.001, 1e-5));   // room for ten
        var granted = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var own = PrivacyLedger.Open(Store(kind));
            for (var i = 0; i < 8; i++)
            {
                try
                {
                    own.Reserve("data", new GaussianEvent(10), "race");
                    Interlocked.Increment(ref granted);
                }
                catch (PrivacyBudgetException)
                {
                    return;
                }
            }
        })));
        Assert.Equal(10, granted);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public void A_row_that_was_removed_or_changed_in_the_database_is_noticed(string kind)
    {
        using (var ledger = PrivacyLedger.Open(Store(kind)))
        {
            ledger.SetBudget("data", new PrivacyBudget(2, 1e-5));
            ledger.Reserve("data", new GaussianEvent(5), "first").Commit();
        }

        Tamper(kind, "DELETE FROM {0} WHERE place = 1");
        Assert.Throws<InvalidDataException>(() => PrivacyLedger.Open(Store(kind)));
    }

    [Fact]
    public void A_last_line_that_is_changed_while_the_ledger_is_open_is_noticed()
    {
        using var ledger = PrivacyLedger.Open(Store("file"));
        ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
        var path = Path.Combine(_folder.FullName, "ledger.jsonl");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"epsilon\":1", "\"epsilon\":9", StringComparison.Ordinal));
        var failure = Assert.Throws<InvalidDataException>(() => ledger.Reserve("data", new GaussianEvent(1), "more"));
        Assert.Contains("is not what it was", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reservations_that_wait_together_are_flushed_together_and_all_are_there()
    {
        using var ledger = PrivacyLedger.Open(Store("file"));
        ledger.SetBudget("data", new PrivacyBudget(100, 1e-5));
        var reservations = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => ledger.ReserveAsync("data", new GaussianEvent(50), $"part {i}")));
        Assert.Equal(500, reservations.Select(reservation => reservation.Id).Distinct().Count());
        using var again = PrivacyLedger.Open(Store("file"));
        Assert.Equal(500, again.Spent("data", 1e-5).Events);
    }

    [Fact]
    public void A_group_of_subjects_has_a_budget_of_its_own()
    {
        using var ledger = PrivacyLedger.Open(Store("file"));
        ledger.SetBudget("data", new PrivacyBudget(10, 1e-5));
        ledger.Reserve("data", new GaussianEvent(5), "before the group had a budget");
        ledger.SetBudget("data", new PrivacyBudget(1, 1e-5), group: "minors");
        Assert.Equal(1, ledger.Spent("data", 1e-5, "minors").Events);
        var refused = Assert.Throws<PrivacyBudgetException>(() => ledger.Reserve("data", new GaussianEvent(5), "everybody"));
        Assert.Contains("group minors", refused.Message, StringComparison.Ordinal);
        ledger.Reserve("data", new GaussianEvent(5), "adults only", groups: []);
        Assert.Equal((2, 1), (ledger.Spent("data", 1e-5).Events, ledger.Spent("data", 1e-5, "minors").Events));
    }

    [Fact]
    public void A_budget_for_users_counts_each_of_their_records()
    {
        using var ledger = PrivacyLedger.Open(Store("file"));
        ledger.SetBudget("data", new PrivacyBudget(3, 1e-5), PrivacyUnit.User(4));
        ledger.Reserve("data", new GaussianEvent(8), "part");
        Assert.Equal(GaussianMechanism.Epsilon(2, 1e-5), ledger.Spent("data", 1e-5).Epsilon.Upper, 1e-6);
        Assert.Throws<NotSupportedException>(() => ledger.Reserve("data", new PoissonSampledEvent(0.1, new LaplaceEvent(1)), "no bound for it"));
        Assert.Equal(1, ledger.Spent("data", 1e-5).Events);
    }

    private ILedgerStore Store(string kind) => kind switch
    {
        "sqlite" => SqliteLedgerStore.Open(Path.Combine(_folder.FullName, "ledger.db")),
        "postgres" => PostgresLedgerStore.Open(_database ??= PostgresServer.NewDatabase()),
        _ => new FileLedgerStore(Path.Combine(_folder.FullName, "ledger.jsonl")),
    };

    private void Tamper(string kind, string statement)
    {
        if (kind == "sqlite")
        {
            using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder.FullName, "ledger.db")};Pooling=false");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = statement.Replace("{0}", "ledger", StringComparison.Ordinal);
            command.ExecuteNonQuery();
            return;
        }

        using var source = NpgsqlDataSource.Create(_database!);
        using var change = source.CreateCommand(statement.Replace("{0}", "bulwark_ledger_lines", StringComparison.Ordinal));
        change.ExecuteNonQuery();
    }
}
