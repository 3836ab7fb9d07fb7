using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Turns a table into a protected file, and opens its columns again for whoever holds their keys.</summary>
/// <remarks>
/// The file is Parquet Modular Encryption (apache/parquet-format, Encryption.md): AES_GCM_V1 with 256-bit keys, encrypted
/// footer, the dataset's name and commitment as AAD prefix. Each encrypted column has a fresh data key, the footer and the kept columns
/// share another; the key ring's keys wrap them. Without a column's key that column stays shut and the others open; a changed
/// byte is refused. Card tokens are FF1 (NIST SP 800-38G) over all digits and never pass the Luhn check.
/// </remarks>
public static class DataProtection
{
    /// <summary>Writes the protected file; it appears whole or not at all.</summary>
    /// <param name="table">The table.</param>
    /// <param name="policy">What to do with each column.</param>
    /// <param name="keys">The key ring; keys that the policy names and it lacks are made.</param>
    /// <param name="output">The file to write, .parquet.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work; nothing is left behind.</param>
    /// <exception cref="ArgumentException">The policy has faults, or does not fit the table: all of them are listed.</exception>
    public static async Task<ProtectionReport> ProtectAsync(
        Table table, ProtectionPolicy policy, KeyRing keys, string output, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var faults = policy.Faults().Concat(policy.Faults(table)).ToArray();
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(policy));
        if (!output.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException($"'{Path.GetFileName(output)}': a protected file is Parquet; name it .parquet.", nameof(output));
        var commitment = (await Task.Run(() => DatasetCommitment.Of(table, Part(progress, 0, 0.3), cancel), cancel)).Root;
        var manifest = new ProtectionManifest
        {
            Format = ProtectionManifest.FormatName,
            Dataset = $"{policy.Dataset}/{commitment}",
            Commitment = commitment,
            Policy = policy.Digest(),
            Columns = [.. table.Columns.Select(column => Plan(column.Name, policy, keys))],
            Exact = table.Columns.All(column => FieldProtection.IsExact(column, policy.ActionFor(column.Name))),
        };
        await AtomicFile.WriteAsync(output, stream => Task.Run(() =>
            ProtectedParquetWriter.Write(FieldProtection.Protect(table, manifest, keys, Part(progress, 0.3, 0.6), cancel), manifest, keys, stream, Part(progress, 0.6, 0.95), cancel), cancel), cancel);
        await using var written = File.OpenRead(output);
        var digest = await Digest.OfAsync(written, cancel);
        progress?.Report(1);
        return new(manifest.Dataset, commitment, table.Rows, manifest.Columns, manifest.Policy, digest, written.Length);
    }

    /// <summary>Opens columns of a protected file: decrypts the encrypted, turns tokens back. A column whose key is absent stays shut and is named.</summary>
    /// <param name="path">The protected file.</param>
    /// <param name="columns">The columns; each is reported whether it opened or not.</param>
    /// <param name="keys">The key ring.</param>
    /// <param name="dataset">The dataset's name, or name and commitment, that the file must hold; null for any.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The file was changed, or holds another dataset.</exception>
    /// <exception cref="InvalidOperationException">The key ring lacks the file's own key.</exception>
    /// <exception cref="ArgumentException">The dataset never had such a column.</exception>
    public static Task<RevealedData> RevealAsync(
        string path, IReadOnlyList<string> columns, KeyRing keys, string? dataset = null, IProgress<double>? progress = null, CancellationToken cancel = default) =>
        Task.Run(() => Reveal(path, columns, keys, dataset, progress, cancel), cancel);

    /// <summary>How each column of a protected file is protected; needs the file's own key, no column's.</summary>
    /// <inheritdoc cref="RevealAsync" path="/exception"/>
    public static IReadOnlyList<ProtectedColumn> Describe(string path, KeyRing keys, string? dataset = null)
    {
        using var file = new ProtectedParquetFile(path, keys, dataset);
        return file.Manifest.Columns;
    }

    /// <summary>Reads every byte of a protected file that the key ring opens and, where it opens all, computes the commitment anew. Gives out no value.</summary>
    /// <inheritdoc cref="RevealAsync" path="/exception"/>
    public static Task<ProtectionCheck> VerifyAsync(string path, KeyRing keys, string? dataset = null, CancellationToken cancel = default) =>
        Task.Run(() => Verify(path, keys, dataset, cancel), cancel);

    /// <summary>Reads the columns of a protected file that need no key of their own, as they stand in it.</summary>
    internal static Table ReadOpen(string path, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel)
    {
        var name = Path.GetFileName(path);
        if (options.Keys is null)
            throw new InvalidOperationException($"{name} is protected: its key ring is needed to read it.");
        using var file = new ProtectedParquetFile(path, options.Keys, options.Dataset);
        var wanted = options.Columns ?? [.. file.Columns.Where(column => column.Action != ProtectionAction.Encrypt).Select(column => column.Name)];
        var columns = new List<Column>();
        foreach (var column in wanted.Select(column => Find(file, column)))
        {
            if (column.Action is ProtectionAction.Encrypt or ProtectionAction.Drop)
                throw new ArgumentException($"Column '{column.Name}' of {name} is {(column.Action == ProtectionAction.Drop ? "not in the file" : "encrypted; reveal it with a stated purpose")}.");
            columns.Add(file.Read(column.Name, cancel));
            progress?.Report((double)columns.Count / wanted.Count);
        }

        return columns.Count > 0 ? new Table(columns) : throw new ArgumentException($"Every column of {name} is encrypted; reveal the ones you need.");
    }

    private static RevealedData Reveal(string path, IReadOnlyList<string> columns, KeyRing keys, string? dataset, IProgress<double>? progress, CancellationToken cancel)
    {
        using var file = new ProtectedParquetFile(path, keys, dataset);
        var wanted = columns.Select(column => Find(file, column)).ToArray();
        var opened = new List<Column>();
        var accesses = new List<ColumnAccess>();
        foreach (var column in wanted)
        {
            var (values, reason) = Open(file, column, keys, cancel);
            if (values is not null)
                opened.Add(values);
            accesses.Add(new(column.Name, column.Action, column.Key, values is not null, reason));
            progress?.Report((double)accesses.Count / wanted.Length);
        }

        return new(file.Manifest.Dataset, opened.Count > 0 ? new Table(opened) : null, accesses);
    }

    private static ProtectionCheck Verify(string path, KeyRing keys, string? dataset, CancellationToken cancel)
    {
        using var file = new ProtectedParquetFile(path, keys, dataset);
        var opened = new List<Column>();
        var shut = new List<ColumnAccess>();
        foreach (var column in file.Columns)
        {
            var (values, reason) = column.Action == ProtectionAction.Hash ? (file.Read(column.Name, cancel), null) : Open(file, column, keys, cancel);
            if (values is not null)
                opened.Add(values);
            else
                shut.Add(new(column.Name, column.Action, column.Key, false, reason));
        }

        var whole = file.Manifest.Exact && shut.Count == 0;
        return new(file.Manifest.Dataset, file.Manifest.Commitment, [.. opened.Select(column => column.Name)], shut,
            whole ? DatasetCommitment.Of(new Table(opened), null, cancel).Root == file.Manifest.Commitment : null);
    }

    private static (Column? Values, string? Reason) Open(ProtectedParquetFile file, ProtectedColumn column, KeyRing keys, CancellationToken cancel)
    {
        try
        {
            return column.Action switch
            {
                ProtectionAction.Drop => (null, "it was dropped when the file was protected"),
                ProtectionAction.Hash => (null, "it was replaced by keyed hashes, which nothing turns back"),
                ProtectionAction.Tokenise => (FieldProtection.Reveal((TextColumn)file.Read(column.Name, cancel), column, file.Manifest, keys), null),
                _ => (file.Read(column.Name, cancel), null),
            };
        }
        catch (InvalidOperationException missing)
        {
            return (null, missing.Message);
        }
    }

    private static ProtectedColumn Find(ProtectedParquetFile file, string name) => file.Manifest.Columns.FirstOrDefault(column => column.Name == name)
        ?? throw new ArgumentException($"Dataset {file.Manifest.Dataset} has no column '{name}'. The columns are: {string.Join(", ", file.Manifest.Columns.Select(column => column.Name))}.");

    private static ProtectedColumn Plan(string column, ProtectionPolicy policy, KeyRing keys)
    {
        var action = policy.ActionFor(column);
        return new(column, action, action is ProtectionAction.Keep or ProtectionAction.Drop ? null : keys.GetOrCreateSymmetric(policy.KeyFor(column)));
    }

    private static Scaled? Part(IProgress<double>? progress, double from, double to) => progress is null ? null : new(progress, from, to);

    private sealed class Scaled(IProgress<double> progress, double from, double to) : IProgress<double>
    {
        public void Report(double value) => progress.Report(from + (to - from) * value);
    }
}
