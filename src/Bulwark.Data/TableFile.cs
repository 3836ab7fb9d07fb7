using Bulwark.Cryptography;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Reads and writes tables as files. CSV or Parquet is told by the file's first bytes when reading, by its name when writing.</summary>
public static class TableFile
{
    /// <summary>Reads the whole table; of a protected file, the columns that are not encrypted under a key of their own.</summary>
    /// <param name="path">A CSV, Parquet or protected Parquet file.</param>
    /// <param name="options">How to read it; null for the defaults.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="TableFormatException">The file does not hold such a table; the message names line and column.</exception>
    /// <exception cref="ArgumentException">The options have faults.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A protected file was changed, or holds another dataset.</exception>
    /// <exception cref="InvalidOperationException">A protected file's key is not given or not in the ring.</exception>
    public static Task<Table> ReadAsync(string path, TableReadOptions? options = null, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        options ??= TableReadOptions.Default;
        var faults = options.Faults().ToArray();
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        return Task.Run(() => Read(path, options, progress, cancel), cancel);
    }

    /// <summary>Writes <paramref name="table"/> to <paramref name="path"/>: .parquet as Snappy Parquet; .csv, .tsv or .txt as text with a header.</summary>
    /// <remarks>The file appears whole or not at all.</remarks>
    /// <exception cref="ArgumentException">The name ends otherwise.</exception>
    public static Task WriteAsync(Table table, string path, IProgress<double>? progress = null, CancellationToken cancel = default) =>
        WriteAsync(table, path, null, progress, cancel);

    /// <summary>As the other <c>WriteAsync</c>, for a file that only some may read.</summary>
    /// <param name="table">The table.</param>
    /// <param name="path">Where.</param>
    /// <param name="mode">Who may read and write the file; null leaves that to the system.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work; nothing is left behind.</param>
    /// <exception cref="ArgumentException">The name ends otherwise.</exception>
    public static async Task WriteAsync(Table table, string path, UnixFileMode? mode, IProgress<double>? progress, CancellationToken cancel)
    {
        Action<Stream> write = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".parquet" => stream => WriteParquet(table, stream, progress, cancel),
            ".csv" or ".txt" => stream => CsvTable.Write(table, stream, ',', progress, cancel),
            ".tsv" => stream => CsvTable.Write(table, stream, '\t', progress, cancel),
            _ => throw new ArgumentException($"'{Path.GetFileName(path)}': name the file .csv, .tsv or .parquet.", nameof(path)),
        };
        await AtomicFile.WriteAsync(path, stream => Task.Run(() => write(stream), cancel), mode, cancel);
    }

    /// <summary>Writes what a source holds, batch by batch; otherwise as <see cref="WriteAsync(Table, string, UnixFileMode?, IProgress{double}?, CancellationToken)"/>.</summary>
    public static async Task WriteAsync(ITableSource source, string path, UnixFileMode? mode = null, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        Action<Stream> write = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".parquet" => stream => WriteParquet(source, stream, progress, cancel),
            ".csv" or ".txt" => stream => CsvTable.Write(source, stream, ',', progress, cancel),
            ".tsv" => stream => CsvTable.Write(source, stream, '\t', progress, cancel),
            _ => throw new ArgumentException($"'{Path.GetFileName(path)}': name the file .csv, .tsv or .parquet.", nameof(path)),
        };
        await AtomicFile.WriteAsync(path, stream => Task.Run(() => write(stream), cancel), mode, cancel);
    }

    /// <summary>What a path holds, by its first bytes.</summary>
    internal static TableForm FormOf(string path)
    {
        if (Directory.Exists(path))
            return TableForm.Protected;
        var magic = new byte[4];
        using (var stream = File.OpenRead(path))
            stream.ReadAtLeast(magic, 4, throwOnEndOfStream: false);
        if (CryptoMetadata.HasMagic(magic))
            return TableForm.Protected;
        return magic.AsSpan().SequenceEqual("PAR1"u8) ? TableForm.Parquet : TableForm.Csv;
    }

    /// <summary>True for Parquet whose readable footer says that columns of it are protected.</summary>
    internal static bool IsSigned(ParquetFileReader file) => file.FileMetaData.KeyValueMetadata.ContainsKey(ProtectionManifest.MetadataKey);

    private static Table Read(string path, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel) => FormOf(path) switch
    {
        TableForm.Protected => ReadProtected(path, options, progress, cancel),
        TableForm.Parquet => ReadParquet(path, options, progress, cancel),
        _ => new CsvTable(path, options, progress, cancel).Read(),
    };

    private static Table ReadProtected(string path, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel)
    {
        using var source = DataProtection.OpenKept(path, options);
        return source.Whole(progress, cancel)!;
    }

    private static Table ReadParquet(string path, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel)
    {
        try
        {
            using var file = new ParquetFileReader(path);
            if (IsSigned(file))
                return ReadProtected(path, options, progress, cancel);
            return ParquetTable.Read(file, Path.GetFileName(path), options, progress, cancel);
        }
        catch (ParquetException fault)
        {
            throw new TableFormatException($"{Path.GetFileName(path)} is not a whole Parquet file: {fault.Message}", 0, null, fault);
        }
    }

    private static void WriteParquet(Table table, Stream stream, IProgress<double>? progress, CancellationToken cancel)
    {
        using var properties = Plain();
        ParquetTable.Write(table, stream, properties, progress, cancel);
    }

    private static void WriteParquet(ITableSource source, Stream stream, IProgress<double>? progress, CancellationToken cancel)
    {
        using var properties = Plain();
        using var writer = new ParquetWriter(stream, source.Columns, properties, new Dictionary<string, string>());
        foreach (var batch in source.Batches(cancel))
        {
            writer.WriteGroup([batch], cancel);
            progress?.Report(source.Fraction);
        }

        writer.Close();
    }

    private static WriterProperties Plain()
    {
        using var builder = new WriterPropertiesBuilder();
        return builder.Compression(Compression.Snappy).Build();
    }
}

/// <summary>What a path holds.</summary>
internal enum TableForm
{
    /// <summary>Text.</summary>
    Csv,

    /// <summary>Parquet with a readable footer; its columns may be protected.</summary>
    Parquet,

    /// <summary>Parquet with an encrypted footer, or a folder.</summary>
    Protected,
}
