using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Lineage;

namespace Bulwark.Cli.Logs;

/// <summary>What the log commands share: which log, by whose key, under which policy.</summary>
internal static class LogSource
{
    internal static Option<string?> KeyOption() => new("--log-key") { Description = "The log's vkey (name+hash+base64), from someone you believe.", HelpName = "VKEY" };

    internal static Option<FileInfo?> PolicyOption() => new("--policy") { Description = "A tlog-policy: which witnesses must have cosigned.", HelpName = "FILE" };

    internal static LogPolicy? Policy(FileInfo? file) => file is null ? null : LogPolicy.Parse(File.ReadAllBytes(SealCommand.Existing(file).FullName));

    /// <summary>The key given, else the one in a log's own folder, else nobody's.</summary>
    internal static NoteKey Key(string? given, string? directory, LogPolicy? policy)
    {
        if (given is not null)
            return NoteKey.Parse(given);
        if (policy?.Logs is [var only])
            return only.Key;
        var own = directory is null ? null : Path.Combine(directory, "log.vkey");
        return own is not null && File.Exists(own) ? NoteKey.Parse(File.ReadAllText(own).Trim())
            : throw new CommandException("Say by which key the log is to be believed.", "--log-key VKEY, or --policy FILE that names one log");
    }

    internal static HttpClient Http() => new(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.GZip }) { Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>The workspace's log, to write; with its store, whichever that is.</summary>
    internal static async Task<TransparencyLog> OpenAsync(string directory, Signer? signer, VerificationKey? key, CancellationToken cancel = default) =>
        await TransparencyLog.OpenAsync(directory, signer, key, await LogStores.OfAsync(directory, cancel));

    /// <summary>Waits until Ctrl-C; a server's answer was given when it began.</summary>
    internal static Task UntilInterruptedAsync(CancellationToken cancel) =>
        Task.Delay(Timeout.Infinite, cancel).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
