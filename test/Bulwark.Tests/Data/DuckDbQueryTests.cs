using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Queries;

namespace Bulwark.Tests.Data;

public sealed class DuckDbQueryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Table All(DuckDbQuery query) => query.Batches(Cancel).Single();

    [Fact]
    public void Each_type_of_an_answer_has_its_column()
    {
        using var query = new DuckDbQuery("""
            SELECT 1::BIGINT AS n, 2.5::DOUBLE AS x, 1.25::DECIMAL(9,2) AS d, true AS b, 'a' AS t, NULL::VARCHAR AS none, TIMESTAMP '2024-01-02 03:04:05.678901' AS at, DATE '2024-01-02' AS day
            """);
        Assert.Equal(
            [new("n", ColumnKind.Number, true), new("x", ColumnKind.Number), new("d", ColumnKind.Number), new("b", ColumnKind.Number, true), new("t", ColumnKind.Text), new("none", ColumnKind.Text), new("at", ColumnKind.Time), new("day", ColumnKind.Time)],
            query.Columns);
        var row = All(query);
        Assert.Equal(["1", "2.5", "1.25", "1", "a", null, "2024-01-02T03:04:05.678901Z", "2024-01-02T00:00:00Z"], row.Columns.Select(column => column.Text(0)));
    }

    [Fact]
    public void A_large_answer_comes_in_whole_blocks()
    {
        using var query = new DuckDbQuery("SELECT i, CAST(i AS VARCHAR) AS t FROM range(200000) r(i)");
        var batches = query.Batches(Cancel).ToArray();
        Assert.All(batches.SkipLast(1), batch => Assert.Equal(0, batch.Rows % DatasetCommitment.BlockRows));
        Assert.Equal(200_000, batches.Sum(batch => batch.Rows));
    }

    [Theory]
    [InlineData("SELECT [1, 2] AS l", "column 'l'")]
    [InlineData("SELECT 1 AS a, 2 AS a", "one name")]
    [InlineData("SELECT * FROM nowhere", "nowhere")]
    [InlineData("SELEC 1", "DuckDB")]
    public void What_has_no_table_is_refused_with_its_reason(string sql, string named) =>
        Assert.Contains(named, Assert.Throws<TableFormatException>(() => new DuckDbQuery(sql)).Message, StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("SELECT 1 AS a; SELECT 2 AS a")]
    [InlineData("SELECT 1 AS a; COPY (SELECT 1) TO 'FILE'")]
    [InlineData("COPY (SELECT 1 AS a) TO 'FILE'")]
    [InlineData("ATTACH 'FILE' AS other")]
    [InlineData("CREATE TABLE t AS SELECT 1 AS a")]
    [InlineData("SET temp_directory='FILE'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("PRAGMA version")]
    [InlineData("")]
    [InlineData(";")]
    public void What_is_not_one_select_is_not_run(string sql)
    {
        Assert.ThrowsAny<Exception>(() => new DuckDbQuery(sql.Replace("FILE", _folder["x"], StringComparison.Ordinal)));
        Assert.False(File.Exists(_folder["x"]));
    }

    [Fact]
    public void A_query_over_a_database_reads_no_other_file_and_settings_are_locked()
    {
        using (var made = new DuckDB.NET.Data.DuckDBConnection($"DataSource={_folder["d.db"]}"))
        {
            made.Open();
            using var command = made.CreateCommand();
            command.CommandText = "CREATE TABLE t AS SELECT 7 AS a";
            command.ExecuteNonQuery();
        }

        _folder.Write("secret.csv", "a\n1\n");
        using (var own = new DuckDbQuery("SELECT a FROM t", _folder["d.db"]))
            Assert.Equal("7", All(own)["a"].Text(0));
        Assert.Throws<TableFormatException>(() => new DuckDbQuery($"SELECT * FROM '{_folder["secret.csv"]}'", _folder["d.db"]));
        using var settings = new DuckDbQuery("SELECT name, value FROM duckdb_settings() WHERE name IN ('lock_configuration', 'autoload_known_extensions', 'autoinstall_known_extensions') ORDER BY name");
        var values = All(settings)["value"];
        Assert.Equal(["false", "false", "true"], Enumerable.Range(0, 3).Select(values.Text));
    }

    [Fact]
    public void A_number_that_would_lose_digits_is_refused()
    {
        using var query = new DuckDbQuery("SELECT 1234567890123456 AS n");
        Assert.Contains("15 digits", Assert.Throws<TableFormatException>(() => All(query)).Message);
    }

    [Fact]
    public async Task A_query_over_files_is_protected_like_a_file()
    {
        var payments = TransactionSimulator.Simulate(new() { Customers = 30, Terminals = 60, Days = 20, Seed = 2 }, cancel: Cancel);
        await TableFile.WriteAsync(payments, _folder["t.parquet"], cancel: Cancel);
        using var keys = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));
        using var query = new DuckDbQuery($"SELECT amount, ssn FROM '{_folder["t.parquet"]}' WHERE is_fraud = 0");
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"q","otherwise":"keep","columns":{"ssn":{"action":"encrypt"}}}""");
        var report = await DataProtection.ProtectAsync(query, policy, keys, _folder["q.parquet"], null, cancel: Cancel);
        Assert.Equal(payments.Numbers("is_fraud").Count(label => label == 0), report.Rows);
    }
}
