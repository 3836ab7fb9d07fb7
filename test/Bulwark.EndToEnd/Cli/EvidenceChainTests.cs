using System.Text.Json;
using Bulwark.EndToEnd.Making;

namespace Bulwark.EndToEnd.Cli;

/// <summary>From a sealed model the log leads back to the rows as they were before anything was done to them, however they were read, and from a person forward to the model.</summary>
public sealed class EvidenceChainTests : IAsyncLifetime
{
    private const string Policy = """
        format: data-policy/v1
        dataset: payments
        subject: customer_id
        rules:
          - { column: name, action: encryptValue, perSubject: true }
          - { column: card_number, action: tokenise }
          - { column: ssn, action: drop }
          - { column: email, action: encrypt }
        otherwise: keep
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-chain");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(PathOf("policy.yaml"), Policy, Cancel);
        await Succeed("init");
        await Succeed("data", "simulate", "--rows", "12000", "--seed", "4", "-o", PathOf("pay.csv"));
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("features.csv")]
    [InlineData("features.parquet")]
    public async Task Raw_data_protected_data_features_and_model_are_one_chain_that_needs_no_workspace_to_be_walked(string features)
    {
        await ProtectAsync(PathOf("pay.csv"));
        await Succeed("data", "features", PathOf("pay.parquet"), "-o", PathOf(features));
        var nodes = await ChainAsync(PathOf(features));
        Assert.Equal(["pay.csv", "protected", "pay.parquet", "features", features, "trained on"], Walk(nodes));
        Assert.Equal("model.onnx", await ReachedAsync());
    }

    [Fact]
    public async Task A_model_of_the_protected_file_itself_leads_to_the_raw_data_too()
    {
        await ProtectAsync(PathOf("pay.csv"));
        var nodes = await ChainAsync(PathOf("pay.parquet"), "--drop", "customer_id,terminal_id,name,card_number,subject_token,time,medical_history,transaction_id,fraud_scenario");
        Assert.Equal(["pay.csv", "protected", "pay.parquet", "train", "model training data", "trained on"], Walk(nodes));
        Assert.Equal("model.onnx", await ReachedAsync());
    }

    [Fact]
    public async Task Rows_that_were_never_protected_are_not_said_to_have_been_read_through_protection()
    {
        await ProtectAsync(PathOf("pay.csv"));
        await Succeed("data", "features", PathOf("pay.csv"), "-o", PathOf("features.csv"));
        Assert.Equal(["pay.csv", "features", "features.csv", "trained on"], Walk(await ChainAsync(PathOf("features.csv"))));
        Assert.Equal("model.onnx", await ReachedAsync());   // the same rows
    }

    [Fact]
    public async Task What_a_query_read_and_what_was_protected_twice_is_followed()
    {
        await Succeed("data", "protect", "--query", $"WITH all_of AS (SELECT * FROM read_csv(['{PathOf("pay.csv")}'], types = {{'card_number': 'VARCHAR'}})) SELECT * FROM all_of WHERE amount > 5", "--policy", PathOf("policy.yaml"), "-o", PathOf("once.parquet"));
        await ProtectAsync(PathOf("once.parquet"), "once");
        await Succeed("data", "features", PathOf("pay.parquet"), "-o", PathOf("features.csv"));
        Assert.Equal(
            ["pay.csv", "query", "payments as read", "protected", "once.parquet", "read", "payments as read", "protected", "pay.parquet", "features", "features.csv", "trained on"],
            Walk(await ChainAsync(PathOf("features.csv"))));
    }

    [Fact]
    public async Task Rows_that_came_from_outside_are_known_by_their_protection()
    {
        var lines = await File.ReadAllLinesAsync(PathOf("pay.csv"), Cancel);
        await File.WriteAllLinesAsync(PathOf("given.csv"), lines[..^1], Cancel);   // the log never saw this table made
        await ProtectAsync(PathOf("given.csv"));
        await Succeed("data", "features", PathOf("pay.parquet"), "-o", PathOf("features.csv"));
        Assert.Equal(["payments", "protected", "pay.parquet", "features", "features.csv", "trained on"], Walk(await ChainAsync(PathOf("features.csv"))));
    }

    [Fact]
    public async Task What_was_opened_into_a_file_is_followed()
    {
        await ProtectAsync(PathOf("pay.csv"));
        await Succeed("data", "reveal", PathOf("pay.parquet"), "--columns", "amount,is_fraud,terminal_id", "--purpose", "a test", "-o", PathOf("open.csv"));
        Assert.Equal(["pay.csv", "protected", "pay.parquet", "reveal", "open.csv", "trained on"], Walk(await ChainAsync(PathOf("open.csv"), "--drop", "terminal_id")));
        Assert.Equal("model.onnx", await ReachedAsync());
    }

    private Task<CommandLine.Answered> ProtectAsync(string file, string was = "") => was.Length == 0
        ? Succeed("data", "protect", file, "--policy", PathOf("policy.yaml"), "-o", PathOf("pay.parquet"))
        : Succeed("data", "protect", file, "--dataset", "payments", "-o", PathOf("pay.parquet"));

    /// <summary>Trains, seals, copies the log away from its workspace, and asks the copy.</summary>
    private async Task<JsonElement> ChainAsync(string table, params string[] options)
    {
        await Succeed(["train", table, "--label", "is_fraud", "--model", "lr", "--epochs", "1", .. options.Length > 0 ? options : ["--drop", "time"], "-o", PathOf("model")]);
        await Succeed("model", "seal", PathOf("model"), "-o", PathOf("model.bulwark"));
        Copy(PathOf("workspace/log"), PathOf("copy"));
        var graph = await Succeed("lineage", "graph", PathOf("model.bulwark"), "--log", PathOf("copy"));
        Assert.All(graph.Json.GetProperty("nodes").EnumerateArray(), node => Assert.True(node.TryGetProperty("entry", out var entry) && entry.ValueKind == JsonValueKind.Number, graph.Output));   // nothing that no entry vouches for
        return graph.Json;
    }

    /// <summary>Labels from the rows as they were to the training run: nodes, and between them what was done.</summary>
    private static List<string> Walk(JsonElement graph)
    {
        var nodes = graph.GetProperty("nodes").EnumerateArray().ToDictionary(node => node.GetProperty("id").GetString()!);
        var edges = graph.GetProperty("edges").EnumerateArray().Select(edge => (From: edge.GetProperty("from").GetString()!, To: edge.GetProperty("to").GetString()!, Label: edge.GetProperty("label").GetString()!)).ToList();
        var path = new List<string>();
        var at = edges.Single(edge => edge.Label == "trained on");
        while (true)
        {
            path.InsertRange(0, [nodes[at.From].GetProperty("title").GetString()!, at.Label]);
            var into = edges.Where(edge => edge.To == at.From).ToArray();
            if (into.Length == 0)
                return path;
            at = Assert.Single(into);
        }
    }

    private async Task<string?> ReachedAsync()
    {
        var subject = File.ReadLines(PathOf("pay.csv")).ElementAt(4).Split(',')[2];
        var erased = await Succeed("data", "shred", "--subject", subject, "--end-epoch");
        return erased.Json.GetProperty("erased")[0].GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()).FirstOrDefault();
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task<CommandLine.Answered> Succeed(params string[] args)
    {
        var answered = await CommandLine.RunAsync([.. args, "-w", PathOf("workspace"), "--json"]);
        Assert.True(answered.Code == 0, answered.Said);
        return answered;
    }
}
