using System.Security.Cryptography;
using Bulwark.Cryptography;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>An open protected file. Keeps every native handle and the key retriever alive until it is disposed.</summary>
internal sealed class ProtectedParquetFile : IDisposable
{
    private readonly string _path;
    private readonly DataKeyReader _keys;
    private readonly MaterialRetriever _retriever;
    private readonly FileDecryptionProperties _decryption;
    private readonly ReaderProperties _properties;
    private readonly ParquetFileReader _file;
    private Dictionary<string, int>? _fields;
    private IReadOnlyList<string>? _untagged;
    private bool _groupsChecked;

    /// <param name="path">The file.</param>
    /// <param name="store">Where its master keys are.</param>
    /// <param name="expectedDataset">Its name; or name, slash and version or commitment; null for any.</param>
    /// <param name="expectedPrefix">The AAD prefix that a dataset's manifest states; null for the one in the file.</param>
    /// <exception cref="CryptographicException">The file was changed, or is another dataset's.</exception>
    /// <exception cref="InvalidOperationException">The store lacks the file's key.</exception>
    internal ProtectedParquetFile(string path, IKeyProvider store, string? expectedDataset, string? expectedPrefix = null)
    {
        _path = path;
        CryptoMetadata.Require(path);
        _keys = new DataKeyReader(store, CryptoMetadata.StatedPrefix(path));
        _retriever = new MaterialRetriever(_keys, path, canonical: true);
        using var builder = new FileDecryptionPropertiesBuilder();
        builder.KeyRetriever(_retriever);
        if (expectedPrefix is not null)
            builder.AadPrefix(expectedPrefix);
        _decryption = builder.Build();
        _properties = ReaderProperties.GetDefaultReaderProperties();
        _properties.FileDecryptionProperties = _decryption;
        try
        {
            _file = Guard("the footer", "The file", () => new ParquetFileReader(path, _properties));
            Manifest = Guard("the footer", "The file", () => ProtectionManifest.Parse(_file.FileMetaData.KeyValueMetadata.GetValueOrDefault(ProtectionManifest.MetadataKey)));
            if (expectedPrefix is not null && Manifest.AadPrefix != expectedPrefix)
                throw new CryptographicException($"{Path.GetFileName(path)} holds {Manifest.AadPrefix}, not {expectedPrefix}.");
            if (expectedDataset is not null && !Holds(expectedDataset))
                throw new CryptographicException($"{Path.GetFileName(path)} holds dataset {Manifest.Dataset}/{Manifest.Version}, not {expectedDataset}.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal ProtectionManifest Manifest { get; }

    internal long Rows => _file.FileMetaData.NumRows;

    /// <summary>What blinds the commitment; null in a part of several.</summary>
    /// <exception cref="CryptographicException">It was changed.</exception>
    internal DatasetBlinding? OpenBlinding() => Manifest.Blinding is { } text ? DatasetBlinding.Open(text, _retriever.FooterKey, Manifest.AadPrefix) : null;

    /// <summary>The columns in the file, by how they are protected.</summary>
    internal IEnumerable<ProtectedColumn> Columns => Manifest.Columns.Where(column => column.Action != ProtectionAction.Drop);

    /// <summary>Columns whose pages carry no tag, so that Parquet does not authenticate them. The footer, which says so, is authenticated.</summary>
    internal IReadOnlyList<string> Untagged() => Guard("the footer", "The file", () =>
    {
        var names = Columns.Where(column => column.Action != ProtectionAction.Encrypt).Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        var untagged = new List<string>();
        _fields ??= ParquetTable.Fields(_file, Path.GetFileName(_path));
        var (fields, groups) = (_fields.Where(field => names.Contains(field.Key)).ToArray(), _file.FileMetaData.NumRowGroups);
        for (var group = 0; group < groups; group++)
        {
            using var rows = _file.RowGroup(group);
            foreach (var (name, field) in fields)
            {
                using var chunk = rows.MetaData.GetColumnChunkMetaData(field);
                if (chunk.CryptoMetadata is null)
                    untagged.Add(name);
            }
        }

        return untagged.Distinct(StringComparer.Ordinal).ToArray();
    });

    /// <summary>Opens one column as it stands in the file, for reading piece by piece; a column whose key is missing says so here.</summary>
    /// <exception cref="CryptographicException">It was changed.</exception>
    /// <exception cref="InvalidOperationException">Its key is not in the store.</exception>
    internal ParquetColumn Open(string name) => Guard($"column '{name}'", $"Column '{name}'", () =>
    {
        _fields ??= ParquetTable.Fields(_file, Path.GetFileName(_path));
        var (_, field) = ParquetTable.Wanted(_fields, Path.GetFileName(_path), [name])[0];
        var column = new ParquetColumn(_file, field, name, Path.GetFileName(_path));
        try
        {
            _ = column.AtEnd;   // begins with the first row group, which asks for the key
            return column;
        }
        catch
        {
            column.Dispose();
            throw;
        }
    });

    /// <summary>The next cells of an open column. Before the first of a column without tags, the row groups are compared with the digests in the footer.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    internal Column Next(ParquetColumn column, int rows)
    {
        _untagged ??= Untagged();
        if (!_groupsChecked && _untagged.Contains(column.Shape.Name))
            RequireRowGroups();
        return Decrypted(column, rows);
    }

    private Column Decrypted(ParquetColumn column, int rows) => Guard($"column '{column.Shape.Name}'", $"Column '{column.Shape.Name}'", () => column.Next(rows));

    /// <summary>Throws when an open column holds more than the file's rows.</summary>
    internal void RequireEnd(ParquetColumn column) => Guard($"column '{column.Shape.Name}'", $"Column '{column.Shape.Name}'", () =>
    {
        ParquetTable.RequireEnd(column, Path.GetFileName(_path));
        return true;
    });

    /// <summary>Reads one column whole, as it stands in the file.</summary>
    internal Column Read(string name, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var column = Open(name);
        var values = Next(column, checked((int)Rows));
        RequireEnd(column);
        return values;
    }

    /// <exception cref="CryptographicException">A row group has other bytes than the authenticated footer says, or it says nothing of them.</exception>
    private void RequireRowGroups()
    {
        var groups = Manifest.RowGroups;
        if (groups is null || groups.Count != _file.FileMetaData.NumRowGroups || groups.Sum(group => group.Rows) != Rows)
            throw new CryptographicException($"{Path.GetFileName(_path)} cannot be believed: column '{_untagged![0]}' carries no tag, and the footer has no digest of its bytes.");
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var buffer = new byte[1 << 20];
        foreach (var group in groups)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            stream.Position = group.Offset;
            for (var left = group.Bytes; left > 0;)
            {
                var read = stream.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
                if (read == 0)
                    break;
                hash.AppendData(buffer, 0, read);
                left -= read;
            }

            if (new Digest(hash.GetHashAndReset()) != group.Digest)
                throw new CryptographicException($"{Path.GetFileName(_path)} was changed: a row group has other bytes than the footer says.");
        }

        _groupsChecked = true;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _properties.Dispose();
        _decryption.Dispose();
        _keys.Dispose();
        _retriever.Wipe();
        GC.KeepAlive(_retriever);
    }

    private bool Holds(string expected) =>
        expected == Manifest.Dataset || expected == $"{Manifest.Dataset}/{Manifest.Version}" || expected == $"{Manifest.Dataset}/{Manifest.Commitment}";

    /// <summary>Says what a native failure means: a key that was not there, or bytes that are not those that were written.</summary>
    private T Guard<T>(string what, string needs, Func<T> read)
    {
        _retriever.Needs = needs;
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is ParquetException or TableFormatException or OverflowException or OutOfMemoryException or ArgumentException)
        {
            switch (_retriever.Failure)
            {
                case InvalidOperationException missing:
                    throw new InvalidOperationException(missing.Message, fault);
                case KeyProviderException unreachable:
                    throw new KeyProviderException(unreachable.Message, unreachable.Advice ?? "", fault);
                default:
                    throw new CryptographicException($"{Path.GetFileName(_path)} was changed: {what} does not decrypt.", _retriever.Failure ?? fault);
            }
        }
    }
}
