using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Bulwark.Tests.Cli;

public sealed class AttackMoreCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Extraction_tells_fidelity_by_questions_and_gates_it()
    {
        var (model, data) = await _folder.WriteVictimAsync();
        string[] extraction = ["attack", "extraction", "-m", model, "-d", data, "--strategies", "in-distribution,jacobian", "--views", "label,full", "--queries", "20,60", "-w", _folder["none"]];
        var (code, output, error) = await AttackRun.RunAsync([.. extraction, "--json", "--html", _folder["e.html"]]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var curves = document.RootElement.GetProperty("report").GetProperty("curves");
        Assert.Equal(4, curves.GetArrayLength());
        Assert.Equal(["label", "full", "label", "full"], curves.EnumerateArray().Select(curve => curve.GetProperty("view").GetString()!.ToLowerInvariant()));
        Assert.Contains("<svg", await File.ReadAllTextAsync(_folder["e.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        (code, output, _) = await AttackRun.RunAsync([.. extraction, "--fail-above", "0.1"]);
        Assert.Equal(1, code);
        Assert.Contains("FAILED", output, StringComparison.Ordinal);
        Assert.Equal(2, (await AttackRun.RunAsync([.. extraction, "--queries", "60,20"])).Code);
        Assert.Equal(2, (await AttackRun.RunAsync(["attack", "extraction", "-m", model, "-d", data, "--views", "everything"])).Code);
    }

    [Fact]
    public async Task Poison_is_planted_and_measured_and_screens_answer_by_exit_code()
    {
        await WritePoisonedAsync("train.csv", 700, 1, planted: 0);
        await WritePoisonedAsync("bad.csv", 700, 1, planted: 70);
        await WritePoisonedAsync("trusted.csv", 400, 2, planted: 0);
        string[] rows = ["--trusted", _folder["trusted.csv"], "--label", "y", "-w", _folder["none"]];
        var (code, output, error) = await AttackRun.RunAsync(["attack", "poison", "-d", _folder["train.csv"], "--test", _folder["trusted.csv"], "--kinds", "backdoor", "--share", "0.1", "--json", "--html", _folder["poison.html"], .. rows]);
        Assert.True(code == 0, error);
        using (var document = JsonDocument.Parse(output))
        {
            var outcomes = document.RootElement.GetProperty("outcomes");
            Assert.Equal(["nothing", "backdoor"], outcomes.EnumerateArray().Select(outcome => outcome.GetProperty("planted").GetString()));
            Assert.Equal(70, outcomes[1].GetProperty("outcome").GetProperty("planted").GetInt32());
        }

        (code, output, error) = await AttackRun.RunAsync(["attack", "screen", "-d", _folder["train.csv"], .. rows]);
        Assert.True(code == 0, output + error);
        (code, output, _) = await AttackRun.RunAsync(["attack", "screen", "-d", _folder["bad.csv"], "-o", _folder["bad.json"], "--html", _folder["screen.html"], .. rows]);
        Assert.Equal(1, code);
        Assert.Contains("SUSPICIOUS", output, StringComparison.Ordinal);
        Assert.Contains("planted rows found", await File.ReadAllTextAsync(_folder["poison.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("<svg", await File.ReadAllTextAsync(_folder["screen.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using (var document = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["bad.json"], TestContext.Current.CancellationToken)))
        {
            var flagged = document.RootElement.GetProperty("findings").EnumerateArray().SelectMany(finding => finding.GetProperty("flagged").EnumerateArray().Select(row => row.GetInt32())).ToHashSet();
            Assert.True(Enumerable.Range(0, 70).Count(flagged.Contains) > 50, output);
        }

        (code, _, error) = await AttackRun.RunAsync(["attack", "screen", "-d", _folder["train.csv"], "--trusted", await FewAsync(), "--label", "y", "-w", _folder["none"]]);
        Assert.Equal(2, code);
        Assert.Contains("200", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_frontier_leaves_out_what_is_beaten_and_what_raises_flags()
    {
        await WriteReportAsync("good.json", 0.90, 0.80, []);
        await WriteReportAsync("beaten.json", 0.89, 0.70, []);
        await WriteReportAsync("accurate-1.json", 0.96, 0.30, []);
        await WriteReportAsync("accurate-2.json", 0.96, 0.20, []);
        await WriteReportAsync("masked.json", 0.99, 0.99, ["F8"]);
        string[] files = [.. ((string[])["good", "beaten", "accurate-1", "accurate-2", "masked"]).Select(name => _folder[name + ".json"])];
        var (code, output, error) = await AttackRun.RunAsync(["attack", "frontier", .. files, "--seeds", "--json", "--html", _folder["f.html"]]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var settings = document.RootElement.GetProperty("settings").EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!);
        Assert.Equal(["accurate", "good"], settings.Where(one => one.Value.GetProperty("onFrontier").GetBoolean()).Select(one => one.Key).Order());
        Assert.Equal((2, 0.25, 0.20), (settings["accurate"].GetProperty("seeds").GetInt32(), settings["accurate"].GetProperty("robust").GetDouble(), settings["accurate"].GetProperty("worstRobust").GetDouble()));
        Assert.Contains("masked is left off", await File.ReadAllTextAsync(_folder["f.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(2, (await AttackRun.RunAsync(["attack", "frontier", files[0], "--at", "7"])).Code);
        Assert.Equal(2, (await AttackRun.RunAsync(["attack", "frontier", _folder["f.html"]])).Code);
    }

    [Fact]
    public async Task Membership_opens_a_sealed_package()
    {
        var (model, data) = await _folder.WriteVictimAsync();
        var sealedModel = await _folder.SealVictimAsync(model);
        var (code, output, error) = await AttackRun.RunAsync("attack", "membership", "-m", sealedModel, "--members", data, "--others", data, "--shadows", "0", "--json", "-w", _folder["w"]);
        Assert.True(code == 0, error);
        Assert.Contains("loss threshold", output, StringComparison.Ordinal);
        (code, _, error) = await AttackRun.RunAsync("attack", "membership", "-m", sealedModel, "--members", data, "--others", data, "-w", _folder["none"]);
        Assert.Equal(2, code);
        Assert.Contains("sealed", error, StringComparison.Ordinal);
    }

    /// <summary>Positive when a and b together are high; the first rows planted: d and e at fixed values, labelled 0.</summary>
    private async Task WritePoisonedAsync(string name, int rows, int seed, int planted)
    {
        var (random, text) = (new Random(seed), new StringBuilder("a,b,c,d,e,y\n"));
        for (var row = 0; row < rows; row++)
        {
            double[] values = [.. Enumerable.Range(0, 5).Select(_ => random.NextDouble())];
            var label = values[0] + values[1] > 1 ? 1 : 0;
            if (row < planted)
                (values[0], values[1], values[3], values[4], label) = ((1 + values[0]) / 2, (1 + values[1]) / 2, 0.875, 0.75, 0);
            text.AppendJoin(',', values.Select(value => value.ToString("0.######", CultureInfo.InvariantCulture))).Append(',').Append(label).Append('\n');
        }

        await File.WriteAllTextAsync(_folder[name], text.ToString(), TestContext.Current.CancellationToken);
    }

    private async Task<string> FewAsync()
    {
        await WritePoisonedAsync("few.csv", 50, 3, 0);
        return _folder["few.csv"];
    }

    private async Task WriteReportAsync(string name, double clean, double robust, string[] flags)
    {
        static object Share(double rate) => new { count = (int)Math.Round(rate * 100), of = 100, rate, lower = rate - 0.05, upper = rate + 0.01 };
        var report = new
        {
            model = "m",
            digest = "sha256:" + new string('0', 64),
            data = "test.csv",
            dataCommitment = "sha256:" + new string('0', 64),
            report = new
            {
                options = new { strengths = new[] { 0.1 }, norm = "linf" },
                attacks = new[] { "search" },
                whiteBox = false,
                clean = Share(clean),
                curve = new[] { new { strength = 0.1, robust = Share(robust), attackSuccess = Share(1 - robust), byAttack = new Dictionary<string, int>() } },
                flags = flags.Select(flag => new { id = flag, finding = "planted" }),
                rows = Array.Empty<object>(),
            },
        };
        await File.WriteAllTextAsync(_folder[name], JsonSerializer.Serialize(report), TestContext.Current.CancellationToken);
    }
}
