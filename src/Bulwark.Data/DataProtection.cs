using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Turns tables into protected files, and opens their columns again for whoever holds the keys.</summary>
/// <remarks>
/// The files are Parquet Modular Encryption (apache/parquet-format, Encryption.md): AES_GCM_V1 with 256-bit keys, the dataset's name,
/// version and part as AAD prefix, keys wrapped as Parquet's key tools do. Each encrypted column has a fresh data key, the footer and the
/// other columns share another. Without a column's key that column stays shut and the others open; a changed byte is refused.
/// </remarks>
public static partial class DataProtection
{
    /// <summary>Protects a table in memory into one file.</summary>
    /// <inheritdoc cref="ProtectAsync(ITableSource, ProtectionPolicy, KeyRing, string, ProtectionOptions?, IProgress{double}?, CancellationToken)"/>
    public static async Task<ProtectionReport> ProtectAsync(
        Table table, ProtectionPolicy policy, KeyRing keys, string output, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        using var source = TableSource.Of(table);
        return await ProtectAsync(source, policy, keys, output, null, progress, cancel);
    }

    /// <summary>Writes a protected file, or a folder of them where the options ask for parts; it appears whole or not at all. Memory does not grow with the rows.</summary>
    /// <param name="source">The rows; read once.</param>
    /// <param name="policy">What to do with each column.</param>
    /// <param name="keys">The key ring; keys that the policy names and it lacks are made.</param>
    /// <param name="output">The file to write, .parquet; or the folder, which must not exist.</param>
    /// <param name="options">How; null for one file.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work; nothing is left behind.</param>
    /// <exception cref="ArgumentException">The policy or the options have faults, or do not fit the table: all of them are listed.</exception>
    public static Task<ProtectionReport> ProtectAsync(
        ITableSource source, ProtectionPolicy policy, KeyRing keys, string output, ProtectionOptions? options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(policy);
        options ??= ProtectionOptions.Default;
        string[] columns = [.. source.Columns.Select(column => column.Name)];
        var faults = policy.Faults().Concat(policy.Faults(columns, options.Scan)).Concat(options.Faults()).Concat(Misfits(source, policy, options, output)).Distinct().ToArray();
        if (faults.Length > 0)
            return Task.FromException<ProtectionReport>(new ArgumentException(string.Join(" ", faults), nameof(policy)));
        try
        {
            return new ProtectionRun(source, policy.Resolve(columns, options.Scan), keys, options, progress, cancel).WriteAsync(output, IsFolder(output, options));
        }
        catch (ArgumentException fault)
        {
            return Task.FromException<ProtectionReport>(fault);
        }
    }

    /// <summary>Opens columns of protected data: decrypts the encrypted, turns tokens back. No value is read yet.</summary>
    /// <param name="path">The protected file or folder.</param>
    /// <param name="columns">The columns; each is reported whether it opened or not.</param>
    /// <param name="keys">The key ring.</param>
    /// <param name="dataset">The dataset that it must hold: its name, or name, slash and version or commitment; null for any.</param>
    /// <param name="store">The store of the master keys; null for the key ring.</param>
    /// <param name="subjects">The keys of data subjects; columns under them stay shut without it. Cells of an erased subject are missing.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The data was changed, or is another dataset's.</exception>
    /// <exception cref="InvalidOperationException">The file's own key is missing.</exception>
    /// <exception cref="ArgumentException">The dataset never had such a column.</exception>
    public static RevealedSource OpenColumns(string path, IReadOnlyList<string> columns, KeyRing keys, string? dataset = null, IKeyProvider? store = null, SubjectStore? subjects = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var opened = new ProtectedDataset(path, store ?? keys, dataset);
        return new(opened, Wanted(opened, columns), keys, turnBack: true, subjects);
    }

    /// <summary>As <see cref="OpenColumns"/>, and reads them into memory.</summary>
    /// <inheritdoc cref="OpenColumns" path="/exception"/>
    public static Task<RevealedData> RevealAsync(
        string path, IReadOnlyList<string> columns, KeyRing keys, string? dataset = null, IProgress<double>? progress = null, CancellationToken cancel = default) => Task.Run(() =>
        {
            using var source = OpenColumns(path, columns, keys, dataset);
            return new RevealedData(source.Dataset, source.Commitment, source.Whole(progress, cancel), source.Accesses);
        }, cancel);

    /// <summary>True for a protected file, with an encrypted or a signed footer, and for a folder of them. Says nothing of its being whole.</summary>
    public static bool IsProtected(string path)
    {
        if (Directory.Exists(path))
            return File.Exists(Path.Combine(path, DatasetManifest.FileName));
        try
        {
            var form = File.Exists(path) ? TableFile.FormOf(path) : TableForm.Csv;
            using var file = form == TableForm.Parquet ? new ParquetSharp.ParquetFileReader(path) : null;
            return form == TableForm.Protected || (file is not null && TableFile.IsSigned(file));
        }
        catch (Exception fault) when (fault is ParquetSharp.ParquetException or IOException)
        {
            return false;
        }
    }

    /// <summary>How each column of protected data is protected; needs the data's own key, no column's.</summary>
    /// <inheritdoc cref="OpenColumns" path="/exception"/>
    public static IReadOnlyList<ProtectedColumn> Describe(string path, IKeyProvider store, string? dataset = null)
    {
        using var opened = new ProtectedDataset(path, store, dataset);
        return opened.All;
    }

    /// <summary>The version of protected data, without the dataset's name.</summary>
    /// <inheritdoc cref="OpenColumns" path="/exception"/>
    public static string VersionOf(string path, IKeyProvider store)
    {
        using var opened = new ProtectedDataset(path, store, null);
        return opened.Version;
    }

    /// <summary>What protected data were before: the version's full name, as the log has it, and the root of the data set before protection; null where the file does not say.</summary>
    /// <inheritdoc cref="OpenColumns" path="/exception"/>
    public static (string Dataset, Digest? Commitment) OriginOf(string path, IKeyProvider store)
    {
        using var opened = new ProtectedDataset(path, store, null);
        return ($"{opened.Name}/{opened.Version}", opened.Commitment);
    }

    /// <summary>The columns of protected data that need no key of their own, as they stand in it, batch by batch.</summary>
    internal static RevealedSource OpenKept(string path, TableReadOptions options)
    {
        var name = Path.GetFileName(path);
        if (options.Keys is null)
            throw new InvalidOperationException($"{name} is protected: its key ring is needed to read it.");
        var dataset = new ProtectedDataset(path, options.Store ?? options.Keys, options.Dataset);
        var wanted = Wanted(dataset, options.Columns ?? [.. dataset.Columns.Where(column => column.Action != ProtectionAction.Encrypt || options.OpenEncrypted).Select(column => column.Name)]);
        if (wanted.FirstOrDefault(column => column.Action == ProtectionAction.Drop || (column.Action == ProtectionAction.Encrypt && !options.OpenEncrypted)) is { } shut)
        {
            dataset.Dispose();
            throw new ArgumentException($"Column '{shut.Name}' of {name} is {(shut.Action == ProtectionAction.Drop ? "not in the file" : "encrypted; reveal it with a stated purpose")}.");
        }

        var source = new RevealedSource(dataset, wanted, options.Keys, turnBack: false);
        var missing = source.Accesses.FirstOrDefault(access => !access.Opened && options.Columns is not null);
        if (missing is null && source.Columns.Count > 0)
            return source;
        source.Dispose();
        throw missing is not null ? new InvalidOperationException(missing.Reason) : new ArgumentException($"Every column of {name} is encrypted; reveal the ones you need.");
    }

    private static ProtectedColumn[] Wanted(ProtectedDataset dataset, IEnumerable<string> columns)
    {
        try
        {
            return [.. columns.Select(dataset.Find)];
        }
        catch
        {
            dataset.Dispose();
            throw;
        }
    }

    private static bool IsFolder(string output, ProtectionOptions options) =>
        options.PartitionBy is not null || options.RowsPerFile is not null || !output.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> Misfits(ITableSource source, ProtectionPolicy policy, ProtectionOptions options, string output)
    {
        var chosen = policy.Chosen([.. source.Columns.Select(column => column.Name)], options.Scan);   // its rules count too
        if (policy.NeedsScan && options.Scan is null)
            yield return "A rule of the policy goes by content, so it needs a scan of the table.";
        if (policy.Subject is not null && options.Subjects is null)
            yield return "The policy names a subject column, so it needs the store of subjects' keys.";
        if (IsFolder(output, options) && Path.HasExtension(output))
            yield return $"'{Path.GetFileName(output)}': a protected file is Parquet; name it .parquet, and a folder of parts without an extension.";
        if (options.PartitionBy is not { } partition)
            yield break;
        if (source.Columns.All(column => column.Name != partition))
            yield return $"There is no column '{partition}' to partition by.";
        else if (chosen.ActionFor(partition) is ProtectionAction.Encrypt or ProtectionAction.Drop)
            yield return $"Column '{partition}' is {(chosen.ActionFor(partition) == ProtectionAction.Encrypt ? "encrypted" : "dropped")}; the folders' names would show its values.";
        if (source.Columns.Count(column => chosen.ActionFor(column.Name) != ProtectionAction.Drop) < 2)
            yield return "Beside the partition column no column is left.";
    }
}
