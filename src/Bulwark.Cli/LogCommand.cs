using System.CommandLine;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

internal static partial class LogCommand
{
    internal static Command Create() => new("log", """
        The workspace's transparency log: append, prove, verify. Append-only; every state is one signed root.

        Example: bulwark log show --last 10
        """)
    {
        Show(), Search(), Tail(), Logs.LogAppendCommand.Create(), Prove(), Verify(), PrintCheckpoint(),
        Logs.LogFsckCommand.Create(), Logs.LogServeCommand.Create(), Logs.LogCosignCommand.Create(), Logs.LogWitnessCommand.Create(), Logs.LogMonitorCommand.Create(),
    };

    private static Command Prove()
    {
        var index = new Argument<long>("index") { Description = "The entry's place, from 0." };
        var output = new Option<FileInfo?>("--output", "-o") { Description = "Where to; the default is stdout.", HelpName = "FILE" };
        var command = new Command("prove", """
            An offline proof that an entry is in the log (c2sp.org/tlog-proof@v1).

            Example: bulwark log prove 3 -o entry-3.tlog-proof
            """) { index, output };
        command.SetAction(async (parsed, _) =>
        {
            var workspace = Workspace.Require(parsed);
            using var keys = workspace.OpenKeys();
            var log = await OpenAsync(workspace, keys);
            var wanted = parsed.GetValue(index);
            if (wanted < 0 || wanted >= log.Size)
                throw new CommandException($"There is no entry {wanted}: the log has {log.Size}.", "bulwark log show");
            var proof = (log.WitnessedProofFor(wanted) ?? log.ProofFor(wanted)).Format();   // with cosignatures where a witnessed checkpoint covers it
            if (parsed.GetValue(output) is not { } target)
                return new Screen(parsed).Answer(new { index = wanted, proof }, console => console.Profile.Out.Writer.Write(proof));
            AtomicFile.Write(target.FullName, Encoding.UTF8.GetBytes(proof));
            return new Screen(parsed).Answer(new { index = wanted, file = target.FullName }, console => console.MarkupLineInterpolated($"[green]Proof of entry {wanted}[/] in {target.FullName}"));
        });
        return command;
    }

    private static Command Verify()
    {
        var seen = new Option<FileInfo?>("--seen") { Description = "A checkpoint from earlier or elsewhere that the log must still begin with.", HelpName = "FILE" };
        var policy = Logs.LogSource.PolicyOption();
        var command = new Command("verify", """
            Derives the whole log again from its entries: leaf hashes, tiles, root, signature; with a policy, the witnesses' cosignatures too.

            Example: bulwark log verify --seen checkpoint.txt
            """) { seen, policy };
        command.SetAction(async (parsed, cancel) =>
        {
            var workspace = Workspace.Require(parsed);
            using var keys = workspace.OpenKeys();
            return await VerifyAsync(parsed, workspace.LogDirectory, keys.PublicKey(Workspace.LogKey), parsed.GetValue(seen), cancel, Logs.LogSource.Policy(parsed.GetValue(policy)));
        });
        return command;
    }

    private static Command PrintCheckpoint()
    {
        var command = new Command("checkpoint", """
            Prints the signed checkpoint: keep it, and the log can never again be shorter or different unnoticed.

            Example: bulwark log checkpoint > seen.txt
            """);
        command.SetAction(async (parsed, _) =>
        {
            var workspace = Workspace.Require(parsed);
            using var keys = workspace.OpenKeys();
            var log = await OpenAsync(workspace, keys);
            var checkpoint = log.Checkpoint;
            return new Screen(parsed).Answer(
                new { checkpoint.Origin, checkpoint.Size, checkpoint.Root, key = log.NoteKey.ToString(), note = checkpoint.Note!.Note },
                console => console.Profile.Out.Writer.Write(checkpoint.Note!.Note));
        });
        return command;
    }

    /// <summary>Verifies the log in a folder and answers; shared with <c>verify</c>.</summary>
    internal static async Task<int> VerifyAsync(ParseResult parsed, string directory, VerificationKey? trusted, FileInfo? seen, CancellationToken cancel, LogPolicy? policy = null)
    {
        var screen = new Screen(parsed);
        LogReport report;
        var asked = true;
        try
        {
            // The workspace's own log is held against its database too; a stranger's folder does not say whom we talk to.
            var own = Workspace.Find(parsed) is { } workspace && workspace.LogDirectory == Path.GetFullPath(directory);
            asked = own || TransparencyLog.StoreNameOf(directory) is null;
            await using var log = own ? await Logs.LogSource.OpenAsync(directory, signer: null, trusted, cancel) : await TransparencyLog.OpenAsync(directory, trustedKey: trusted);
            var earlier = seen is null ? null : ReadSeen(seen, log.Key);
            report = await screen.ProgressAsync("verifying the log", progress => log.VerifyAsync(earlier, progress, cancel));
            if (report.Verdict == LogVerdict.Verified && policy is not null)
                report = policy.Judge(log.Witnessed is { } witnessed && witnessed.Note!.Text == report.Checkpoint!.Note!.Text ? witnessed : report.Checkpoint!) is var judged && judged.Verdict == LogVerdict.Verified
                    ? report with { Detail = $"{report.Detail} {judged.Detail}" }
                    : new LogReport(judged.Verdict, report.Size, judged.Detail);
        }
        catch (InvalidDataException failure)
        {
            report = new LogReport(LogVerdict.WrongSignature, 0, failure.Message);
        }

        var sound = report.Verdict == LogVerdict.Verified;
        var links = new[] { new EvidenceLink("log", sound, report.Detail) { Fault = sound ? null : System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(report.Verdict.ToString()) } };
        return screen.Answer(
            new { kind = "log", directory, report.Verdict, report.Size, report.Detail, keyPinned = trusted is not null, storeAsked = asked },
            console =>
            {
                EvidenceView.Print(console, $"Transparency log in {directory}", links);
                if (trusted is null)
                    console.MarkupLine("[yellow]No key was pinned: the one in the log's own folder shows that the log is of one piece, not whose it is. Give --log-key.[/]");
                if (!asked)
                    console.MarkupLine("[yellow]The database behind the log was not asked: bulwark log fsck DIR --connect does.[/]");
            },
            !sound ? ExitCode.No : trusted is null ? ExitCode.CouldNotAsk : ExitCode.Yes);
    }

    /// <summary>The public halves of the workspace's own signing key, every version that was not destroyed: what a workspace trusts by default.</summary>
    internal static IReadOnlyList<VerificationKey> SigningKeys(KeyRing keys) =>
        [.. keys.List().Where(key => key.Id.Name == Workspace.SigningKey && key.State != KeyState.Destroyed && key.PublicKey is not null).Select(key => VerificationKey.Parse(key.PublicKey!))];

    private static Task<TransparencyLog> OpenAsync(Workspace workspace, KeyRing keys, Signer? signer = null) =>
        signer is null
        ? TransparencyLog.OpenAsync(workspace.LogDirectory, trustedKey: keys.PublicKey(Workspace.LogKey))
        : Logs.LogSource.OpenAsync(workspace.LogDirectory, signer, keys.PublicKey(Workspace.LogKey));

    private static Checkpoint ReadSeen(FileInfo file, VerificationKey key)
    {
        var checkpoint = Checkpoint.Parse(File.ReadAllBytes(SealCommand.Existing(file).FullName));
        return checkpoint.IsSignedBy(key) ? checkpoint : throw new CommandException($"{file.Name} is not signed by the log's key: it says nothing about this log.");
    }
}
