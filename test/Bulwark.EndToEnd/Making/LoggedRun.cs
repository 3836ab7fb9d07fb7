using Bulwark.Cryptography;

namespace Bulwark.EndToEnd.Making;

/// <summary>What every training run leaves in its workspace's log.</summary>
internal static class LoggedRun
{
    /// <summary>The last three entries are the data, the run that made this very file of it, and how the file measured.</summary>
    internal static async Task AssertAsync(string workspace, string folder, CommandLine.Answered trained)
    {
        var log = await CommandLine.RunAsync("log", "show", "--last", "3", "--json", "-w", workspace);
        Assert.True(log.Code == 0, log.Said);
        var entries = log.Json.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(["dataset-commitment", "training-run", "evaluation"], entries.Select(entry => entry.GetProperty("claim").GetString()));
        Assert.All(entries, entry => Assert.True(entry.GetProperty("trusted").GetBoolean()));
        Assert.Equal(trained.Json.GetProperty("logIndex").GetInt64(), entries[1].GetProperty("index").GetInt64());
        var model = Digest.Of(await File.ReadAllBytesAsync(Path.Combine(folder, "model.onnx"), TestContext.Current.CancellationToken)).ToHex();
        Assert.All(entries[1..], entry => Assert.Contains(model[..12], entry.GetProperty("subjects").GetString()!, StringComparison.Ordinal));
        var data = trained.Json.GetProperty("dataset").GetString()!["sha256:".Length..];
        Assert.Contains(data[..12], entries[0].GetProperty("subjects").GetString()!, StringComparison.Ordinal);
        Assert.Contains(data, entries[1].GetProperty("predicate").GetRawText(), StringComparison.Ordinal);
    }
}
