using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataShredCommand
{
    private static readonly Option<string?> s_subject = new("--subject") { Description = "The data subject's id, as the datasets' subject column held it. It stays in your shell's history; --subjects does not.", HelpName = "ID" };
    private static readonly Option<FileInfo?> s_subjects = new("--subjects") { Description = "A file of ids, one a line; - for standard input.", HelpName = "FILE" };
    private static readonly Option<string> s_reason = new("--reason") { Description = "On which ground; goes into the log, so name nobody.", DefaultValueFactory = _ => "request of the person", HelpName = "TEXT" };
    private static readonly Option<bool> s_epoch = new("--end-epoch") { Description = "Also end the epoch now, so that copies in backups die too." };
    private static readonly Option<double> s_days = new("--epoch-days") { Description = "End the epoch by itself when it is older than this.", DefaultValueFactory = _ => 30, HelpName = "N" };

    internal static Command Create()
    {
        var command = new Command("shred", """
            Erases data subjects: destroys their keys, logs a tombstone that names nobody, and lists the datasets and models that their rows reached.
            What was encrypted under a subject's key opens nowhere then; other columns stay, and are named; copies of the key in backups die when the epoch ends.

            Example: bulwark data shred --subjects erased-today.txt --end-epoch
            """) { s_subject, s_subjects, s_reason, s_epoch, s_days };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var workspace = Workspace.Require(parsed);
        var ids = await IdsAsync(parsed, cancel);
        using var keys = workspace.OpenKeys();
        using var store = DataFiles.Subjects(workspace, keys);
        var earlier = await TellUntoldAsync(workspace, keys, store, parsed.GetRequiredValue(s_reason), cancel);
        var log = await LogReach.OpenAsync(workspace, keys);
        var erased = new List<ErasedSubject>();
        var unknown = 0;
        var kept = false;   // the key, wrapped, in the write-ahead log of a store that somebody reads
        foreach (var id in ids)
        {
            if (store.Shred(id) is not { } erasure)
            {
                unknown++;
                continue;
            }

            var models = log.ModelsOf(erasure.Reached);
            var entry = (await workspace.AppendAsync(keys, Claim(erasure, parsed.GetRequiredValue(s_reason), models), cancel)).Index;
            kept |= !store.Told(erasure);
            erased.Add(new(erasure.Tombstone, Convert.ToHexStringLower(erasure.Receipt!), erasure.Reached, models, entry, log.RemainingIn(erasure.Reached), log.RevealsOf(erasure.Reached)));
        }

        var due = store.Epoch.Begun.AddDays(parsed.GetValue(s_days)) <= DateTimeOffset.UtcNow;
        var epoch = (parsed.GetValue(s_epoch) || due) ? await DataShredEpochCommand.EndAsync(screen, workspace, keys, store, cancel) : null;
        return screen.Answer(
            new { erased, unknown, inWriteAheadLog = kept, toldNow = earlier, epoch, epochKey = store.Epoch.Key, epochBegun = store.Epoch.Begun },
            console => Draw(console, erased, unknown, kept && epoch is null, earlier, epoch, store),
            unknown == 0 && (!kept || epoch is not null) ? ExitCode.Yes : ExitCode.No);
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(ParseResult parsed, CancellationToken cancel)
    {
        var (one, file) = (parsed.GetValue(s_subject), parsed.GetValue(s_subjects));
        if (one is null == file is null)
            throw new CommandException("Say whom to erase: --subject ID, or --subjects FILE.", "bulwark data shred --help");
        if (one is not null)
            return one.Length > 0 ? [one] : throw new CommandException("A subject's id is not empty.");
        var text = file!.Name == "-" ? await Console.In.ReadToEndAsync(cancel) : await File.ReadAllTextAsync(file.FullName, cancel);
        string[] ids = [.. text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0).Distinct(StringComparer.Ordinal)];
        return ids.Length > 0 ? ids : throw new CommandException($"{file.Name} names nobody.");
    }

    /// <summary>Tells the log of keys that a process destroyed before it died; such as it told already are only forgotten.</summary>
    private static async Task<int> TellUntoldAsync(Workspace workspace, KeyRing keys, SubjectStore store, string reason, CancellationToken cancel)
    {
        var untold = store.Untold();
        if (untold.Count == 0)
            return 0;
        var log = await LogReach.OpenAsync(workspace, keys);
        foreach (var erasure in untold)
        {
            if (!log.Knows(erasure.Tombstone))
                await workspace.AppendAsync(keys, Claim(erasure, reason, log.ModelsOf(erasure.Reached)), cancel);
            store.Told(erasure);
        }

        return untold.Count;
    }

    private static Statement Claim(Erasure erasure, string reason, IReadOnlyList<ReachedModel> models) => Statement.Of("erased subject", erasure.Tombstone, new SubjectErased
    {
        Time = erasure.Erased,
        Reason = reason,
        Epoch = erasure.Epoch.Version,
        Datasets = [.. erasure.Reached.Select(version => version.Commitment).OfType<Digest>().Distinct()],
        Models = [.. models.Select(model => model.Digest)],
    });

    private static void Draw(IAnsiConsole console, List<ErasedSubject> erased, int unknown, bool kept, int earlier, EpochEnded? epoch, SubjectStore store)
    {
        foreach (var one in erased)
        {
            console.MarkupLineInterpolated($"[green]key destroyed[/]  tombstone {one.Tombstone}  log entry {one.LogIndex}");
            console.MarkupLineInterpolated($"        receipt   {one.Receipt}  (for the subject; kept nowhere)");
            foreach (var version in one.Datasets)
            {
                console.MarkupLineInterpolated($"        dataset   {version.Dataset}/{version.Version ?? "(writing was never finished)"}  {version.File}");
                console.MarkupLineInterpolated($"        [yellow]erased in part[/]: {Remains(one.Remaining.GetValueOrDefault($"{version.Dataset}/{version.Version}"))}");
            }

            foreach (var reveal in one.Reveals)
                console.MarkupLineInterpolated($"        [yellow]revealed[/]  {string.Join(", ", reveal.Columns)} for \"{reveal.Purpose}\" on {reveal.Time:yyyy-MM-dd}: what was written out then is not reached  [grey](entry {reveal.LogIndex})[/]");
            foreach (var model in one.Models)
                console.MarkupLineInterpolated($"        model     {model.Name}  {model.Digest}  [grey](entry {model.LogIndex})[/]");
            if (one.Models.Count == 0)
                console.MarkupLine("        [grey]the log knows of no model that learnt from these[/]");
        }

        if (kept)
            console.MarkupLine("[red]not yet gone[/]: another program reads the store, so its write-ahead log may still hold the erased keys, wrapped. Close it, then: bulwark data shred-epoch");
        if (unknown > 0)
            console.MarkupLineInterpolated($"[yellow]{unknown} without a key[/]: never seen here, or erased before");
        if (earlier > 0)
            console.MarkupLineInterpolated($"[yellow]{earlier} erased earlier[/] by a process that was interrupted: the log is told now");
        if (epoch is not null)
            console.MarkupLineInterpolated($"[green]epoch ended[/]  {epoch.Change.Ended} destroyed; {epoch.Change.Subjects:N0} living keys under {epoch.Change.Begun}  log entry {epoch.LogIndex}");
        else
            console.MarkupLineInterpolated($"Copies of the store from before now still hold the keys, under {store.Epoch.Key} of {store.Epoch.Begun:yyyy-MM-dd}: [bold]bulwark data shred-epoch[/] ends them.");
    }

    private static string Remains(IReadOnlyList<string>? columns) => columns switch
    {
        null => "only cells under the subject's key are gone; the log does not know the other columns, which stay",
        [] => "every column but subject_token is under the subject's key",
        _ => $"only cells under the subject's key are gone; what the other columns hold of the subject stays: {string.Join(", ", columns)}",
    };

    /// <summary>What became of one subject, and which columns of each version were never under its key. Its id is not repeated.</summary>
    private sealed record ErasedSubject(Digest Tombstone, string Receipt, IReadOnlyList<ReachedVersion> Datasets, IReadOnlyList<ReachedModel> Models, long LogIndex, IReadOnlyDictionary<string, IReadOnlyList<string>> Remaining, IReadOnlyList<ReachedReveal> Reveals);
}
