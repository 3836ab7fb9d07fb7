using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;
using Spectre.Console;

namespace Bulwark.Cli.Serving;

/// <summary>The gateway's private trail of decisions: is it what the log says, and as events for other tools.</summary>
internal static class AuditCommand
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    internal static Command Create() => new("audit", "The gateway's trail of decisions. Example: bulwark audit verify") { CreateVerify(), CreateExport() };

    private static Option<DirectoryInfo> Trail() => new("--trail") { Description = "The gateway's trail; the default is audit in the workspace.", HelpName = "DIR" };

    private static FileInfo[] Files(ParseResult parsed, Option<DirectoryInfo> trail)
    {
        var folder = parsed.GetValue(trail) ?? new DirectoryInfo(Workspace.Require(parsed).TrailDirectory);
        FileInfo[] files = folder.Exists ? [.. folder.GetFiles("decisions-*.jsonl").OrderBy(one => one.Name, StringComparer.Ordinal)] : [];
        return files.Length > 0 ? files : throw new CommandException($"{folder} holds no trail.", "a gateway that `serve` started writes one");
    }

    private static Command CreateExport()
    {
        var trail = Trail();
        var format = new Option<string>("--format") { Description = "ocsf: Open Cybersecurity Schema Framework 1.6, API Activity; ecs: Elastic Common Schema 8.11.", DefaultValueFactory = _ => "ocsf" }.AcceptOnlyFromAmong("ocsf", "ecs");
        var output = new Option<FileInfo>("-o", "--output") { Description = "Where to; stdout without.", HelpName = "FILE" };
        var command = new Command("export", "Writes decisions as events, a line each. Example: bulwark audit export --format ocsf -o events.jsonl") { trail, format, output };
        command.SetAction(parsed =>
        {
            var isEcs = parsed.GetValue(format) == "ecs";
            var lines = Files(parsed, trail).SelectMany(file => File.ReadLines(file.FullName)).Select(AuditLine.Parse).Select(line => JsonSerializer.Serialize(isEcs ? EcsEvent.Of(line) : OcsfEvent.Of(line), OneLine));
            if (parsed.GetValue(output) is not { } target)
            {
                foreach (var line in lines)
                    parsed.InvocationConfiguration.Output.WriteLine(line);
                return ExitCode.Yes;
            }

            var written = lines.ToList();
            AtomicFile.Write(target.FullName, System.Text.Encoding.UTF8.GetBytes(string.Concat(written.Select(line => line + "\n"))));
            return new Screen(parsed).Answer(new { file = target.FullName, events = written.Count }, console => console.MarkupLineInterpolated($"{written.Count} events in {target.Name}"));
        });
        return command;
    }

    private static Command CreateVerify()
    {
        var trail = Trail();
        var command = new Command("verify", "Checks that every line of the trail is what the log's entries say, and that no line is missing. Example: bulwark audit verify") { trail };
        command.SetAction(async (parsed, cancel) =>
        {
            var files = Files(parsed, trail);
            var workspace = Workspace.Require(parsed);
            using var keys = workspace.OpenKeys();
            await using var log = await workspace.OpenLogAsync(keys);
            await log.FlushAsync(cancel);
            var report = TrailCheck.Run(files, log, keys.PublicKey(Workspace.SigningKey));
            return new Screen(parsed).Answer(report, console =>
            {
                foreach (var fault in report.Faults)
                    console.MarkupLineInterpolated($"[red]{fault}[/]");
                console.MarkupLineInterpolated($"{report.Groups} groups of the log, {report.Decisions} decisions: {(report.Faults.Count == 0 ? "the trail is whole." : "the trail is not what the log says.")}");
            }, report.Faults.Count == 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }
}

/// <summary>Compares a trail's lines with the digests in the log.</summary>
internal static class TrailCheck
{
    /// <summary>What the comparison came to.</summary>
    internal sealed record Report(long Groups, long Decisions, IReadOnlyList<string> Faults);

    internal static Report Run(IEnumerable<FileInfo> files, TransparencyLog log, VerificationKey signer)
    {
        var lines = new Dictionary<(string Gateway, long Number), string>();
        foreach (var file in files)
            foreach (var line in File.ReadLines(file.FullName))
            {
                var read = AuditLine.Parse(line);
                lines[(read.Gateway, read.Number)] = line;   // a group that the log refused was written, and its numbers were given again
            }

        var (groups, decisions) = (0L, 0L);
        var faults = new List<string>();
        foreach (var (index, entry) in log.ReadEntries(0, log.Checkpoint.Size))
        {
            if (Dsse.Peek(entry) is not (Statement.PayloadType, var payload) || TryParse(payload) is not { PredicateType: PredicateTypes.AccessBatch } statement)
                continue;
            if (Dsse.Verify(entry, signer).Verdict != DsseVerdict.Trusted)
                faults.Add($"entry {index}: a group of decisions that the gateway did not sign");
            else if (statement.Read<RequestsJudged>() is { Trail: { } digest } group)
            {
                (groups, decisions) = (groups + 1, decisions + group.Decisions.Count);
                var found = Enumerable.Range(0, group.Decisions.Count).Select(i => lines.GetValueOrDefault((group.Gateway, group.First + i))).ToList();
                if (found.Contains(null))
                    faults.Add($"entry {index}: {found.Count(line => line is null)} of {found.Count} lines are missing");
                else if (Digest.Of(System.Text.Encoding.UTF8.GetBytes(string.Concat(found.Select(line => line + "\n")))) != digest)
                    faults.Add($"entry {index}: the lines of gateway {group.Gateway} from {group.First} on were changed");
            }
        }

        return new(groups, decisions, faults);
    }

    private static Statement? TryParse(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return Statement.Parse(payload);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
