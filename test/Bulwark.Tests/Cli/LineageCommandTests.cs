using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Bulwark.Cli;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Cli;

public sealed class LineageCommandTests : IAsyncLifetime
{
    private static readonly Digest Payments = Digest.Of("payments"u8);
    private readonly TemporaryFolder _folder = new();
    private Workspace _workspace = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), passphrase: null);
        using var worker = Signer.Generate();
        Statement[] story =
        [
            Statement.Of("payments.parquet", Payments, new DatasetCommitted { Step = "simulate", Rows = 100, Columns = ["amount", "card_number"] }),
            Statement.Of([new("payments", Payments), new("payments.protected.parquet", Digest.Of("file"u8))], new DataProtected
            {
                Dataset = $"payments/{Payments}", Commitment = Payments, Rows = 100, Columns = [new("amount", "keep"), new("card_number", "tokenise", "cards")], Policy = SampleClaims.Policy, File = Digest.Of("file"u8),
            }),
            SampleClaims.Committed(SampleClaims.Data, Payments), SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1), SampleClaims.Evaluated(), SampleClaims.Attacked(),
            SampleClaims.Sealed(SampleClaims.Package, SampleClaims.Onnx, SampleClaims.Data), SampleClaims.Promoted(), SampleClaims.Released(SampleClaims.Package, SampleClaims.Evidence, worker.PublicKey),
        ];
        foreach (var statement in story)
            await _workspace.AppendAsync(statement, Cancel);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_graph_leads_from_the_raw_data_to_the_deployment()
    {
        var (code, answer) = await RunAsync("lineage", "graph", "fraud");
        Assert.Equal(0, code);
        string[] kinds = [.. answer.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("kind").GetString()!)];
        Assert.Equal(["attack", "data", "data", "data", "deployment", "evaluation", "package", "promotion", "protection", "training"], kinds.Order());
        var edges = answer.GetProperty("edges").EnumerateArray().Select(edge => edge.GetProperty("label").GetString()!).ToArray();
        Assert.Equal(["attacked", "measured", "measured on", "promoted to", "protected", "sealed in", "served by", "train", "trained on"], edges.Order());
        Assert.Contains(answer.GetProperty("nodes").EnumerateArray(), node => node.GetProperty("details").EnumerateArray().Any(detail => detail.GetString() == "spent ε 1, δ 1e-5"));
        Assert.Equal(2, (await RunAsync("lineage", "graph", "unknown")).Code);
    }

    [Fact]
    public async Task The_picture_is_one_sound_SVG_that_asks_for_nothing_and_says_everything_in_words()
    {
        Assert.Equal(0, (await RunAsync("lineage", "graph", SampleClaims.Package.ToString(), "-o", _folder["l.svg"])).Code);
        var svg = XDocument.Load(_folder["l.svg"]);
        Assert.Equal("img", svg.Root!.Attribute("role")!.Value);
        var text = await File.ReadAllTextAsync(_folder["l.svg"], Cancel);
        Assert.DoesNotMatch(@"(?i)<(script|image|foreignObject|style|use)\b|href=|url\((?!#)|@import", text);
        Assert.Contains("TRAINING RUN", text);
        Assert.Contains("card_number", text);
        Assert.Equal(10, Regex.Count(text, "<g><title>"));
        // Boxes of one column do not overlap.
        var boxes = svg.Descendants().Where(element => element.Name.LocalName == "rect" && element.Attribute("rx") is not null)
            .Select(box => (X: (int)box.Attribute("x")!, Y: (int)box.Attribute("y")!, Height: (int)box.Attribute("height")!)).OrderBy(box => box).ToArray();
        Assert.All(boxes.Zip(boxes.Skip(1)).Where(pair => pair.First.X == pair.Second.X), pair => Assert.True(pair.First.Y + pair.First.Height < pair.Second.Y));
    }

    [Fact]
    public async Task OpenLineage_events_have_what_the_specification_asks_of_a_run_event()
    {
        var (code, events) = await RunAsync("lineage", "export", "fraud", "--format", "openlineage");
        Assert.Equal((0, 2), (code, events.GetArrayLength()));
        Assert.All(events.EnumerateArray(), one =>
        {
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", one.GetProperty("eventTime").GetString()!);
            Assert.True(Guid.TryParseExact(one.GetProperty("run").GetProperty("runId").GetString(), "D", out _));
            Assert.NotEmpty(one.GetProperty("job").GetProperty("namespace").GetString()!);
            Assert.NotEmpty(one.GetProperty("job").GetProperty("name").GetString()!);
            Assert.True(Uri.IsWellFormedUriString(one.GetProperty("producer").GetString(), UriKind.Absolute));
            Assert.Equal("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent", one.GetProperty("schemaURL").GetString());
            var facets = one.GetProperty("run").GetProperty("facets").EnumerateObject().Concat(one.GetProperty("inputs").EnumerateArray().SelectMany(input => input.GetProperty("facets").EnumerateObject()));
            Assert.All(facets, facet => Assert.True(facet.Value.TryGetProperty("_producer", out _) && facet.Value.TryGetProperty("_schemaURL", out _)));
            Assert.All(one.GetProperty("inputs").EnumerateArray().Concat(one.GetProperty("outputs").EnumerateArray()), set => Assert.NotEmpty(set.GetProperty("namespace").GetString()! + set.GetProperty("name").GetString()!));
        });
        Assert.Equal(["START", "COMPLETE"], events.EnumerateArray().Select(one => one.GetProperty("eventType").GetString()));
    }

    [Fact]
    public async Task The_bill_of_materials_has_what_CycloneDX_asks_of_a_model()
    {
        var (code, bom) = await RunAsync("lineage", "export", "fraud", "--format", "cyclonedx");
        Assert.Equal((0, "CycloneDX", "1.6"), (code, bom.GetProperty("bomFormat").GetString(), bom.GetProperty("specVersion").GetString()));
        Assert.Matches("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", bom.GetProperty("serialNumber").GetString()!);
        var model = bom.GetProperty("metadata").GetProperty("component");
        Assert.Equal("machine-learning-model", model.GetProperty("type").GetString());
        var components = bom.GetProperty("components").EnumerateArray().Append(model).ToArray();
        Assert.All(components, one => Assert.NotEmpty(one.GetProperty("name").GetString()!));
        Assert.All(components.SelectMany(one => one.GetProperty("hashes").EnumerateArray()), hash => Assert.Matches("^[a-f0-9]{64}$", hash.GetProperty("content").GetString()!));
        var references = components.Select(one => one.GetProperty("bom-ref").GetString()!).ToHashSet();
        Assert.Equal(components.Length, references.Count);
        Assert.All(bom.GetProperty("dependencies").EnumerateArray().SelectMany(one => one.GetProperty("dependsOn").EnumerateArray()), one => Assert.Contains(one.GetString()!, references));
        Assert.All(model.GetProperty("modelCard").GetProperty("modelParameters").GetProperty("datasets").EnumerateArray(), one => Assert.Contains(one.GetProperty("ref").GetString()!, references));
        Assert.All(model.GetProperty("modelCard").GetProperty("quantitativeAnalysis").GetProperty("performanceMetrics").EnumerateArray(), metric => Assert.Equal(JsonValueKind.String, metric.GetProperty("value").ValueKind));
        Assert.Contains(model.GetProperty("properties").EnumerateArray(), one => one.GetProperty("name").GetString() == "bulwark:epsilon" && one.GetProperty("value").GetString() == "1");
    }

    [Fact]
    public async Task The_SLSA_statement_is_the_logs_own()
    {
        var (code, statement) = await RunAsync("lineage", "export", "fraud", "--format", "slsa");
        Assert.Equal((0, "https://slsa.dev/provenance/v1"), (code, statement.GetProperty("predicateType").GetString()));
        var predicate = statement.GetProperty("predicate");
        Assert.True(Uri.IsWellFormedUriString(predicate.GetProperty("buildDefinition").GetProperty("buildType").GetString(), UriKind.Absolute));
        Assert.Equal(JsonValueKind.Object, predicate.GetProperty("buildDefinition").GetProperty("externalParameters").ValueKind);
        Assert.True(Uri.IsWellFormedUriString(predicate.GetProperty("runDetails").GetProperty("builder").GetProperty("id").GetString(), UriKind.Absolute));
        Assert.NotNull(Predicates.Read(Statement.Parse(CanonicalJson.Canonicalize(statement))));
    }

    [Fact]
    public async Task One_row_group_is_proved_without_the_others_and_a_changed_cell_is_refused()
    {
        var rows = Enumerable.Range(0, 10_000).Select(i => $"{i},{i * 7 % 100}");
        await File.WriteAllTextAsync(_folder["d.csv"], "id,amount\n" + string.Join('\n', rows) + "\n", Cancel);
        var table = await TableFile.ReadAsync(_folder["d.csv"], cancel: Cancel);
        using var ring = _workspace.OpenKeys();
        using var key = CommitmentKey.Of(ring);
        var root = DatasetCommitment.Of(table, key, cancel: Cancel).Root;
        Assert.Equal(0, (await RunAsync("lineage", "prove", _folder["d.csv"], "--row", "5000", "-o", _folder["p.json"])).Code);
        Assert.Equal(1, (await RunAsync("verify", _folder["p.json"])).Code);   // nobody committed to it yet
        await _workspace.AppendAsync(Statement.Of("d.csv", root, new DatasetCommitted { Step = "train", Rows = 10_000 }), Cancel);
        Assert.Equal(0, (await RunAsync("lineage", "prove", _folder["d.csv"], "--row", "5000", "-o", _folder["p.json"])).Code);
        File.Delete(_folder["d.csv"]);
        Assert.Equal(0, (await RunAsync("verify", _folder["p.json"])).Code);

        var proof = RowGroupProof.Parse(await File.ReadAllBytesAsync(_folder["p.json"], Cancel));
        var (columns, first, cells) = proof.Read();
        Assert.Equal(["id", "amount"], columns);
        Assert.Equal((4096, 4096, "5000"), (first, cells.Count, cells[5000 - 4096][0]));
        proof.Rows[^1] ^= 1;
        Assert.False(proof.Verify());
        await File.WriteAllBytesAsync(_folder["p.json"], proof.ToBytes(), Cancel);
        var (code, answer) = await RunAsync("verify", _folder["p.json"]);
        Assert.Equal((1, "notIncluded"), (code, answer.GetProperty("links")[0].GetProperty("fault").GetString()));
        Assert.Equal(2, (await RunAsync("lineage", "prove", _folder["p.json"], "--group", "9", "-o", _folder["q.json"])).Code);
    }

    [Fact]
    public async Task The_log_is_searched_by_claim_subject_text_and_time()
    {
        Assert.Equal(1, await FoundAsync("--type", "key-release"));
        Assert.Equal(1, await FoundAsync("tokenise"));
        Assert.Equal(4, await FoundAsync("--subject", SampleClaims.Onnx.ToHex()[..16]));
        Assert.Equal(2, await FoundAsync("--subject", "payments"));
        Assert.Equal(5, await FoundAsync("--since", "2026-01-01"));
        Assert.Equal(0, await FoundAsync("--until", "2026-01-01"));
        var (_, newest) = await RunAsync("log", "search", "--since", "2026-01-01", "--most", "2");
        Assert.Equal(["promotion", "key-release"], newest.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("claim").GetString()));
        Assert.True(newest.GetProperty("searched").GetInt64() < newest.GetProperty("size").GetInt64());   // it stopped
        Assert.Equal(0, await FoundAsync("--by", "somebody"));
        Assert.Equal(2, (await RunAsync("log", "search", "--since", "whenever")).Code);
        var (code, shown) = await RunAsync("log", "show", "3");
        Assert.Equal((0, "training-run"), (code, shown.GetProperty("entry").GetProperty("claim").GetString()));
        Assert.Equal(2, (await RunAsync("log", "show", "99")).Code);
    }

    [Fact]
    public async Task The_tail_is_one_document_a_line()
    {
        var (code, output, _) = await CommandContractTests.RunAsync(["log", "tail", "--last", "3", "--json", "-w", _folder["w"]]);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, 3), (code, lines.Length));
        Assert.Equal(["sealed-model", "promotion", "key-release"], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("claim").GetString()));
    }

    private async Task<int> FoundAsync(params string[] query)
    {
        var (code, answer) = await RunAsync(["log", "search", .. query]);
        var found = answer.GetProperty("entries").GetArrayLength();
        Assert.Equal(found > 0 ? 0 : 1, code);
        return found;
    }

    private async Task<(int Code, JsonElement Answer)> RunAsync(params string[] arguments)
    {
        var (code, output, _) = await CommandContractTests.RunAsync([.. arguments, "--json", "-w", _folder["w"]]);
        using var document = JsonDocument.Parse(output.Length == 0 ? "{}" : output);
        return (code, document.RootElement.Clone());
    }
}
