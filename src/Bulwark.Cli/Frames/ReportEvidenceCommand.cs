using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cli.Attacks;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Frames;

/// <summary>What <c>report evidence</c> answers.</summary>
internal sealed record FrameAnswer(string Model, string Package, DateTimeOffset Made, long LogSize, IReadOnlyList<FrameResult> Frames)
{
    /// <summary>Whether every requirement of the frames has all of its evidence.</summary>
    public bool IsWhole => Frames.All(frame => frame.Count(Standing.Found) == frame.Requirements.Count);
}

/// <summary>Holds laws, standards and guides against what the log knows of a model.</summary>
internal static class ReportEvidenceCommand
{
    private static readonly Argument<string?> s_model = new("model") { Description = "A sealed package, its digest, or a model's name in the log; else the one that was sealed last.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string[]> s_frames = new("--frame") { Description = $"Which to hold it against; may be repeated. Of {string.Join(", ", Frame.All.Select(frame => frame.Id))}; else all.", HelpName = "NAME" };
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "A page for people.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_oscal = new("--oscal") { Description = "OSCAL 1.1.2 assessment results, JSON.", HelpName = "FILE" };

    internal static Command Create()
    {
        s_frames.AcceptOnlyFromAmong([.. Frame.All.Select(frame => frame.Id)]);
        var command = new Command("evidence", """
            What there is to show for PCI DSS, the GDPR, the AI Act and the NIST AI RMF: each requirement that a program can show anything of,
            with the entries of the log that speak for it, or against, and what is missing. Never "compliant": an assessor judges that.
            Exit code 1 when any evidence is missing, in part, or against.

            Example: bulwark report evidence fraud.bulwark --frame pci-dss --html evidence.html --oscal evidence.json
            """) { s_model, s_frames, s_html, s_oscal };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var asked = parsed.GetValue(s_frames) is { Length: > 0 } named ? named.Distinct().ToArray() : [.. Frame.All.Select(frame => frame.Id)];
        var scope = await screen.ProgressAsync("reading the log", progress => ScopeAsync(parsed, progress, cancel));
        var seal = scope.Package.Claim;
        var answer = new FrameAnswer($"{seal.Name} {seal.Version}", scope.PackageDigest.ToString(), scope.Now, scope.LogSize, EvidenceChecks.Ask([.. Frame.All.Where(frame => asked.Contains(frame.Id))], scope));
        await AttackRecord.WriteHtmlAsync(parsed.GetValue(s_html), () => FrameHtml.Model(answer), cancel);
        if (parsed.GetValue(s_oscal) is { } oscal)
            AtomicFile.Write(oscal.FullName, Encoding.UTF8.GetBytes(Oscal.Of(answer).ToJsonString(Screen.JsonOptions)));
        return screen.Answer(answer, console => Draw(console, answer, [.. new[] { parsed.GetValue(s_html), parsed.GetValue(s_oscal) }.OfType<FileInfo>().Select(file => file.FullName)]), answer.IsWhole ? ExitCode.Yes : ExitCode.No);
    }

    private static async Task<EvidenceScope> ScopeAsync(ParseResult parsed, IProgress<double> progress, CancellationToken cancel)
    {
        var workspace = Workspace.Require(parsed);
        using var keys = workspace.OpenKeys();
        await using var log = await Logs.LogSource.OpenAsync(workspace.LogDirectory, signer: null, keys.PublicKey(Workspace.LogKey), cancel);
        var report = await log.VerifyAsync(progress: progress, cancel: cancel);
        if (report.Verdict != LogVerdict.Verified)
            throw new CryptographicException($"The log is no evidence of anything: {report.Detail}");
        var policy = File.Exists(workspace.WitnessPolicyPath) ? LogPolicy.Parse(await File.ReadAllBytesAsync(workspace.WitnessPolicyPath, cancel)) : null;
        var reader = new LineageReader(log, workspace.OpenIndex(log, keys), LogCommand.SigningKeys(keys));
        var named = parsed.GetValue(s_model);
        var package = named is not null ? LineageCommand.Find(reader, named)
            : reader.Newest<ModelSealed>().FirstOrDefault() ?? throw new CommandException("No model was sealed in this workspace.", "bulwark model seal, or bulwark demo");
        return new EvidenceScope(reader, package, named ?? package.Claim.Name)
        {
            Now = DateTimeOffset.UtcNow,
            LogSize = report.Size,
            Witnessed = policy?.Judge(log.Witnessed ?? log.Checkpoint),
            Keys = KeyStanding.Of(keys.List(), DateTimeOffset.UtcNow),
            KeyRingIsOpen = workspace.IsUnprotected,
        };
    }

    private static void Draw(IAnsiConsole console, FrameAnswer answer, IReadOnlyList<string> files)
    {
        foreach (var frame in answer.Frames)
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("", "requirement", "asks", "checks").Title(Markup.Escape(frame.Title));
            foreach (var requirement in frame.Requirements)
            {
                table.AddRow(new Text(FrameHtml.Mark(requirement.Standing), Colour(requirement.Standing)), new Text(requirement.Id), new Text(requirement.Asks),
                    new Text(string.Join(", ", requirement.Findings.Select(finding => $"{FrameHtml.Mark(finding.Standing)} {finding.Check}"))));
            }

            console.Write(table);
        }

        foreach (var finding in FrameHtml.Findings(answer).OrderBy(finding => finding.Standing == Standing.Missing).ThenBy(finding => finding.Standing))
        {
            console.Write(new Text($"{FrameHtml.Mark(finding.Standing)} {finding.Check}", Colour(finding.Standing)));
            console.WriteLine($": {finding.Found}{(finding.Entries.Count > 0 ? $" [{(finding.Entries.Count == 1 ? "entry" : "entries")} {string.Join(", ", finding.Entries)}]" : "")}");
        }

        console.WriteLine($"{answer.Model}: {FrameHtml.Headline(answer)} Evidence is not compliance.");
        foreach (var file in files)
            console.WriteLine($"written: {file}");
    }

    private static Style Colour(Standing standing) => new(standing switch { Standing.Found => Color.Green, Standing.Partly => Color.Yellow, Standing.Against => Color.Red, _ => Color.Grey });
}
