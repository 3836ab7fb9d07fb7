using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

public static partial class DataProtection
{
    /// <summary>Reads every byte of protected data that the keys open and, where they open all, computes the commitment anew. Gives out no value.</summary>
    /// <inheritdoc cref="OpenColumns" path="/exception"/>
    public static Task<ProtectionCheck> VerifyAsync(string path, KeyRing keys, string? dataset = null, IKeyProvider? store = null, CancellationToken cancel = default) =>
        Task.Run(() => Verify(path, keys, store ?? keys, dataset, cancel), cancel);

    /// <summary>Checks a folder's files against its manifest: sizes, digests, row groups, no file missing or strange. With a key the manifest's own seal too.</summary>
    /// <param name="folder">The protected folder.</param>
    /// <param name="store">Where the manifest's key is; null checks only that files and manifest agree.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="CryptographicException">Something was changed: the message names it.</exception>
    public static async Task<DatasetManifest> VerifyFilesAsync(string folder, IKeyProvider? store, CancellationToken cancel = default)
    {
        var manifest = DatasetManifest.Read(folder);
        if (store is not null)
            ProtectedDataset.Require(manifest, store)?.Dispose();
        var stated = manifest.Parts.Select(part => part.Path).ToHashSet(StringComparer.Ordinal);
        var stranger = Directory.EnumerateFiles(folder, "*.parquet", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).FirstOrDefault(file => !stated.Contains(file));
        if (stranger is not null)
            throw new CryptographicException($"{stranger} is no part of the dataset.");
        foreach (var part in manifest.Parts)
        {
            var path = Path.Combine(folder, part.Path);
            if (!File.Exists(path))
                throw new CryptographicException($"The part {part.Path} is missing.");
            await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan | FileOptions.Asynchronous);
            if (stream.Length != part.Bytes || await Digest.OfAsync(stream, cancel) != part.Digest)
                throw new CryptographicException($"The part {part.Path} was changed.");
        }

        return manifest;
    }

    private static ProtectionCheck Verify(string path, KeyRing keys, IKeyProvider store, string? dataset, CancellationToken cancel)
    {
        using var opened = new ProtectedDataset(path, store, dataset);
        var hashed = opened.Columns.Where(column => !FieldTransforms.IsReversible(column.Action)).ToArray();
        using var source = new RevealedSource(opened, opened.Columns.Except(hashed), keys, turnBack: true);
        var shut = source.Accesses.Where(access => !access.Opened).ToArray();
        var whole = opened is { Exact: true, Blinding: not null } && shut.Length == 0 && hashed.Length == 0;
        var commitment = new CommitmentBuilder();
        foreach (var batch in source.Batches(cancel))
        {
            if (whole)
                commitment.Add(batch);
        }

        if (hashed.Length > 0)
        {
            using var rest = new RevealedSource(new ProtectedDataset(path, store, dataset), hashed, keys, turnBack: false);
            foreach (var _ in rest.Batches(cancel))
            {
            }
        }

        using var tags = new ProtectedDataset(path, store, dataset);
        var untagged = new List<string>();
        for (var part = 0; part < tags.Parts; part++)
        {
            using var file = tags.Open(part);
            untagged.AddRange(file.Untagged());
        }

        return new(source.Dataset, opened.Commitment, [.. source.Columns.Select(column => column.Name), .. hashed.Select(column => column.Name)], shut,
            whole ? commitment.Root(source.Columns.Select(column => column.Name), opened.Blinding!) == opened.Commitment : null)
        {
            Untagged = [.. untagged.Distinct(StringComparer.Ordinal)],
        };
    }
}
