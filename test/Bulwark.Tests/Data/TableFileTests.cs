using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class TableFileTests : IDisposable
{
    private static readonly string[] AdultNames =
        ["age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race", "sex", "capital_gain", "capital_loss", "hours", "country", "income"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<Table> Csv(string text, TableReadOptions? options = null) => TableFile.ReadAsync(_folder.Write("t.csv", text), options, cancel: Cancel);

    private async Task<TableFormatException> Refused(string text, TableReadOptions? options = null) =>
        await Assert.ThrowsAsync<TableFormatException>(() => Csv(text, options));

    [Fact]
    public async Task A_column_is_numbers_times_or_text_by_its_values()
    {
        var table = await Csv("n,x,t,s,id\n1,2.5,2024-02-29 12:00:01,a,007\n,?,,,4012888888881881\n3,-1e3,2024-03-01T00:00:00.5Z,\"b,\"\"c\",12\n");
        var n = Assert.IsType<NumberColumn>(table["n"]);
        Assert.True(n.Integral);
        Assert.Equal([1, double.NaN, 3], n.Values);
        var x = Assert.IsType<NumberColumn>(table["x"]);
        Assert.False(x.Integral);
        Assert.Equal([2.5, double.NaN, -1000], x.Values);
        var t = Assert.IsType<TimeColumn>(table["t"]);
        Assert.Equal(["2024-02-29T12:00:01Z", null, "2024-03-01T00:00:00.500000Z"], Enumerable.Range(0, 3).Select(t.Text));
        Assert.Equal(["a", null, "b,\"c"], Assert.IsType<TextColumn>(table["s"]).Values);
        Assert.Equal(["007", "4012888888881881", "12"], Assert.IsType<TextColumn>(table["id"]).Values);
    }

    [Fact]
    public async Task A_column_that_stops_being_numbers_keeps_the_text_it_had()
    {
        var table = await Csv("a\n1.50\n2.0\nx\n");
        Assert.Equal(["1.50", "2.0", "x"], Assert.IsType<TextColumn>(table["a"]).Values);
    }

    [Fact]
    public async Task A_short_row_is_refused_with_its_line_and_first_column_without_a_value()
    {
        var fault = await Refused("a,b,c\n1,2,3\n\n4,5\n");
        Assert.Equal(4, fault.Line);
        Assert.Equal("c", fault.Column);
    }

    [Fact]
    public async Task A_long_row_is_refused_with_its_line() => Assert.Equal(3, (await Refused("a,b\n1,2\n1,2,3\n")).Line);

    [Fact]
    public async Task A_value_that_breaks_the_declared_kind_is_refused_with_line_and_column_and_not_shown()
    {
        var fault = await Refused("a,b\n1,2\n3,secret\n", new() { Kinds = new Dictionary<string, ColumnKind> { ["b"] = ColumnKind.Number } });
        Assert.Equal((3, "b"), (fault.Line, fault.Column));
        Assert.DoesNotContain("secret", fault.Message);
    }

    [Fact]
    public async Task A_stray_quote_is_refused_with_its_line() => Assert.Equal(2, (await Refused("a,b\n1,\"x\"y\n")).Line);

    [Theory]
    [InlineData("a,a\n1,2\n", "two columns")]
    [InlineData("a,\n1,2\n", "no name")]
    [InlineData("a,b\n", "no rows")]
    [InlineData("", "no rows")]
    public async Task A_file_without_a_sound_header_or_rows_is_refused(string text, string why) =>
        Assert.Contains(why, (await Refused(text)).Message);

    [Fact]
    public async Task A_missing_column_is_refused_by_name_and_the_others_listed()
    {
        var fault = await Refused("a,b\n1,2\n", new() { Columns = ["a", "c"] });
        Assert.Equal("c", fault.Column);
        Assert.Contains("a, b", fault.Message);
    }

    [Fact]
    public async Task Columns_can_be_read_apart_and_in_another_order()
    {
        var table = await Csv("a,b,c\n1,2,3\n", new() { Columns = ["c", "a"] });
        Assert.Equal(["c", "a"], table.Columns.Select(column => column.Name));
    }

    [Theory]
    [InlineData("t.csv")]
    [InlineData("t.tsv")]
    [InlineData("t.parquet")]
    public async Task What_is_written_is_read_back(string name)
    {
        var table = new Table([
            new NumberColumn("n", [1, double.NaN, 999_999_999_999_999], integral: true),
            new NumberColumn("x", [0.1, -0.0, 1e300]),
            new TextColumn("s", [" lead", null, "a,\"b\"\nc\té"]),
            new TimeColumn("t", [0, TimeColumn.Missing, 1_709_208_001_500_000])]);
        await TableFile.WriteAsync(table, _folder[name], cancel: Cancel);
        var read = await TableFile.ReadAsync(_folder[name], cancel: Cancel);
        Assert.Equal(table.Columns.Select(c => c.Name), read.Columns.Select(c => c.Name));
        foreach (var column in table.Columns)
        {
            Assert.Equal(column.Kind, read[column.Name].Kind);
            Assert.Equal(Enumerable.Range(0, 3).Select(column.Text), Enumerable.Range(0, 3).Select(read[column.Name].Text));
        }

        Assert.True(Assert.IsType<NumberColumn>(read["n"]).Integral);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-7, "-7")]
    [InlineData(0.1, "0.1")]
    [InlineData(100.25, "100.25")]
    [InlineData(999_999_999_999_999, "999999999999999")]
    [InlineData(1e15, "1E+015")]
    [InlineData(-1.5e20, "-1.5E+020")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00005, "5E-005")]
    [InlineData(5e-324, "5E-324")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157E+308")]
    [InlineData(double.NaN, "")]
    public void A_number_has_one_text_that_reads_back_as_it(double value, string text)
    {
        Assert.Equal("0", CellText.Number(-0.0));
        Assert.Equal(text, CellText.Number(value));
        Assert.True(text.Length == 0 || (CellText.TryNumber(System.Text.Encoding.ASCII.GetBytes(text), out var read, out _) && read == value));
    }

    [Fact]
    public async Task A_cancelled_write_leaves_neither_file_nor_temporary()
    {
        using var source = new CancellationTokenSource();
        var table = new Table([new NumberColumn("x", new double[500_000])]);
        var stop = new Stop(source);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TableFile.WriteAsync(table, _folder["x.csv"], stop, source.Token));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_cut_parquet_file_is_refused()
    {
        await TableFile.WriteAsync(new Table([new NumberColumn("x", new double[100])]), _folder["x.parquet"], cancel: Cancel);
        var bytes = await File.ReadAllBytesAsync(_folder["x.parquet"], Cancel);
        await File.WriteAllBytesAsync(_folder["x.parquet"], bytes[..^10], Cancel);
        await Assert.ThrowsAsync<TableFormatException>(() => TableFile.ReadAsync(_folder["x.parquet"], cancel: Cancel));
    }

    [Fact]
    public async Task The_raw_adult_files_read_without_an_edit()
    {
        var options = new TableReadOptions { HasHeader = false, ColumnNames = AdultNames };
        var train = await TableFile.ReadAsync(SharedFiles.Require("data/adult.data"), options, cancel: Cancel);
        Assert.Equal(32_561, train.Rows);
        Assert.Equal([39, 50, 38], train.Numbers("age")[..3]);
        Assert.Equal(1836, Enumerable.Range(0, train.Rows).Count(train["workclass"].IsMissing));
        var test = await TableFile.ReadAsync(
            SharedFiles.Require("data/adult.test"),
            options with { Comment = '|', TrimEnd = new Dictionary<string, string> { ["income"] = "." } }, cancel: Cancel);
        Assert.Equal(16_281, test.Rows);
        Assert.Equal(["<=50K", ">50K"], ((TextColumn)test["income"]).Values.Distinct().Order());
    }

    [Fact]
    public async Task The_raw_credit_default_file_reads_without_an_edit()
    {
        var table = await TableFile.ReadAsync(SharedFiles.Require("data/uci_default_credit.csv"), cancel: Cancel);
        Assert.Equal((30_000, 25), (table.Rows, table.Columns.Count));
        Assert.Equal(6636, table.Numbers("default payment next month").Sum());
    }

    private sealed class Stop(CancellationTokenSource source) : IProgress<double>
    {
        public void Report(double value) => source.Cancel();
    }
}
