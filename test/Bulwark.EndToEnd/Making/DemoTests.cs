using System.Text.Json;

namespace Bulwark.EndToEnd.Making;

public sealed class DemoTests(DemoFixture demo) : IClassFixture<DemoFixture>
{
    [Fact]
    public void The_demo_succeeds_and_answers_with_one_document()
    {
        Assert.True(demo.Answered.Code == 0, demo.Answered.Said);
        var answer = demo.Answered.Json;
        Assert.Equal(["plain", "private", "robust", "private-robust"], answer.GetProperty("variants").EnumerateArray().Select(variant => variant.GetProperty("name").GetString()));
        Assert.All(answer.GetProperty("variants").EnumerateArray(), variant =>
            Assert.Equal(variant.GetProperty("name").GetString()!.StartsWith("private", StringComparison.Ordinal), variant.TryGetProperty("epsilon", out _)));
    }

    [Fact]
    public void Everything_that_must_be_refused_is_refused()
    {
        var refusals = demo.Answered.Json.GetProperty("refusals").EnumerateArray().ToArray();
        Assert.True(refusals.Length >= 12, demo.Answered.Said);
        Assert.All(refusals, refusal => Assert.True(refusal.GetProperty("refused").GetBoolean(), refusal.ToString()));
    }

    [Fact]
    public async Task The_report_is_one_file_that_asks_nothing_of_the_network_and_runs_nothing()
    {
        var html = await File.ReadAllTextAsync(demo.PathOf("report.html"), Cancel);
        Assert.DoesNotMatch("""(?i)<(script|link|iframe|object|embed|img)\b|@import|url\(|(src|href)="(?!#)""", html);
        Assert.Contains("Card fraud, end to end", html, StringComparison.Ordinal);
        Assert.Contains("Attestation was simulated", html, StringComparison.Ordinal);
    }

    [Fact]
    public void No_half_written_file_is_left() =>
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(demo.Folder, "*", SearchOption.AllDirectories), path => path.Contains(".tmp", StringComparison.Ordinal) || path.Contains("tampered", StringComparison.Ordinal));

    [Fact]
    public async Task The_receipt_leads_from_the_prediction_to_the_data()
    {
        var verified = await ReceiptAsync(demo.PathOf("receipt/worker.key"));
        Assert.True(verified.Code == 0, verified.Said);
        var links = verified.Json.GetProperty("links").Deserialize<Bulwark.Lineage.EvidenceLink[]>(JsonSerializerOptions.Web)!.SelectMany(link => link.Flatten()).ToDictionary(link => link.Name, link => link.Holds);
        Assert.All((string[])["checkpoint", "policy", "attestation", "package", "training", "privacy", "data"], link => Assert.True(links[link], link));
    }

    [Fact]
    public async Task The_receipt_is_not_believed_under_another_workers_key()
    {
        await CommandLine.RunAsync("init", "-w", demo.Beside("stranger"));
        using var keys = Bulwark.Cli.Workspace.At(new(demo.Beside("stranger"))).OpenKeys();
        Assert.Equal(1, (await ReceiptAsync(keys.PublicKey(Bulwark.Cli.Workspace.SigningKey).ToString())).Code);
    }

    [Fact]
    public async Task The_receipt_is_not_believed_for_another_answer()
    {
        var other = demo.Beside("other-response.json");
        await File.WriteAllTextAsync(other, (await File.ReadAllTextAsync(demo.PathOf("receipt/response.json"), Cancel)) + " ", Cancel);
        Assert.Equal(1, (await ReceiptAsync(demo.PathOf("receipt/worker.key"), "--response", other)).Code);
    }

    [Fact]
    public async Task The_package_verifies_and_a_flipped_bit_in_it_is_refused()
    {
        var whole = await InWorkspaceAsync("model", "verify", demo.Package);
        Assert.True(whole.Code == 0, whole.Said);
        var bytes = await File.ReadAllBytesAsync(demo.Package, Cancel);
        foreach (var place in (int[])[0, bytes.Length / 3, bytes.Length - 1])
        {
            bytes[place] ^= 1;
            await File.WriteAllBytesAsync(demo.Beside("flipped.bulwark"), bytes, Cancel);
            bytes[place] ^= 1;
            var flipped = await InWorkspaceAsync("model", "verify", demo.Beside("flipped.bulwark"));
            Assert.True(flipped.Code == 1, flipped.Said);
        }
    }

    [Fact]
    public async Task The_log_verifies() => Assert.Equal(0, (await InWorkspaceAsync("log", "verify")).Code);

    [Fact]
    public async Task The_ledger_shows_no_more_spent_than_was_allowed()
    {
        var answer = (await InWorkspaceAsync("privacy", "ledger", "show")).Json;
        var dataset = Assert.Single(answer.GetProperty("datasets").EnumerateArray());
        var spent = dataset.GetProperty("epsilonUpper").GetDouble();
        Assert.InRange(spent, 0.01, dataset.GetProperty("budget").GetProperty("epsilon").GetDouble());
        Assert.True(dataset.GetProperty("releases").GetInt32() >= 2);
    }

    [Fact]
    public async Task A_protected_column_opens_with_the_workspaces_keys_for_a_stated_purpose_and_that_is_logged()
    {
        var revealed = await RevealAsync(demo.Workspace, "--purpose", "the test");
        Assert.True(revealed.Code == 0, revealed.Said);
        Assert.Matches(@"\d", revealed.Json.GetProperty("rows")[0].GetProperty("ssn").GetString());
        Assert.True(revealed.Json.GetProperty("logIndex").GetInt64() > 0);
        Assert.Equal(2, (await RevealAsync(demo.Workspace, "--purpose", " ")).Code);
        Assert.Equal(2, (await RevealAsync(demo.Workspace)).Code);
    }

    [Fact]
    public async Task Another_workspace_cannot_open_a_protected_column()
    {
        await CommandLine.RunAsync("init", "-w", demo.Beside("elsewhere"));
        var revealed = await RevealAsync(demo.Beside("elsewhere"), "--purpose", "curiosity");
        Assert.True(revealed.Code is 1 or 2, revealed.Said);
        Assert.Matches("(?i)key", revealed.Output + revealed.Error);
        Assert.DoesNotMatch(@"\d{3}-\d{2}-\d{4}", revealed.Output + revealed.Error);
    }

    [Fact]
    public async Task Evasion_attacks_the_trained_folder_and_its_gate_fails_above_nothing()
    {
        string[] attack = ["attack", "evasion", "--model", demo.PathOf("models/plain"), "--data", demo.PathOf("data/test.parquet"), "--samples", "40", "--queries", "20", "--strengths", "0.05,0.5"];
        var report = await InWorkspaceAsync(attack);
        Assert.True(report.Code == 0, report.Said);
        Assert.True(report.Json.GetProperty("model").GetProperty("report").GetProperty("whiteBox").GetBoolean());
        Assert.Equal(1, (await InWorkspaceAsync([.. attack, "--fail-above", "0"])).Code);
    }

    [Fact]
    public async Task Membership_attacks_the_trained_folder_and_its_gate_fails_above_nothing()
    {
        string[] attack = ["attack", "membership", "--model", demo.PathOf("models/plain"), "--members", demo.PathOf("data/train.parquet"), "--others", demo.PathOf("data/test.parquet")];
        var report = await InWorkspaceAsync(attack);
        Assert.True(report.Code == 0, report.Said);
        Assert.InRange(report.Json.GetProperty("model").GetProperty("report").GetProperty("auc").GetDouble(), 0, 1);
        Assert.Equal(1, (await InWorkspaceAsync([.. attack, "--fail-above", "0"])).Code);
    }

    [Fact]
    public async Task A_second_demo_reuses_every_step()
    {
        var before = Records();
        var ledger = await File.ReadAllBytesAsync(Path.Combine(demo.Workspace, "ledger.jsonl"), Cancel);
        var again = await demo.RunAsync();
        Assert.True(again.Code == 0, again.Said);
        Assert.Equal(before, Records());
        Assert.Equal(ledger, await File.ReadAllBytesAsync(Path.Combine(demo.Workspace, "ledger.jsonl"), Cancel));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>When each step finished, by its name.</summary>
    private SortedDictionary<string, DateTimeOffset> Records() => new(Directory.EnumerateFiles(demo.PathOf("steps"), "*.json").ToDictionary(
        record => Path.GetFileName(record), record => JsonDocument.Parse(File.ReadAllBytes(record)).RootElement.GetProperty("finished").GetDateTimeOffset()));

    private Task<CommandLine.Answered> InWorkspaceAsync(params string[] args) => CommandLine.RunAsync([.. args, "--json", "-w", demo.Workspace]);

    private Task<CommandLine.Answered> ReceiptAsync(string workerKey, params string[] more) => InWorkspaceAsync(["verify", demo.PathOf("receipt/receipt.json"), "--key", workerKey, .. more]);

    private Task<CommandLine.Answered> RevealAsync(string workspace, params string[] more) =>
        CommandLine.RunAsync(["data", "reveal", demo.PathOf("data/transactions.protected.parquet"), "--columns", "ssn", .. more, "--json", "-w", workspace]);
}
