using Bulwark.Cli.Making;
using Bulwark.Cli.Report;

namespace Bulwark.Tests.Making;

public class RunReportTests
{
    [Fact]
    public void A_run_of_one_variant_and_nothing_else_renders()
    {
        var model = RunReport.Of(SmallRun.OnlyTrained());
        var html = HtmlReport.Render(model);
        Assert.Equal(ReportOutcome.Done, model.Verdict.Outcome);
        Assert.Contains("none sealed", model.Verdict.Headline);
        Assert.Contains("Run: case", html);
        Assert.DoesNotContain("What the gateway refused", html);
        Assert.Equal(["Train plain"], model.Steps.Select(step => step.Name));
        Assert.Single(model.Checks);
        Assert.Empty(model.Warnings);
    }

    [Fact]
    public void A_run_that_did_everything_renders_every_part()
    {
        var model = RunReport.Of(SmallRun.Everything());
        var html = HtmlReport.Render(model);
        Assert.Equal(ReportOutcome.Done, model.Verdict.Outcome);
        string[] parts =
        [
            "Card fraud, end to end", "Simulate transactions", "Scan for sensitive columns", "Protect the table", "Make features", "Train private", "Attack plain",
            "Seal the model", "Serve behind the gateway", "Plan under a budget", "Generate manifests", "What the gateway refused", "Attestation was simulated",
        ];
        Assert.All(parts, part => Assert.Contains(part, html, StringComparison.Ordinal));
        Assert.Equal(5, model.Checks.Count);
        Assert.Equal(model.Title, ReportFile.FromJson(ReportFile.ToJson(model)).Title);
    }

    [Fact]
    public void Something_let_through_fails_the_verdict_and_stands_in_the_table()
    {
        var run = SmallRun.Everything();
        run = run with { Serving = run.Serving! with { Result = run.Serving.Result with { Refusals = [new("no token", "token-", "200 fine", Refused: false)] } } };
        var model = RunReport.Of(run);
        Assert.Equal(ReportOutcome.Failed, model.Verdict.Outcome);
        Assert.Contains("1 things were let through", model.Verdict.Headline);
        Assert.Contains(">NO<", HtmlReport.Render(model));
        Assert.Contains(model.Claims, claim => claim.Measure == "Zero-trust gateway" && claim.Verdict == ClaimVerdict.NotMet);
    }

    [Fact]
    public void A_package_or_a_receipt_that_does_not_verify_fails_the_verdict()
    {
        var run = SmallRun.Everything();
        run = run with
        {
            Seal = run.Seal! with { Result = run.Seal.Result with { Verified = false } },
            Serving = run.Serving! with { Result = run.Serving.Result with { Links = [new("log", false, "no such entry")] } },
        };
        var verdict = RunReport.Of(run).Verdict;
        Assert.Equal(ReportOutcome.Failed, verdict.Outcome);
        Assert.Contains("package does not verify; the prediction's receipt does not verify", verdict.Headline);
    }

    [Fact]
    public void A_step_that_was_reused_says_that_nothing_changed()
    {
        var run = SmallRun.OnlyTrained();
        run = run with { Variants = [run.Variants[0] with { Reused = true }] };
        Assert.Equal(ReportOutcome.Unchanged, RunReport.Of(run).Steps[0].Outcome);
    }

    [Fact]
    public void Flags_of_an_evaluation_are_warned_of_before_its_figures()
    {
        var run = SmallRun.Everything();
        var flagged = run.Evasion[0].Result.Report with { Flags = [new("F1", "gradients vanish")] };
        run = run with { Evasion = [run.Evasion[0] with { Result = run.Evasion[0].Result with { Report = flagged } }] };
        Assert.Contains(RunReport.Of(run).Warnings, warning => warning.Contains("F1 gradients vanish", StringComparison.Ordinal));
    }

    [Fact]
    public void The_worst_case_is_taken_at_the_nearest_measured_strength()
    {
        var report = SmallRun.Everything().Evasion[0].Result.Report;
        Assert.Equal(0.05, RunReport.WorstAt(report, 0.06)!.Strength);
        Assert.Null(RunReport.WorstAt(report with { WorstCase = [] }, 0.05));
    }

    [Theory]
    [InlineData(2e-6, "2.0 µs")]
    [InlineData(0.0125, "12.5 ms")]
    [InlineData(3, "3.0 s")]
    public void Durations_are_told_in_the_unit_that_fits(double seconds, string told) => Assert.Equal(told, RunReport.Milliseconds(seconds));
}
