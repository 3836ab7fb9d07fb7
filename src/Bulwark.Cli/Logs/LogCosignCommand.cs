using System.CommandLine;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogCosignCommand
{
    internal static Command Create()
    {
        var policy = new Option<FileInfo?>("--policy") { Description = "A tlog-policy with the witnesses' addresses; the default is the workspace's witness.policy.", HelpName = "FILE" };
        var command = new Command("cosign", """
            Submits the log's checkpoint to the witnesses of a policy and puts their cosignatures beneath it. With witness.policy in the
            workspace every append and the gateway do this by themselves.

            Example: bulwark log cosign --policy witness.policy
            """) { policy };
        command.SetAction(async (parsed, cancel) =>
        {
            var workspace = Workspace.Require(parsed);
            var file = parsed.GetValue(policy) ?? new FileInfo(workspace.WitnessPolicyPath);
            if (!file.Exists)
                throw new CommandException($"There is no policy {file.FullName}.", "write one: witness NAME VKEY URL … quorum NAME, see docs/witnesses.md");
            var rules = LogPolicy.Parse(await File.ReadAllBytesAsync(file.FullName, cancel));
            using var keys = workspace.OpenKeys();
            using var signer = keys.OpenSigner(Workspace.LogKey);
            await using var log = await LogSource.OpenAsync(workspace.LogDirectory, signer, keys.PublicKey(Workspace.LogKey), cancel);
            await log.FlushAsync(cancel);
            using var http = LogSource.Http();
            await using var round = new WitnessRound(log, rules, http);
            var (report, replies) = await round.AskAsync(cancel);
            var met = report.Verdict == LogVerdict.Verified;
            return new Screen(parsed).Answer(new
            {
                size = log.Size,
                report.Verdict,
                report.Detail,
                report.Cosigned,
                replies = replies.Select(reply => new { witness = reply.Witness.Name, reply.Outcome, reply.Detail }),
            }, console =>
            {
                foreach (var reply in replies)
                    console.MarkupLineInterpolated($"{(reply.Outcome == WitnessOutcome.Cosigned ? "✓" : "✗")} {Printable.Line(reply.Witness.Name)}: {Printable.Line(reply.Detail)}");
                console.MarkupLineInterpolated($"{(met ? "✓" : "✗")} {Printable.Line(report.Detail)}");
            }, met ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }
}
