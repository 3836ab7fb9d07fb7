using System.CommandLine;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelPromoteCommand
{
    private static readonly Argument<FileInfo> s_package = new Argument<FileInfo>("package") { Description = "The sealed model." }.AcceptExistingOnly();
    private static readonly Option<string> s_stage = new("--to") { Description = "The stage, such as staging or production.", Required = true, HelpName = "STAGE" };
    private static readonly Option<double?> s_epsilon = new("--max-epsilon") { Description = "Refuse a model whose training cost more privacy, or was not private." };
    private static readonly Option<double?> s_accuracy = new("--min-accuracy") { Description = "Refuse a model that states less accuracy." };
    private static readonly ChampionGates s_over = new();
    private static readonly Option<string[]> s_attacks = new("--attacked") { Description = "Refuse a model without a report of this attack in the log; give it again for more.", HelpName = "ATTACK" };

    internal static Command Create()
    {
        var command = new Command("promote", """
            Records in the log that a sealed model moves to a stage, once its gates hold: signature, its sealing in the log, and what you ask. Exit 1 when one fails; that is recorded, too.
            A model that learns on from new rows is held against the one that serves: --over.

            Example: bulwark model promote fraud.bulwark --to production --max-epsilon 1 --attacked evasion
            Example: bulwark model promote next.bulwark --to production --over fraud.bulwark --rows trusted.csv --canaries known-fraud.csv --new-rows november.csv
            """) { s_package, s_stage, s_epsilon, s_accuracy, s_attacks };
        s_over.AddTo(command);
        command.SetAction(PromoteAsync);
        return command;
    }

    private static async Task<int> PromoteAsync(ParseResult parsed, CancellationToken cancel)
    {
        var workspace = Workspace.Require(parsed);
        var file = parsed.GetRequiredValue(s_package);
        var stage = parsed.GetRequiredValue(s_stage);
        using var keys = workspace.OpenKeys();
        await using var stream = file.OpenRead();
        var verified = await SealedModel.VerifyAsync(stream, LogCommand.SigningKeys(keys), cancel);
        var reader = await LineageSource.RequireAsync(parsed);
        var replaced = reader.All<ModelPromoted>().LastOrDefault(found => found.Claim.Promoted && found.Claim.Stage == stage)?.Statement.Subjects[0].Digest;
        GateFact[] gates = [.. Gates(parsed, verified, reader), .. verified.IsTrusted ? await s_over.RunAsync(parsed, file, replaced, cancel) : []];
        var promoted = gates.All(gate => gate.Passed);
        var entry = await workspace.AppendAsync(keys, Statement.Of(file.Name, verified.PackageDigest.IsNone ? Digest.Of(await File.ReadAllBytesAsync(file.FullName, cancel)) : verified.PackageDigest, new ModelPromoted
        {
            Stage = stage,
            Promoted = promoted,
            Gates = gates,
            Replaces = replaced == verified.PackageDigest ? null : replaced,
            Time = DateTimeOffset.UtcNow,
        }), cancel);
        return new Screen(parsed).Answer(new { package = file.FullName, stage, promoted, gates, replaces = replaced?.ToString(), logIndex = entry.Index }, console =>
        {
            EvidenceView.Print(console, $"{file.Name} to {stage}", [.. gates.Select(gate => new EvidenceLink(gate.Name, gate.Passed, gate.Detail) { Fault = gate.Passed ? null : "gate" })]);
            console.MarkupLineInterpolated($"log entry {entry.Index}");
        }, promoted ? ExitCode.Yes : ExitCode.No);
    }

    private static IEnumerable<GateFact> Gates(ParseResult parsed, SealVerification verified, LineageReader reader)
    {
        yield return new("signature", verified.IsTrusted, verified.Reason);
        var sealing = verified.PackageDigest.IsNone ? null : reader.Find<ModelSealed>(verified.PackageDigest).FirstOrDefault();
        yield return new("sealed", sealing is not null, sealing is null ? "no trusted statement in the log says so" : $"entry {sealing.Index}");
        var manifest = verified.Manifest;
        if (parsed.GetValue(s_epsilon) is { } limit)
            yield return new("privacy", manifest?.Epsilon <= limit, string.Create(CultureInfo.InvariantCulture, $"ε {manifest?.Epsilon?.ToString("0.####", CultureInfo.InvariantCulture) ?? "none"}, at most {limit}"));
        if (parsed.GetValue(s_accuracy) is { } least)
            yield return new("accuracy", manifest?.Accuracy >= least, string.Create(CultureInfo.InvariantCulture, $"{manifest?.Accuracy?.ToString("0.####", CultureInfo.InvariantCulture) ?? "none"}, at least {least}"));
        foreach (var attack in parsed.GetValue(s_attacks) ?? [])
        {
            var subjects = (sealing?.Claim.Files.Select(one => one.Digest) ?? []).Append(verified.PackageDigest);
            var report = subjects.SelectMany(reader.Find<ModelAttacked>).LastOrDefault(found => found.Claim.Attack == attack);
            yield return new($"attacked: {attack}", report is not null, report is null ? "no report in the log" : $"entry {report.Index}");
        }
    }
}
