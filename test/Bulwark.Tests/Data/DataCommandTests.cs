using System.Text.Json;
using Bulwark.Cli;

namespace Bulwark.Tests.Data;

public sealed class DataCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private async Task<(int Code, string Out, string Error)> Run(params string[] words)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await BulwarkCommand.RunAsync([.. words, "-w", _folder["workspace"]], output, error);
        return (code, output.ToString(), error.ToString());
    }

    private async Task<JsonElement> Json(params string[] words)
    {
        var (code, output, error) = await Run([.. words, "--json"]);
        Assert.True(code == 0, error + output);
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    [Fact]
    public async Task Simulate_protect_features_and_reveal_are_one_line_with_an_entry_each()
    {
        await Run("init");
        var simulated = await Json("data", "simulate", "--rows", "500", "--seed", "4", "-o", _folder["p.csv"]);
        Assert.Equal((500, 0), (simulated.GetProperty("rows").GetInt32(), simulated.GetProperty("logIndex").GetInt32()));
        var protection = await Json("data", "protect", _folder["p.csv"], "-o", _folder["p.parquet"]);
        Assert.Equal(simulated.GetProperty("commitment").GetString(), protection.GetProperty("report").GetProperty("commitment").GetString());
        var entry = protection.GetProperty("logIndex").GetInt32();
        Assert.Equal(1 + 1 + protection.GetProperty("report").GetProperty("columns").EnumerateArray().Count(column => column.GetProperty("action").GetString() == "encrypt"), entry);   // each master key's wrap before it
        var features = await Json("data", "features", _folder["p.parquet"], "-o", _folder["f.csv"]);
        Assert.Equal((15, entry + 2), (features.GetProperty("features").GetArrayLength(), features.GetProperty("logIndex").GetInt32()));
        var revealed = await Json("data", "reveal", _folder["p.parquet"], "--columns", "card_number,ssn", "--purpose", "a test", "--rows", "2");
        Assert.True(revealed.GetProperty("logIndex").GetInt32() > entry + 2);   // the unwraps, then who asked for what
        var line = (await File.ReadAllLinesAsync(_folder["p.csv"], TestContext.Current.CancellationToken))[1].Split(',');
        Assert.Equal(line[5], revealed.GetProperty("rows")[0].GetProperty("card_number").GetString());
    }

    [Fact]
    public async Task A_scan_prints_reasons_and_no_value()
    {
        await Run("data", "simulate", "--rows", "300", "-o", _folder["p.csv"]);
        var (code, output, _) = await Run("data", "scan", _folder["p.csv"], "--policy-out", _folder["policy.json"]);
        Assert.Equal(0, code);
        Assert.Contains("Luhn", output);
        var line = (await File.ReadAllLinesAsync(_folder["p.csv"], TestContext.Current.CancellationToken))[1].Split(',');
        Assert.All(line[5..9], value => Assert.DoesNotContain(value, output));
        Assert.Equal("p", Bulwark.Data.ProtectionPolicy.Parse(await File.ReadAllTextAsync(_folder["policy.json"], TestContext.Current.CancellationToken)).Dataset);
    }

    [Theory]
    [InlineData("encrypt")]
    [InlineData("hash")]   // the commitment cannot be computed anew
    public async Task Columns_without_tags_are_believed_by_the_digests_in_the_signed_footer_wherever_they_are_read(string action)
    {
        await Run("init");
        await File.WriteAllTextAsync(_folder["t.csv"], "a,b,c\nx,bravo,u\ny,delta,v\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["policy.json"], """{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"a":{"action":"encrypt"},"c":{"action":"ACTION"}}}""".Replace("ACTION", action, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await Json("data", "protect", _folder["t.csv"], "--policy", _folder["policy.json"], "--footer", "plaintext", "-o", _folder["o.parquet"]);
        var answer = await Run("verify", _folder["o.parquet"]);
        Assert.Equal(0, answer.Code);
        Assert.Contains("as the signed footer says", answer.Out);

        var bytes = await File.ReadAllBytesAsync(_folder["o.parquet"], TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().IndexOf("bravo"u8)] ^= 1;   // in a page of b, which no tag covers
        await File.WriteAllBytesAsync(_folder["o.parquet"], bytes, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await Run("verify", _folder["o.parquet"])).Code);
        Assert.NotEqual(0, (await Run("data", "reveal", _folder["o.parquet"], "--columns", "b", "--purpose", "a test")).Code);
        Assert.NotEqual(0, (await Run("data", "scan", _folder["o.parquet"])).Code);
        Assert.Equal(0, (await Run("data", "reveal", _folder["o.parquet"], "--columns", "a", "--purpose", "a test")).Code);   // its own tags are right
    }

    [Theory]
    [InlineData("vault:https://attacker.example/transit/kek", "vault:https://vault.example/transit/footer", "--kek")]
    [InlineData("vault:https://vault.example.attacker.example/transit/kek", "vault:https://vault.example/transit/footer", "--kek")]
    [InlineData("azure-kv:https://attacker.vault.azure.net/keys/kek", "azure-kv:https://name.vault.azure.net/keys/kek", "--kek")]
    [InlineData("pkcs11:token=t;object=kek", "data/footer", "--kek")]
    [InlineData("pkcs11:token=t;object=kek?module-path=/tmp/attacker.so", "pkcs11:token=t;object=footer", "how to reach")]
    public async Task A_policy_opens_no_store_that_the_command_line_does_not_name(string key, string kek, string why)
    {
        await Run("init");
        await File.WriteAllTextAsync(_folder["t.csv"], "a,b\n1,2\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["policy.json"], """{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"a":{"action":"encrypt","key":"KEY"}}}""".Replace("KEY", key, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var (code, _, error) = await Run("data", "protect", _folder["t.csv"], "--policy", _folder["policy.json"], "--kek", kek, "-o", _folder["o.parquet"]);
        Assert.Equal(2, code);
        Assert.Contains(why, error.ReplaceLineEndings(" "));
    }

    [Theory]
    [InlineData("data reveal {p} --columns ssn", "--purpose")]
    [InlineData("data reveal {p} --columns ssn --purpose x", "workspace")]
    [InlineData("data protect {p} -o {o}.parquet", "workspace")]
    [InlineData("data simulate -o {o}.xlsx", ".parquet")]
    [InlineData("data simulate --rows 10 --customers 5 -o {o}.csv", "--rows")]
    [InlineData("data scan {p}x", "does not exist")]
    [InlineData("data features {p} -o {o}.csv --names a,b", "no column 'time'")]
    public async Task What_cannot_be_asked_exits_2_and_says_why(string words, string why)
    {
        var path = _folder.Write("p.csv", "time,customer_id\n2020-01-01,1\n");
        var (code, _, error) = await Run(words.Replace("{p}", path).Replace("{o}", _folder["out"]).Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(why, error);
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_changed_file_exits_1_and_no_value_appears()
    {
        await Run("init");
        await Run("data", "simulate", "--rows", "100", "-o", _folder["p.csv"]);
        await Run("data", "protect", _folder["p.csv"], "-o", _folder["p.parquet"]);
        Assert.Contains("computed anew", (await Run("verify", _folder["p.parquet"])).Out);
        var bytes = await File.ReadAllBytesAsync(_folder["p.parquet"], TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 4;
        await File.WriteAllBytesAsync(_folder["p.parquet"], bytes, TestContext.Current.CancellationToken);
        var (code, output, error) = await Run("data", "reveal", _folder["p.parquet"], "--columns", "ssn,name,email,medical_history,card_number,amount,time,customer_id,terminal_id,transaction_id,is_fraud,fraud_scenario", "--purpose", "x");
        Assert.Equal(1, code);
        Assert.Contains("was changed", error);
        Assert.Empty(output);
        Assert.Equal(1, (await Run("verify", _folder["p.parquet"])).Code);
    }
}
