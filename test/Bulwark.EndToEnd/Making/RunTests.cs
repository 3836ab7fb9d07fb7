namespace Bulwark.EndToEnd.Making;

public sealed class RunTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-run");

    public async ValueTask InitializeAsync() => await File.WriteAllTextAsync(PathOf("loans.csv"), LoanRows.Csv(withMissing: true), Cancel);

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_plain_variant_is_trained_sealed_and_served_from_rows_that_nobody_declared()
    {
        var ran = await RunAsync("- { name: plain, hidden: [8], epochs: 60 }", "seal: plain");
        Assert.True(File.Exists(PathOf("out/report.html")), ran.Said);
        Assert.True(ran.Json.GetProperty("variants")[0].GetProperty("auc").GetDouble() > 0.8, ran.Said);
        Assert.Equal(ran.Code == 0, ran.Json.GetProperty("refusals").EnumerateArray().All(refusal => refusal.GetProperty("refused").GetBoolean()));
        Assert.True(ran.Code == 0, ran.Said);
        var verified = await CommandLine.RunAsync("verify", PathOf("out/receipt/receipt.json"), "--key", PathOf("out/receipt/worker.key"), "--json", "-w", PathOf("workspace"));
        Assert.True(verified.Code == 0, verified.Said);
    }

    [Fact]
    public async Task A_second_run_reuses_its_steps_and_another_workspace_does_not()
    {
        const string Variant = "- { name: plain, model: lr, epochs: 1 }";
        Assert.Equal(0, (await RunAsync(Variant)).Code);
        var record = await File.ReadAllTextAsync(PathOf("out/steps/train-plain.json"), Cancel);
        Assert.Equal(0, (await RunAsync(Variant)).Code);
        Assert.Equal(record, await File.ReadAllTextAsync(PathOf("out/steps/train-plain.json"), Cancel));
        Assert.Equal(0, (await RunAsync(Variant, workspace: "other")).Code);
        Assert.NotEqual(record, await File.ReadAllTextAsync(PathOf("out/steps/train-plain.json"), Cancel));
    }

    [Fact]
    public async Task A_private_variant_is_refused_with_the_features_to_declare_and_spends_nothing()
    {
        var refused = await RunAsync("- { name: private, private: { epsilon: 1, delta: 1e-5 } }");
        Assert.True(refused.Code == 2, refused.Said);
        Assert.Contains("income, debt, region", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("workspace/ledger.jsonl")));
        Assert.False(Directory.Exists(PathOf("out/models/private")));
    }

    [Fact]
    public async Task A_folder_with_foreign_files_is_refused_even_when_fresh()
    {
        Directory.CreateDirectory(PathOf("out"));
        await File.WriteAllTextAsync(PathOf("out/thesis.txt"), "mine", Cancel);
        Assert.Equal(2, (await RunAsync("- { name: plain, model: lr, epochs: 1 }", fresh: true)).Code);
        Assert.Equal("mine", await File.ReadAllTextAsync(PathOf("out/thesis.txt"), Cancel));
    }

    [Fact]
    public async Task Fresh_never_removes_a_workspace_inside_the_runs_folder()
    {
        Assert.Equal(0, (await RunAsync("- { name: plain, model: lr, epochs: 1 }", workspace: "out/workspace")).Code);
        var refused = await RunAsync("- { name: plain, model: lr, epochs: 1 }", workspace: "out/workspace", fresh: true);
        Assert.Equal(2, refused.Code);
        Assert.Contains("keys and its ledger", refused.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(PathOf("out/workspace/keyring.json")));
    }

    [Fact]
    public async Task A_missing_data_file_is_refused_with_where_it_was_looked_for()
    {
        File.Delete(PathOf("loans.csv"));
        var refused = await RunAsync("- { name: plain }");
        Assert.Equal(2, refused.Code);
        Assert.Contains("There is no loans.csv in", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(PathOf("out")));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task<CommandLine.Answered> RunAsync(string variant, string more = "", string workspace = "workspace", bool fresh = false)
    {
        await File.WriteAllTextAsync(PathOf("loans.yaml"), $$"""
            name: loans
            data: { train: loans.csv }
            label: bad
            positive: ["1"]
            attack: { samples: 20, strengths: [0.1] }
            variants:
              {{variant}}
            {{more}}
            """, Cancel);
        string[] arguments = ["run", PathOf("loans.yaml"), "--data", _folder.FullName, "-o", PathOf("out"), "--json", "-w", PathOf(workspace)];
        return await CommandLine.RunAsync(fresh ? [.. arguments, "--fresh"] : arguments);
    }
}
