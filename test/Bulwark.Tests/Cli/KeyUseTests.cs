using System.Text.Json;

namespace Bulwark.Tests.Cli;

/// <summary>No command opens or wraps a key around the log.</summary>
public sealed class KeyUseTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await RunAsync(0, "init");
        var rows = Enumerable.Range(0, 400).Select(i => $"{i},{i % 7},{(i * 13) % 5},{(i % 3 == 0 ? 1 : 0)}");
        await File.WriteAllTextAsync(_folder["t.csv"], "id,a,secret,label\n" + string.Join('\n', rows) + "\n", Cancel);
        await File.WriteAllTextAsync(_folder["policy.json"], """{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"secret":{"action":"encrypt"}}}""", Cancel);
        await RunAsync(0, "data", "protect", _folder["t.csv"], "--policy", _folder["policy.json"], "-o", _folder["t.parquet"]);
        await RunAsync(0, "data", "protect", _folder["t.csv"], "--policy", _folder["policy.json"], "--rows-per-file", "150", "-o", _folder["parts"]);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    [Fact]
    public async Task Training_attacking_and_verifying_record_each_key_they_use_also_of_a_folder()
    {
        await RecordsAsync("train", "unwrap", "train", _folder["t.parquet"], "--label", "label", "--drop", "id", "--epochs", "1", "-o", _folder["m1"]);
        await RecordsAsync("train", "unwrap", "train", _folder["parts"], "--label", "label", "--drop", "id", "--epochs", "1", "--purpose", "a test", "-o", _folder["m2"]);
        await RecordsAsync("attack", "unwrap", "attack", "membership", "--model", _folder["m1"], "--members", _folder["parts"], "--others", _folder["t.parquet"]);
        await RecordsAsync("scan", "unwrap", "data", "scan", _folder["t.parquet"]);
        await RecordsAsync("prove", "unwrap", "lineage", "prove", _folder["t.parquet"], "--group", "0", "-o", _folder["p.json"]);
        await RecordsAsync("verify", "unwrap", "verify", _folder["t.parquet"]);
        await RecordsAsync("verify", "unwrap", "verify", _folder["parts"]);
    }

    [Fact]
    public async Task Models_and_sealed_files_record_it_too()
    {
        await RunAsync(0, "train", _folder["t.csv"], "--label", "label", "--drop", "id", "--epochs", "1", "-o", _folder["m"]);
        await RecordsAsync("seal model", "wrap", "model", "seal", _folder["m"], "-o", _folder["m.bulwark"], "--name", "m", "--version", "1");
        await RecordsAsync("seal", "wrap", "seal", _folder["t.csv"], "-o", _folder["t.sealed"]);
        await RecordsAsync("verify", "unwrap", "verify", _folder["t.sealed"]);
    }

    [Fact]
    public async Task A_package_goes_under_the_newest_key_beside_it_and_stays_as_it_was_signed()
    {
        await RunAsync(0, "train", _folder["t.csv"], "--label", "label", "--drop", "id", "--epochs", "1", "-o", _folder["m"]);
        Directory.CreateDirectory(_folder["packages"]);
        await RunAsync(0, "model", "seal", _folder["m"], "-o", _folder["packages/m.bulwark"], "--name", "m", "--version", "1");
        await RunAsync(0, "keys", "rewrap", _folder["packages"]);
        await RunAsync(0, "keys", "rotate", "sealing");
        var signed = await File.ReadAllBytesAsync(_folder["packages/m.bulwark"], Cancel);
        var answer = JsonDocument.Parse((await RunAsync(0, "keys", "rewrap", _folder["packages"], "--json")).Output).RootElement;
        Assert.Equal((1, 0), (answer.GetProperty("rewrapped").GetInt32(), answer.GetProperty("newest").GetInt32()));
        await RunAsync(0, "keys", "destroy", "sealing@1", "--yes");
        Assert.Equal(signed, await File.ReadAllBytesAsync(_folder["packages/m.bulwark"], Cancel));
        Assert.Equal(1, JsonDocument.Parse((await RunAsync(0, "keys", "rewrap", _folder["packages"], "--json")).Output).RootElement.GetProperty("newest").GetInt32());
        await RunAsync(0, "attack", "evasion", "--model", _folder["packages/m.bulwark"], "--data", _folder["t.csv"], "--samples", "4", "--queries", "5", "--label", "label", "--mutable", "all");
    }

    [Fact]
    public async Task Who_opened_columns_of_an_erased_subjects_data_is_listed()
    {
        await File.WriteAllTextAsync(_folder["s.csv"], "id,who,diagnosis\n1,ann,I10\n2,bob,J45\n", Cancel);
        await File.WriteAllTextAsync(_folder["s.json"], """{"format":"data-policy/v1","dataset":"s","subject":"who","rowKey":"id","otherwise":"keep","columns":{"who":{"action":"drop"},"diagnosis":{"action":"encryptValue","perSubject":true}}}""", Cancel);
        await RunAsync(0, "data", "protect", _folder["s.csv"], "--policy", _folder["s.json"], "-o", _folder["s.parquet"]);
        await RunAsync(0, "data", "reveal", _folder["s.parquet"], "--columns", "diagnosis", "--purpose", "a study", "-o", _folder["out.csv"]);
        var answer = JsonDocument.Parse((await RunAsync(0, "data", "shred", "--subject", "ann", "--json")).Output).RootElement;
        var reveal = answer.GetProperty("erased")[0].GetProperty("reveals")[0];
        Assert.Equal(("a study", "diagnosis"), (reveal.GetProperty("purpose").GetString(), reveal.GetProperty("columns")[0].GetString()));
    }

    [Fact]
    public async Task The_files_id_stands_in_the_entry()
    {
        var dataset = JsonDocument.Parse((await RunAsync(0, "verify", _folder["t.parquet"], "--json")).Output).RootElement.GetProperty("links")[0].GetProperty("detail").GetString()!;
        var (_, output) = await RunAsync(0, "log", "search", "--type", "key-use", "--json");
        Assert.Contains(dataset, output);
    }

    [Fact]
    public async Task A_folder_that_lost_a_part_or_got_a_strange_one_is_refused()
    {
        await RunAsync(0, "verify", _folder["parts"]);
        File.Copy(Path.Combine(_folder["parts"], "part-00000.parquet"), Path.Combine(_folder["parts"], "part-00009.parquet"));
        Assert.Contains("part-00009", (await RunAsync(1, "verify", _folder["parts"])).Output);
        File.Delete(Path.Combine(_folder["parts"], "part-00009.parquet"));
        File.Delete(Path.Combine(_folder["parts"], "part-00001.parquet"));
        Assert.Contains("part-00001", (await RunAsync(1, "verify", _folder["parts"])).Output);
    }

    private async Task RecordsAsync(string purpose, string operation, params string[] command)
    {
        var before = await UsesAsync(purpose, operation);
        await RunAsync(0, command);
        Assert.True(await UsesAsync(purpose, operation) > before, $"{string.Join(' ', command)}: no entry of a {operation} for {purpose}");
    }

    private async Task<int> UsesAsync(string purpose, string operation)
    {
        var found = 0;
        using var keys = Bulwark.Cli.Workspace.At(new DirectoryInfo(_folder["w"])).OpenKeys();
        await using var log = await Bulwark.Cli.Workspace.At(new DirectoryInfo(_folder["w"])).OpenLogAsync(keys);
        foreach (var (_, entry) in log.ReadEntries())
        {
            var statement = Bulwark.Lineage.Statement.Parse(Bulwark.Lineage.Dsse.Verify(entry, [keys.PublicKey("signing")]).Payload);
            if (statement.PredicateType == Bulwark.Lineage.PredicateTypes.KeyUse && statement.Read<Bulwark.Lineage.KeyUsed>() is var use && use.Purpose == purpose && use.Operation == operation)
                found++;
        }

        return found;
    }

    private async Task<(int Code, string Output)> RunAsync(int expected, params string[] words)
    {
        var (code, output, error) = await CommandContractTests.RunAsync([.. words, "-w", _folder["w"]]);
        Assert.True(code == expected, $"{string.Join(' ', words)}: exit {code}\n{output}{error}");
        return (code, output);
    }
}
