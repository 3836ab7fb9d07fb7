using System.Text.Json;
using System.Text.RegularExpressions;
using Bulwark.Cli;
using Bulwark.Cli.Frames;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Cli;

public sealed class ReportEvidenceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Workspace? _workspace;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_frame_asks_what_there_is_a_check_for_and_every_check_is_asked()
    {
        var asked = Frame.All.SelectMany(frame => frame.Requirements).SelectMany(requirement => requirement.Checks).Distinct().Order().ToArray();
        Assert.Equal(EvidenceChecks.All.Keys.Order(), asked);
        Assert.All(Frame.All, frame => Assert.Equal(frame.Requirements.Count, frame.Requirements.Select(requirement => requirement.Id).Distinct().Count()));
    }

    [Theory]
    [InlineData("", "Missing")]
    [InlineData("Found,Found", "Found")]
    [InlineData("Found,Missing", "Partly")]
    [InlineData("Partly", "Partly")]
    [InlineData("Missing,Missing", "Missing")]
    [InlineData("Found,Found,Against", "Against")]
    public void One_finding_against_is_against_and_what_is_missing_is_never_found(string parts, string together) =>
        Assert.Equal(Enum.Parse<Standing>(together), RequirementResult.Together([.. parts.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<Standing>)]));

    [Fact]
    public async Task What_the_log_says_of_a_model_is_found_and_what_it_does_not_say_is_missing()
    {
        await WriteAsync([.. SampleClaims.All()]);
        var (code, answer) = await RunAsync("fraud");
        Assert.Equal(1, code);
        var found = Checks(answer);
        string[] sound = ["access-logged", "accuracy-declared", "bill-of-materials", "data-committed", "data-minimised", "data-protected", "erasure", "key-use-logged", "keys-in-period", "log-whole",
            "membership-tested", "policy-in-force", "privacy-spent", "promotion-gated", "provenance", "requests-judged", "sealed"];
        Assert.Equal(sound, found.Where(check => check.Value.Standing == "found").Select(check => check.Key).Order());
        Assert.Equal(["keys-strong", "log-retention"], found.Where(check => check.Value.Standing == "partly").Select(check => check.Key).Order());     // no passphrase; a young record
        Assert.Equal("against", found["key-released-to-attested"].Standing);                                                                        // simulated evidence
        Assert.All(["evasion-tested", "extraction-tested", "inversion-tested", "poisoning-tested", "log-witnessed", "privacy-ledger"], name => Assert.Equal("missing", found[name].Standing));
        Assert.Contains("ε 1, δ 1e-5", found["privacy-spent"].Found);
        Assert.Contains("AUC 0.510", found["membership-tested"].Found);
        Assert.Contains("1 decision: scored 1", found["requests-judged"].Found);
    }

    [Fact]
    public async Task Evidence_about_another_model_does_not_count()
    {
        var other = Digest.Of("another package"u8);
        await WriteAsync([.. SampleClaims.All(), SampleClaims.Sealed(other, Digest.Of("another model"u8), Digest.Of("other data"u8), epsilon: null) with { PredicateType = PredicateTypes.SealedModel }]);
        var found = Checks((await RunAsync(other.ToString())).Answer);
        Assert.All(["membership-tested", "accuracy-declared", "provenance", "promotion-gated", "requests-judged", "key-released-to-attested", "privacy-spent", "erasure", "data-protected"],
            name => Assert.Equal("missing", found[name].Standing));
        Assert.Equal("partly", found["data-committed"].Standing);
    }

    [Fact]
    public async Task What_a_strangers_key_signed_is_no_evidence()
    {
        await WriteAsync([SampleClaims.Sealed(SampleClaims.Package, SampleClaims.Onnx, SampleClaims.Data)]);
        using (var keys = _workspace!.OpenKeys())
        using (var stranger = Signer.Generate())
        await using (var log = await _workspace!.OpenLogAsync(keys))
            await log.AppendAsync(Dsse.Sign(SampleClaims.Attacked(), stranger), Cancel);
        Assert.Equal("missing", Checks((await RunAsync("fraud")).Answer)["membership-tested"].Standing);
    }

    [Fact]
    public async Task Attacks_with_red_flags_count_in_part_only()
    {
        var report = JsonSerializer.SerializeToElement(new { flags = new[] { "F3" }, worstCase = new[] { new { strength = 0.05, robustAccuracy = 0.9 } } });
        await WriteAsync([.. SampleClaims.All(), Statement.Of("model.onnx", SampleClaims.Onnx, new ModelAttacked { Attack = "evasion", Time = SampleClaims.Now, Report = report })]);
        var (standing, found) = Checks((await RunAsync("fraud")).Answer)["evasion-tested"];
        Assert.Equal("partly", standing);
        Assert.Contains("red flags: F3", found);
        Assert.Contains("robust accuracy 90.0% at strength 0.05", found);
    }

    [Fact]
    public async Task The_OSCAL_document_is_of_the_models_shape_and_calls_nothing_satisfied_that_was_not_found()
    {
        await WriteAsync([.. SampleClaims.All()]);
        var (_, answer) = await RunAsync("fraud", "--oscal", _folder["o.json"], "--html", _folder["o.html"]);
        var results = JsonDocument.Parse(await File.ReadAllBytesAsync(_folder["o.json"], Cancel)).RootElement.GetProperty("assessment-results");
        Assert.Equal(["uuid", "metadata", "import-ap", "results", "back-matter"], results.EnumerateObject().Select(member => member.Name));
        Assert.Equal(Frame.All.Count, results.GetProperty("results").GetArrayLength());
        foreach (var (result, frame) in results.GetProperty("results").EnumerateArray().Zip(answer.GetProperty("frames").EnumerateArray()))
        {
            var observed = result.GetProperty("observations").EnumerateArray().Select(one => one.GetProperty("uuid").GetString()!).ToHashSet();
            Assert.All(observed, id => Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", id));
            Assert.All(result.GetProperty("observations").EnumerateArray(), one => Assert.Equal("TEST", Assert.Single(one.GetProperty("methods").EnumerateArray()).GetString()));
            foreach (var (finding, requirement) in result.GetProperty("findings").EnumerateArray().Zip(frame.GetProperty("requirements").EnumerateArray()))
            {
                Assert.Matches(new Regex(@"^(\p{L}|_)(\p{L}|\p{N}|[.\-_])*$"), finding.GetProperty("target").GetProperty("target-id").GetString()!);
                Assert.Equal(requirement.GetProperty("standing").GetString() == "found", finding.GetProperty("target").GetProperty("status").GetProperty("state").GetString() == "satisfied");
                Assert.All(finding.GetProperty("related-observations").EnumerateArray(), one => Assert.Contains(one.GetProperty("observation-uuid").GetString()!, observed));
            }
        }

        Assert.Contains("Evidence is not compliance", await File.ReadAllTextAsync(_folder["o.html"], Cancel));
    }

    [Fact]
    public async Task A_log_that_was_changed_is_no_source_of_evidence()
    {
        await WriteAsync([.. SampleClaims.All()]);
        var bundle = Directory.EnumerateFiles(_workspace!.LogDirectory, "*", SearchOption.AllDirectories).Where(file => file.Contains("entries", StringComparison.Ordinal)).OrderByDescending(file => new FileInfo(file).Length).First();
        var bytes = await File.ReadAllBytesAsync(bundle, Cancel);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(bundle, bytes, Cancel);
        var (code, output, error) = await AttackRun.RunAsync("report", "evidence", "fraud", "-w", _folder["w"]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("The log is no evidence of anything", error);
    }

    [Fact]
    public async Task A_model_that_the_log_does_not_know_could_not_be_asked_of()
    {
        await WriteAsync([.. SampleClaims.All()]);
        Assert.Equal(2, (await AttackRun.RunAsync("report", "evidence", "nobody", "-w", _folder["w"])).Code);
    }

    private async Task WriteAsync(IReadOnlyList<Statement> story)
    {
        _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), passphrase: null);
        foreach (var statement in story)
            await _workspace.AppendAsync(statement, Cancel);
    }

    private async Task<(int Code, JsonElement Answer)> RunAsync(params string[] arguments)
    {
        var (code, output, error) = await AttackRun.RunAsync(["report", "evidence", .. arguments, "--json", "-w", _folder["w"]]);
        Assert.True(code is 0 or 1, error);
        return (code, JsonDocument.Parse(output).RootElement);
    }

    private static Dictionary<string, (string Standing, string Found)> Checks(JsonElement answer) => answer.GetProperty("frames").EnumerateArray()
        .SelectMany(frame => frame.GetProperty("requirements").EnumerateArray()).SelectMany(requirement => requirement.GetProperty("findings").EnumerateArray())
        .DistinctBy(finding => finding.GetProperty("check").GetString()!)
        .ToDictionary(finding => finding.GetProperty("check").GetString()!, finding => (finding.GetProperty("standing").GetString()!, finding.GetProperty("found").GetString()!));
}
