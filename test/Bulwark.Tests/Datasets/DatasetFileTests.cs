using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Training;

namespace Bulwark.Tests.Datasets;

public sealed class DatasetFileTests : IDisposable
{
    private static readonly SchemaOptions Options = new() { Label = "is_fraud", Drop = ["time", "transaction_id", "card_number", "ssn", "name", "email", "medical_history", "customer_id", "terminal_id"] };

    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 100, Terminals = 200, Days = 40, Seed = 3 }) is var table
        ? table.With(new NumberColumn("nothing", new double[table.Rows])).With(new TextColumn("city", [.. Enumerable.Range(0, table.Rows).Select(row => row % 7 == 0 ? null : $"city{row % 5}")]))
        : null!;

    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;

    public DatasetFileTests() => _keys = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<string> Protect(bool encryptAmount = false)
    {
        var amount = encryptAmount ? "encrypt" : "keep";
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"ssn":{"action":"drop"},"amount":{"action":"ACTION"}}}""".Replace("ACTION", amount));
        using var source = TableSource.Of(Payments);
        await DataProtection.ProtectAsync(source, policy, _keys, _folder["parts"], new() { RowsPerFile = 3000 }, cancel: Cancel);
        return _folder["parts"];
    }

    private static void Same(Dataset expected, Dataset actual)
    {
        Assert.Equal(expected.Schema.ToJson(), actual.Schema.ToJson());
        Assert.Equal(expected.Raw, actual.Raw);
        Assert.Equal(expected.Labels, actual.Labels);
        Assert.Equal(expected.UnknownCategories, actual.UnknownCategories);
        Assert.Equal(expected.Commitment, actual.Commitment);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("time")]
    public async Task A_protected_folder_read_by_columns_is_the_table_read_whole(string? time)
    {
        var reading = new TableReadOptions { Keys = _keys };
        var options = Options with { Drop = [.. Options.Drop.Where(name => name != "ssn")] };
        var path = await Protect();
        var rule = new SplitRule(0.25, 7, time);
        var (train, test) = await DatasetFile.ReadAsync(path, reading, options, rule, cancel: Cancel);
        Assert.Equal(["amount", "fraud_scenario", "city"], train.Schema.Features.Select(feature => feature.Name));
        var (trainByColumns, testByColumns) = await DatasetFile.ReadAsync(path, reading, options, rule, 1000, Cancel);
        Same(train, trainByColumns);
        Same(test, testByColumns);
        Same(await DatasetFile.ReadAsync(path, reading, options, train.Schema, cancel: Cancel), await DatasetFile.ReadAsync(path, reading, options, train.Schema, 1000, Cancel));
    }

    [Fact]
    public async Task A_plain_file_read_by_columns_is_the_table_read_whole()
    {
        await TableFile.WriteAsync(Payments, _folder["t.parquet"], cancel: Cancel);
        Same(DatasetReader.Read(Payments, Options), await DatasetFile.ReadAsync(_folder["t.parquet"], null, Options, cellsOfATable: 1000, cancel: Cancel));
    }

    [Fact]
    public async Task Encrypted_columns_are_features_only_when_they_are_opened()
    {
        var path = await Protect(encryptAmount: true);
        var options = Options with { Drop = [.. Options.Drop.Where(name => name != "ssn")] };
        var shut = await DatasetFile.ReadAsync(path, new() { Keys = _keys }, options, cellsOfATable: 1000, cancel: Cancel);
        Assert.DoesNotContain("amount", shut.Schema.Features.Select(feature => feature.Name));
        var opened = await DatasetFile.ReadAsync(path, new() { Keys = _keys, OpenEncrypted = true }, options, cellsOfATable: 1000, cancel: Cancel);
        Assert.Equal(Payments.Numbers("amount").Select(value => (float)value), opened.Raw.Chunk(opened.Width).Select(row => row[0]));
    }

    [Fact]
    public async Task A_fault_names_the_row_of_the_whole_table_and_a_missing_column_is_named()
    {
        var labels = Payments["is_fraud"] is NumberColumn number ? number.Values.ToArray() : [];
        labels[4000] = 2;
        await TableFile.WriteAsync(Payments.With(new NumberColumn("is_fraud", labels, true)), _folder["t.parquet"], cancel: Cancel);
        var fault = await Assert.ThrowsAsync<DatasetException>(() => DatasetFile.ReadAsync(_folder["t.parquet"], null, Options with { Negative = ["0"] }, new SplitRule(0.5), 1000, Cancel));
        Assert.Equal(4001, fault.Row);
        await Assert.ThrowsAsync<DatasetException>(() => DatasetFile.ReadAsync(_folder["t.parquet"], null, Options with { Drop = ["x"] }, cellsOfATable: 1000, cancel: Cancel));
    }
}
