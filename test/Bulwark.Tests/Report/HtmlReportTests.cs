using System.Text.RegularExpressions;
using Bulwark.Cli.Report;

namespace Bulwark.Tests.Report;

public class HtmlReportTests
{
    private const string Hostile = "</style></title><script>alert(1)</script><img src=x onerror='alert(2)'>\"&\u202e\0";

    [Fact]
    public void Hostile_text_stays_text_wherever_it_is_shown()
    {
        var html = HtmlReport.Render(Model(Hostile));
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain("<img", html);
        Assert.DoesNotContain("\u202e", html);
        Assert.DoesNotContain("\0", html);
        Assert.Contains("[U+202E]", html);
        Assert.Single(Regex.Matches(html, "</style>"));
        // The same page with harmless text has the same tags: no text became markup.
        Assert.Equal(Tags(HtmlReport.Render(Model("harmless"))), Tags(html));
    }

    [Fact]
    public void The_page_asks_nothing_of_the_network_and_runs_nothing()
    {
        var html = HtmlReport.Render(Model("text"));
        Assert.Contains("default-src 'none'", html);
        Assert.DoesNotMatch("""(?i)<(script|link|iframe|object|embed|img)|@import|url\(|(src|href)="(?!#)|\bon[a-z]+=""", html);
    }

    [Fact]
    public void Every_curve_has_its_figures_in_a_table_beside_it()
    {
        var chart = CommonCharts.AttackSuccess("PGD", "ε", [("Plain", [new(0, 0), new(0.1, 0.87, 0.8, 0.92)]), ("Robust", [new(0.1, 0.31)])]);
        var html = HtmlReport.Render(Model("text") with { Sections = [new() { Title = "Attacks", Charts = [chart] }] });
        Assert.Contains("87\u00a0% (80\u00a0% to 92\u00a0%)", html);
        Assert.Contains("31\u00a0%", html);
        Assert.Contains("role=\"img\"", html);
    }

    [Fact]
    public void Figures_that_were_not_measured_say_so()
    {
        var html = HtmlReport.Render(Model("text") with
        {
            Sections = [new() { Title = "Costs", Charts = [CommonCharts.Costs("time", ChartUnit.Percent, [("TEE", null, null), ("Screen", double.NaN, null)])] }],
            Claims = [new() { Measure = "TEE", Claimed = "2–3 times slower", Measured = "–", Why = "no such device here" }],
        });
        Assert.Equal(2, Regex.Count(html, "class=\"value none\">not measured<"));
        Assert.Contains(">not measurable</span>", html);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(0)]
    [InlineData(-1e300)]
    public void No_figure_breaks_a_drawing(double odd)
    {
        var chart = new LineChart
        {
            Title = "odd",
            X = new("x", Scale: ChartScale.Log),
            Y = new("y"),
            Series = [new("one", [new(odd, odd), new(1, odd)]), new("none", []), new("bins", [new(odd, 1), new(1, odd)], ChartShape.Bins)],
            Levels = [new(odd, "level")],
        };
        var drawing = Regex.Match(HtmlReport.Render(Model("text") with { Sections = [new() { Title = "odd", Charts = [chart] }] }), "<svg class=\"plot\".*?</svg>", RegexOptions.Singleline).Value;
        Assert.NotEmpty(drawing);
        Assert.DoesNotMatch("NaN|∞|Infinity", drawing);
    }

    [Fact]
    public void A_model_survives_its_file()
    {
        var model = Model("text");
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var html = File.ReadAllText(ReportFile.Write(folder.FullName, model));
            var again = ReportFile.FromJson(File.ReadAllBytes(Path.Combine(folder.FullName, ReportFile.ModelName)));
            Assert.Equal(html, HtmlReport.Render(again));
            Assert.Equal(2, folder.GetFiles().Length);
        }
        finally
        {
            TemporaryFolder.Remove(folder.FullName);
        }
    }

    [Theory]
    [InlineData("""{"title":"a","created":"2026-01-01T00:00:00Z","verdict":{"outcome":"done","headline":"x"},"surprise":1}""", "surprise")]
    [InlineData("""{"title":"a","created":"2026-01-01T00:00:00Z"}""", "verdict")]
    [InlineData("""{"title":"a","title":"b","created":"2026-01-01T00:00:00Z","verdict":{"outcome":"done","headline":"x"}}""", "title")]
    [InlineData("null", "null")]
    public void A_file_that_is_no_model_is_refused_by_name(string json, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => ReportFile.FromJson(System.Text.Encoding.UTF8.GetBytes(json))).Message);

    [Fact]
    public async Task The_command_refuses_a_folder_without_a_run()
    {
        var error = new StringWriter();
        Assert.Equal(2, await Bulwark.Cli.BulwarkCommand.RunAsync(["report", Path.GetTempPath() + "no-such-run"], TextWriter.Null, error));
        Assert.Contains(ReportFile.ModelName, error.ToString());
    }

    private static string Tags(string html) => string.Join(' ', Regex.Matches(Regex.Replace(html, "<style>.*?</style>", "", RegexOptions.Singleline), "</?[a-z0-9!]+").Select(tag => tag.Value));

    private static ReportModel Model(string text) => new()
    {
        Title = text,
        Summary = text,
        Created = DateTimeOffset.UnixEpoch,
        Duration = TimeSpan.FromSeconds(90),
        Command = text,
        Version = text,
        Verdict = new(ReportOutcome.Done, text),
        Figures = [new(text, text, text)],
        Warnings = [text],
        Steps = [new() { Name = text, Happened = text, Duration = TimeSpan.FromSeconds(1), Command = text, Verify = text, Digests = [new(text, text)] }],
        Claims = [new() { Measure = text, Claimed = text, Measured = text, Goal = text, Verdict = ClaimVerdict.Met, Why = text, Command = text }],
        Sections =
        [
            new()
            {
                Title = text,
                Text = text,
                Charts =
                [
                    new LineChart { Title = text, Caption = text, X = new(text), Y = new(text), Series = [new(text, [new(0, 1, 0.5, 1), new(1, 2)], ChartShape.Marked)], Levels = [new(1, text)] },
                    new BarChart { Title = text, Caption = text, Measure = text, Series = [text, text], Groups = [new(text, [1, null], text)] },
                ],
                Tables = [new() { Title = text, Columns = [text], Rows = [[text]], Note = text }],
            },
        ],
        Checks = [new(text, text)],
        Machine = [new(text, text)],
    };
}
