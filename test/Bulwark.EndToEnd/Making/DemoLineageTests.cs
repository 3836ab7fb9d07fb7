using System.Text;
using System.Text.Json;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.EndToEnd.Making;

/// <summary>What a whole demo run left behind: a history that can be shown, holds nobody's data, and in which every change is found.</summary>
public sealed class DemoLineageTests(DemoFixture demo) : IClassFixture<DemoFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_graph_and_the_exports_of_the_sealed_model_are_complete()
    {
        var graph = await InWorkspaceAsync("lineage", "graph", demo.Package, "-o", demo.Beside("lineage.svg"));
        Assert.True(graph.Code == 0, graph.Said);
        var kinds = graph.Json.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("kind").GetString()).ToHashSet();
        Assert.Superset(new HashSet<string?> { "data", "training", "evaluation", "attack", "package", "deployment" }, kinds);
        foreach (var format in new[] { "openlineage", "cyclonedx", "slsa" })
            Assert.Equal(0, (await InWorkspaceAsync("lineage", "export", demo.Package, "--format", format, "-o", demo.Beside(format))).Code);
        var promoted = await InWorkspaceAsync("model", "promote", demo.Package, "--to", "production", "--max-epsilon", "2", "--attacked", "evasion", "--attacked", "membership");
        Assert.True(promoted.Code == 0, promoted.Said);
        Assert.Equal(1, (await InWorkspaceAsync("model", "promote", demo.Package, "--to", "production", "--max-epsilon", "0.01")).Code);
    }

    [Fact]
    public async Task The_log_holds_no_value_of_a_row()
    {
        var rows = await TableFile.ReadAsync(demo.PathOf("data/transactions.parquet"), cancel: Cancel);
        string[] personal = ["card_number", "ssn", "name", "email", "customer_name", "holder_name", "medical_history"];
        var values = rows.Columns.Where(column => personal.Contains(column.Name)).SelectMany(column => Enumerable.Range(0, Math.Min(rows.Rows, 3000)).Select(row => column.Text(row)))
            .Where(text => text is { Length: >= 6 }).Distinct().ToArray();
        Assert.True(values.Length > 100, "the demo's data hold personal values");
        var log = await TransparencyLog.OpenAsync(Path.Combine(demo.Workspace, "log"));
        var said = string.Join('\n', log.ReadEntries().Select(entry => Dsse.Peek(entry.Entry) is var (_, payload) ? Encoding.UTF8.GetString(payload) : Encoding.UTF8.GetString(entry.Entry.Span)));
        Assert.DoesNotContain(values, value => said.Contains(value!, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(Environment.MachineName, said, StringComparison.Ordinal);
        Assert.DoesNotContain(demo.Folder, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_entry_is_a_claim_of_ours_and_reads_strictly()
    {
        var log = await TransparencyLog.OpenAsync(Path.Combine(demo.Workspace, "log"));
        var types = new HashSet<string>();
        foreach (var (index, entry) in log.ReadEntries())
        {
            if (Dsse.Peek(entry) is not var (_, payload))
                continue;   // the append benchmark's own bytes
            var statement = Statement.Parse(payload);
            Assert.True(Predicates.Read(statement) is not null, $"entry {index}: {statement.PredicateType}");
            types.Add(statement.PredicateType);
        }

        Assert.Superset(
            new HashSet<string>
            {
                PredicateTypes.DataProtection, PredicateTypes.DatasetCommitment, PredicateTypes.TrainingRun, PredicateTypes.Evaluation, PredicateTypes.AttackReport, PredicateTypes.SealedModel,
                PredicateTypes.PolicyChange, PredicateTypes.KeyRelease, PredicateTypes.AccessBatch, PredicateTypes.Decision, PredicateTypes.Run,
            }, types);
    }

    [Fact]
    public async Task Every_change_to_a_file_of_the_run_is_found_and_named()
    {
        var copy = demo.Beside("tampered-run");
        foreach (var file in Directory.EnumerateFiles(demo.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(demo.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        Assert.Empty(await FaultsAsync(copy));
        foreach (var file in Directory.EnumerateFiles(copy, "*", SearchOption.AllDirectories).Where(file => !file.StartsWith(Path.Combine(copy, "demo-workspace"), StringComparison.Ordinal)).ToArray())
        {
            var bytes = await File.ReadAllBytesAsync(file, Cancel);
            if (bytes.Length == 0)
                continue;
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, bytes, Cancel);
            var name = Path.GetRelativePath(copy, file);
            Assert.Equal(name == "statement.json" ? "signature" : name, Assert.Single(await FaultsAsync(copy)).Split(':')[0]);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, bytes, Cancel);
        }

        File.Move(Path.Combine(copy, "report.html"), Path.Combine(copy, "other.html"));
        Assert.Equal(["report.html:missing", "other.html:added"], await FaultsAsync(copy));
    }

    [Fact]
    public async Task Whatever_the_run_left_says_what_it_is()
    {
        var kinds = new Dictionary<string, string>
        {
            ["registry/card-fraud.bulwark"] = "model package",
            ["data/transactions.protected.parquet"] = "protected dataset",
            ["receipt/receipt.json"] = "prediction receipt",
            ["demo-workspace/ledger.jsonl"] = "privacy ledger",
            ["demo-workspace/log/checkpoint"] = "checkpoint",
            ["statement.json"] = "signed statement",
            [""] = "run",
        };
        foreach (var (path, kind) in kinds)
        {
            var verified = await InWorkspaceAsync("verify", demo.PathOf(path));
            Assert.True(verified.Code == 0, $"{path}: {verified.Said}");
            Assert.Equal(kind, verified.Json.GetProperty("kind").GetString());
        }

        Assert.Equal(2, (await InWorkspaceAsync("verify", demo.PathOf("report.html"))).Code);
    }

    private async Task<string[]> FaultsAsync(string folder)
    {
        var verified = await InWorkspaceAsync("verify", folder);
        Assert.True(verified.Code is 0 or 1, verified.Said);
        var links = verified.Json.GetProperty("links").Deserialize<EvidenceLink[]>(JsonSerializerOptions.Web)!;
        return [.. links.Where(link => !link.Holds).Select(link => $"{link.Name}:{link.Fault}")];
    }

    private Task<CommandLine.Answered> InWorkspaceAsync(params string[] arguments) => CommandLine.RunAsync([.. arguments, "-w", demo.Workspace, "--json"]);
}
