using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Models;

namespace Bulwark.Cli.Keys;

/// <summary>What became of a folder's files.</summary>
internal sealed record RewrapReport(int Rewrapped, int Newest, int OfOthers, int NotSealed, IReadOnlyList<RewrapResult> Failed);

/// <summary>Rewraps a folder, batch by batch: the next batch's files are told apart while this one's are written.</summary>
internal static class RewrapJob
{
    private const int BatchFiles = 256;

    internal static async Task<RewrapReport> RunAsync(DirectoryInfo root, IKeyProvider keys, IProgress<double>? progress, CancellationToken cancel)
    {
        var files = Directory.EnumerateFiles(root.FullName, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = FileAttributes.ReparsePoint })
            .Where(path => !Path.GetFileName(path).EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        var results = new List<RewrapResult>();
        var (notSealed, done) = (0, 0);
        var columnKeys = new ParquetKeyFiles(keys);
        foreach (var batch in files.Chunk(BatchFiles))
        {
            cancel.ThrowIfCancellationRequested();
            var sealedFiles = new List<string>(batch.Length);
            foreach (var path in batch)
            {
                if (ParquetKeyFiles.IsMatch(path))
                    results.Add(await columnKeys.RewrapAsync(path, cancel));
                else if (KindOf(path, results) is { } kind)
                {
                    if (kind == "package")
                        results.Add(await PackageKeys.RewrapAsync(path, keys, cancel));
                    else
                        sealedFiles.Add(path);
                }
                else
                    notSealed++;
            }

            results.AddRange(await SealedFile.RewrapManyAsync(sealedFiles, keys, cancel));
            progress?.Report((double)(done += batch.Length) / files.Length);
        }

        int Count(RewrapOutcome outcome) => results.Count(result => result.Outcome == outcome);
        var failed = results.Where(result => result.Outcome == RewrapOutcome.Failed).ToArray();
        return new(Count(RewrapOutcome.Rewrapped), Count(RewrapOutcome.Newest), Count(RewrapOutcome.OfOthers), notSealed - failed.Count(result => result.Reason == Unreadable), failed);
    }

    private const string Unreadable = "it cannot be read";

    /// <returns><c>sealed</c>, <c>package</c>, or null for anything else.</returns>
    private static string? KindOf(string path, List<RewrapResult> results)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Span<byte> head = stackalloc byte[8];
            if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
                return null;
            return SealedFile.IsMatch(head) ? "sealed" : SealedModel.IsMatch(head) ? "package" : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            results.Add(new(path, RewrapOutcome.Failed, Unreadable));
            return null;
        }
    }
}
