namespace Bulwark.EndToEnd.Making;

public sealed class TrainTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-train");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(PathOf("loans.csv"), LoanRows.Csv(), Cancel);
        await File.WriteAllTextAsync(PathOf("schema.json"), LoanRows.Schema, Cancel);
        Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", PathOf("workspace"))).Code);
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_private_run_under_a_declared_schema_is_trained_booked_and_logged()
    {
        var trained = await TrainAsync("model", "--private", "--epsilon", "2", "--schema", PathOf("schema.json"), "--epochs", "5");
        Assert.True(trained.Code == 0, trained.Said);
        var privacy = trained.Json.GetProperty("privacy");
        Assert.InRange(privacy.GetProperty("epsilon").GetDouble(), 1.5, 2);
        Assert.Equal("add or remove one record", privacy.GetProperty("adjacency").GetString());
        Assert.False(trained.Json.TryGetProperty("trainingRows", out _));
        await LoggedRun.AssertAsync(PathOf("workspace"), PathOf("model"), trained);
        Assert.All((string[])["model.onnx", "manifest.json", "report.json", "screen.json"], file => Assert.True(File.Exists(Path.Combine(PathOf("model"), file)), file));
        Assert.InRange(await SpentAsync(), 1.5, 2);
    }

    [Fact]
    public async Task A_private_run_learns_no_relations_and_keeps_declared_ones()
    {
        await File.WriteAllTextAsync(PathOf("relations.yaml"), "format: bulwark-constraints/v1\nrelations:\n  - { name: debts are bounded, rule: debt <= 2 * income + 50 }\n", Cancel);
        var trained = await TrainAsync("related", "--private", "--epsilon", "1", "--schema", PathOf("schema.json"), "--epochs", "2", "--constraints", PathOf("relations.yaml"));
        Assert.True(trained.Code == 0, trained.Said);
        var shown = await CommandLine.RunAsync("model", "screen", PathOf("related"), "--json");
        var relation = Assert.Single(shown.Json.GetProperty("relations").EnumerateArray());
        Assert.Equal("declared", relation.GetProperty("origin").GetString());
        await File.WriteAllTextAsync(PathOf("broken.yaml"), "format: bulwark-constraints/v1\nrelations:\n  - { name: nobody owes more than he earns, rule: debt <= income }\n", Cancel);
        var broken = await TrainAsync("broken", "--private", "--epsilon", "1", "--schema", PathOf("schema.json"), "--constraints", PathOf("broken.yaml"));
        Assert.True(broken.Code == 2, broken.Said);
        Assert.Contains("'nobody owes more than he earns': debt <= income", broken.Error, StringComparison.Ordinal);
        Assert.InRange(await SpentAsync(), 0.5, 1);
        var refused = await TrainAsync("unrelated", "--constraints", PathOf("schema.json"));
        Assert.True(refused.Code == 2, refused.Said);
        Assert.False(Directory.Exists(PathOf("unrelated")));
    }

    [Fact]
    public async Task A_second_run_beyond_the_budget_is_refused_and_writes_nothing()
    {
        string[] options = ["--private", "--epsilon", "1", "--budget", "1.2", "--schema", PathOf("schema.json"), "--epochs", "2"];
        Assert.Equal(0, (await TrainAsync("first", options)).Code);
        var refused = await TrainAsync("second", options);
        Assert.True(refused.Code == 2, refused.Said);
        Assert.Contains("budget", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(PathOf("second")));
        Assert.InRange(await SpentAsync(), 0.5, 1.2);
    }

    [Fact]
    public async Task A_private_run_that_is_killed_has_paid_and_leaves_nothing_to_go_on_from()
    {
        using (var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Bulwark.Cli.dll"), "train", PathOf("loans.csv"), "--label", "bad", "--private", "--epsilon", "1", "--budget", "1.6", "--schema", PathOf("schema.json"), "--epochs", "200000", "-o", PathOf("killed"), "-w", PathOf("workspace")])
        { RedirectStandardOutput = true, RedirectStandardError = true })!)
        {
            while (!process.HasExited && !(File.Exists(PathOf("workspace/ledger.jsonl")) && (await File.ReadAllTextAsync(PathOf("workspace/ledger.jsonl"), Cancel)).Contains("private training", StringComparison.Ordinal)))
                await Task.Delay(50, Cancel);
            await Task.Delay(300, Cancel);   // in the middle of its steps
            Assert.False(process.HasExited, "it was to be killed in its steps");
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }

        Assert.False(Directory.Exists(PathOf("killed")));
        Assert.InRange(await SpentAsync(), 0.9, 1);   // no refund
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories), file => file.EndsWith(".onnx", StringComparison.Ordinal)
            || (file.Contains(".tmp", StringComparison.Ordinal) && !file.StartsWith(PathOf("workspace"), StringComparison.Ordinal)));   // the log there may have been at the entry of the booking
        Assert.Equal(0, (await TrainAsync("again", "--private", "--epsilon", "1", "--schema", PathOf("schema.json"), "--epochs", "2")).Code);   // a fresh run, paid for anew
        Assert.InRange(await SpentAsync(), 1.1, 1.6);
        Assert.Equal(2, (await TrainAsync("third", "--private", "--epsilon", "1", "--schema", PathOf("schema.json"), "--epochs", "2")).Code);
    }

    [Fact]
    public async Task Another_output_or_split_of_the_same_file_is_no_fresh_budget()
    {
        string[] options = ["--private", "--epsilon", "1", "--schema", PathOf("schema.json"), "--epochs", "2"];
        Assert.Equal(0, (await TrainAsync("first", options)).Code);
        Assert.Equal(2, (await TrainAsync("second", [.. options, "--seed", "2", "--test-fraction", "0.5"])).Code);
    }

    [Fact]
    public async Task Without_declared_bounds_a_private_run_is_refused_naming_the_features()
    {
        var refused = await TrainAsync("model", "--private", "--drop", "region");
        Assert.True(refused.Code == 2, refused.Said);
        Assert.Contains("income, debt", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--bounds-epsilon", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(PathOf("model")));
    }

    [Fact]
    public async Task Bounds_that_are_paid_for_are_accepted_and_charged()
    {
        await File.WriteAllTextAsync(PathOf("open.json"), LoanRows.SchemaWithoutBounds, Cancel);
        var trained = await TrainAsync("model", "--private", "--epsilon", "4", "--bounds-epsilon", "2", "--schema", PathOf("open.json"), "--epochs", "2");
        Assert.True(trained.Code == 0, trained.Said);
        Assert.InRange(trained.Json.GetProperty("privacy").GetProperty("epsilon").GetDouble(), 2, 4);
        Assert.InRange(await SpentAsync(), 2, 4);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("5")]
    public async Task A_price_for_bounds_outside_the_runs_budget_is_refused(string price)
    {
        await File.WriteAllTextAsync(PathOf("open.json"), LoanRows.SchemaWithoutBounds, Cancel);
        var refused = await TrainAsync("model", "--private", "--epsilon", "4", "--bounds-epsilon", price, "--schema", PathOf("open.json"));
        Assert.Equal(2, refused.Code);
        Assert.Contains($"--bounds-epsilon is {price}", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kinds_that_nobody_declared_cannot_be_paid_for()
    {
        var refused = await TrainAsync("model", "--private", "--epsilon", "4", "--bounds-epsilon", "2");
        Assert.True(refused.Code == 2, refused.Said);
        Assert.Contains("--bounds-epsilon pays for bounds only", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_run_without_a_workspace_is_refused()
    {
        var refused = await CommandLine.RunAsync("train", PathOf("loans.csv"), "--label", "bad", "--private", "--schema", PathOf("schema.json"), "-o", PathOf("model"), "-w", PathOf("none"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("bulwark init", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_label_column_is_named_with_the_columns_that_there_are()
    {
        var refused = await CommandLine.RunAsync("train", PathOf("loans.csv"), "--label", "default", "-o", PathOf("model"), "-w", PathOf("workspace"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("There is no column 'default'. The columns are: income, debt, region, bad.", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_constant_label_is_refused_by_its_name()
    {
        await File.WriteAllTextAsync(PathOf("loans.csv"), "income,bad\n" + string.Concat(Enumerable.Range(0, 40).Select(row => $"{row},0\n")), Cancel);
        var refused = await TrainAsync("model");
        Assert.Equal(2, refused.Code);
        Assert.Contains("Label 'bad' is constant", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_is_no_number_is_refused_with_row_and_column_and_is_not_shown()
    {
        var lines = LoanRows.Csv().Split('\n');
        lines[7] = "secret-word,1,north,0";
        await File.WriteAllTextAsync(PathOf("loans.csv"), string.Join('\n', lines), Cancel);
        var refused = await TrainAsync("model", "--schema", PathOf("schema.json"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("Row 7 of column 'income' does not hold a number.", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-word", refused.Error + refused.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(PathOf("model")));
    }

    [Fact]
    public async Task An_output_folder_with_foreign_files_is_left_alone()
    {
        Directory.CreateDirectory(PathOf("model"));
        await File.WriteAllTextAsync(Path.Combine(PathOf("model"), "thesis.txt"), "mine", Cancel);
        Assert.Equal(2, (await TrainAsync("model", "--epochs", "1", "--hidden", "4")).Code);
        Assert.Equal(["thesis.txt"], Directory.EnumerateFiles(PathOf("model")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_sweep_trains_and_attacks_one_model_a_weight()
    {
        var swept = await TrainAsync("sweep", "--robust", "--frontier", "0,2", "--schema", PathOf("schema.json"), "--epochs", "5", "--hidden", "8", "--attack-eps", "0.1");
        Assert.True(swept.Code == 0, swept.Said);
        Assert.Equal([0, 2], swept.Json.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("weight").GetDouble()));
        Assert.All((string[])["weight-0/model.onnx", "weight-2/model.onnx", "weight-0.json", "weight-2.json"], file => Assert.True(File.Exists(Path.Combine(PathOf("sweep"), file)), file));
        var refused = await TrainAsync("again", "--frontier", "1", "--schema", PathOf("schema.json"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("add --robust", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_robust_run_learns_against_an_attacker_who_pays()
    {
        await File.WriteAllTextAsync(PathOf("prices.json"), """{ "format": "bulwark-constraints/v1", "features": { "debt": { "up": 0.1, "down": 0.02 } } }""", Cancel);
        var trained = await TrainAsync("paid", "--robust", "--attack-prices", PathOf("prices.json"), "--attack-eps", "0.3", "--schema", PathOf("schema.json"), "--epochs", "3", "--hidden", "8");
        Assert.True(trained.Code == 0, trained.Said);
        Assert.Equal("cost", trained.Json.GetProperty("options").GetProperty("robust").GetProperty("norm").GetString());
        await File.WriteAllTextAsync(PathOf("free.json"), """{ "format": "bulwark-constraints/v1" }""", Cancel);
        var refused = await TrainAsync("free", "--robust", "--attack-prices", PathOf("free.json"), "--schema", PathOf("schema.json"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("'debt' can be moved for nothing", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_votes_learns_no_relations_and_says_what_its_screen_refuses()
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, 800).Select(_ => (Day: random.Next(50), More: random.Next(50)));
        await File.WriteAllTextAsync(PathOf("loans.csv"), "day,week,bad\n" + string.Concat(rows.Select(row => $"{row.Day},{row.Day + row.More},{(row.More > 25 ? 1 : 0)}\n")), Cancel);
        await File.WriteAllTextAsync(PathOf("schema.json"), """{"label":"bad","features":[{"name":"day","kind":"numeric","minimum":0,"maximum":100},{"name":"week","kind":"numeric","minimum":0,"maximum":100}]}""", Cancel);
        string[] options = ["--model", "lr", "--schema", PathOf("schema.json"), "--epochs", "2"];
        var alone = await TrainAsync("alone", options);
        Assert.Equal(1, alone.Json.GetProperty("screenRelations").GetInt32());
        var votes = await TrainAsync("votes", [.. options, "--parts", "3"]);
        Assert.True(votes.Code == 0, votes.Said);
        Assert.Equal(0, votes.Json.GetProperty("screenRefusals").GetProperty("relations").GetInt32());
        Assert.Empty((await CommandLine.RunAsync("model", "screen", PathOf("votes"), "--json")).Json.GetProperty("relations").EnumerateArray());
    }

    [Fact]
    public async Task Several_members_become_one_model_that_gradients_attack_and_bounds_certify()
    {
        var trained = await TrainAsync("joint", "--members", "3", "--hidden", "6", "--epochs", "5", "--schema", PathOf("schema.json"));
        Assert.True(trained.Code == 0, trained.Said);
        Assert.Contains("-18-1", trained.Json.GetProperty("shape").GetString()!, StringComparison.Ordinal);
        var certified = await CommandLine.RunAsync("certify", "rows", "--model", PathOf("joint"), "--data", PathOf("loans.csv"), "--eps", "0.001", "--mutable", "debt", "--json", "-w", PathOf("workspace"));
        Assert.True(certified.Code == 0, certified.Said);
        var refused = await TrainAsync("secret", "--members", "3", "--private", "--schema", PathOf("schema.json"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("pay for each", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parts_become_a_model_that_votes_with_its_certificate_beside_it()
    {
        var trained = await TrainAsync("vote", "--parts", "7", "--model", "lr", "--schema", PathOf("schema.json"));
        Assert.True(trained.Code == 0, trained.Said);
        await LoggedRun.AssertAsync(PathOf("workspace"), PathOf("vote"), trained);
        var certified = trained.Json.GetProperty("certified").EnumerateArray().Select(share => share.GetProperty("rows").GetProperty("rate").GetDouble()).ToList();
        Assert.Equal(3, certified.Count);   // 0, 1 and 2 of at most 3 poisoned rows
        Assert.Equal(certified.OrderDescending(), certified);
        Assert.True(certified[1] > 0.5, trained.Output);
        Assert.All((string[])["model.onnx", "manifest.json", "report.json", "screen.json"], file => Assert.True(File.Exists(Path.Combine(PathOf("vote"), file)), file));
        var scored = await CommandLine.RunAsync("attack", "suite", "-m", PathOf("vote"), "-d", PathOf("loans.csv"), "--label", "bad", "--mutable", "debt", "--samples", "20", "--queries", "20", "--no-checks", "--json", "-w", PathOf("workspace"));
        Assert.True(scored.Code == 0, scored.Said);
        var even = await TrainAsync("even", "--parts", "6", "--model", "lr", "--schema", PathOf("schema.json"));
        Assert.Equal(2, even.Code);
        Assert.Contains("odd", even.Error, StringComparison.Ordinal);
        var inferred = await TrainAsync("inferred", "--parts", "7", "--model", "lr");
        Assert.Equal(2, inferred.Code);
        Assert.Contains("declared schema", inferred.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Robust_trees_are_written_and_proven_by_the_attack_on_trees()
    {
        var trained = await TrainAsync("trees", "--model", "trees", "--trees", "10", "--depth", "3", "--robust", "--attack-eps", "0.05", "--learning-rate", "0.5", "--schema", PathOf("schema.json"));
        Assert.True(trained.Code == 0, trained.Said);
        await LoggedRun.AssertAsync(PathOf("workspace"), PathOf("trees"), trained);
        Assert.InRange(trained.Json.GetProperty("evaluation").GetProperty("accuracy").GetDouble(), 0.85, 1);
        var attacked = await CommandLine.RunAsync("attack", "trees", "-t", Path.Combine(PathOf("trees"), "model.onnx"), "-d", PathOf("loans.csv"), "--label", "bad", "--schema", PathOf("schema.json"), "--within", "0.05", "--samples", "60", "--json", "-w", PathOf("workspace"));
        Assert.True(attacked.Code == 0, attacked.Said);
        Assert.InRange(attacked.Json.GetProperty("report").GetProperty("proven").GetProperty("rate").GetDouble(), 0.5, 1);
        Assert.Equal(2, (await TrainAsync("secret", "--model", "trees", "--private", "--schema", PathOf("schema.json"))).Code);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private Task<CommandLine.Answered> TrainAsync(string output, params string[] options) =>
        CommandLine.RunAsync(["train", PathOf("loans.csv"), "--label", "bad", .. options, "-o", PathOf(output), "--json", "-w", PathOf("workspace")]);

    private async Task<double> SpentAsync()
    {
        var ledger = await CommandLine.RunAsync("privacy", "ledger", "show", "--json", "-w", PathOf("workspace"));
        return Assert.Single(ledger.Json.GetProperty("datasets").EnumerateArray()).GetProperty("epsilonUpper").GetDouble();
    }
}
