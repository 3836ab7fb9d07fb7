using System.CommandLine;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>An epoch that ended, and the log entry that says so.</summary>
internal sealed record EpochEnded(EpochChange Change, long LogIndex);

internal static class DataShredEpochCommand
{
    internal static Command Create()
    {
        var command = new Command("shred-epoch", """
            Ends the epoch of the data subjects' keys: wraps the living ones anew and destroys the old epoch's key, so that
            every earlier copy of the store is unreadable. Do it after erasures, and before backups of the key ring are taken.

            Example: bulwark data shred-epoch
            """);
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var workspace = Workspace.Require(parsed);
            using var keys = workspace.OpenKeys();
            using var store = DataFiles.Subjects(workspace, keys);
            var ended = await EndAsync(screen, workspace, keys, store, cancel);
            return screen.Answer(new { ended.Change.Ended, ended.Change.Begun, ended.Change.Subjects, ended.LogIndex }, console =>
                console.MarkupLineInterpolated($"[green]epoch ended[/]  {ended.Change.Ended} destroyed; {ended.Change.Subjects:N0} living keys under {ended.Change.Begun}  log entry {ended.LogIndex}"));
        });
        return command;
    }

    internal static async Task<EpochEnded> EndAsync(Screen screen, Workspace workspace, KeyRing keys, SubjectStore store, CancellationToken cancel)
    {
        var change = await screen.ProgressAsync("ending the epoch", progress => Task.Run(() => store.NextEpoch(progress, cancel), cancel));
        var entry = await workspace.AppendAsync(keys, Statement.Of("epoch of subjects' keys", Digest.Of(Encoding.UTF8.GetBytes(change.Ended.ToString())), new KeyUsed
        {
            Operation = "destroy",
            Key = change.Ended.Name,
            Version = $"{change.Ended.Version}",
            Purpose = $"end of epoch; living keys are under {change.Begun}",
            By = Claims.PseudonymOf(keys, Environment.UserName),
            Time = DateTimeOffset.UtcNow,
            Count = Math.Max(1, change.Subjects),
        }), cancel);
        return new(change, entry.Index);
    }
}
