using System.Security.Cryptography;
using Bulwark.Cryptography;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>An open protected file. Keeps every native handle and the key retriever alive until it is disposed.</summary>
internal sealed class ProtectedParquetFile : IDisposable
{
    private readonly string _path;
    private readonly RingKeyRetriever _retriever;
    private readonly FileDecryptionProperties _decryption;
    private readonly ReaderProperties _properties;
    private readonly ParquetFileReader _file;

    /// <exception cref="CryptographicException">The file was changed, or is another dataset's.</exception>
    /// <exception cref="InvalidOperationException">The key ring lacks the file's key.</exception>
    internal ProtectedParquetFile(string path, KeyRing keys, string? expectedDataset)
    {
        _path = path;
        CryptoMetadata.Require(path);
        _retriever = new RingKeyRetriever(keys);
        using var builder = new FileDecryptionPropertiesBuilder();
        _decryption = builder.KeyRetriever(_retriever).Build();
        _properties = ReaderProperties.GetDefaultReaderProperties();
        _properties.FileDecryptionProperties = _decryption;
        _file = Guard("the footer", () => new ParquetFileReader(path, _properties));
        Manifest = Guard("the footer", () => ProtectionManifest.Parse(_file.FileMetaData.KeyValueMetadata.GetValueOrDefault(ProtectionManifest.MetadataKey)));
        if (expectedDataset is not null && Manifest.Dataset != expectedDataset && !Manifest.Dataset.StartsWith(expectedDataset + "/sha256:", StringComparison.Ordinal))
            throw new CryptographicException($"{Path.GetFileName(path)} holds dataset {Manifest.Dataset}, not {expectedDataset}.");
    }

    internal ProtectionManifest Manifest { get; }

    internal static bool HasMagic(ReadOnlySpan<byte> magic) => magic.SequenceEqual("PARE"u8);

    /// <summary>The columns in the file, by how they are protected.</summary>
    internal IEnumerable<ProtectedColumn> Columns => Manifest.Columns.Where(column => column.Action != ProtectionAction.Drop);

    /// <summary>Reads one column as it stands in the file.</summary>
    internal Column Read(string name, CancellationToken cancel)
    {
        var options = new TableReadOptions { Columns = [name] };
        return Guard($"column '{name}'", () => ParquetTable.Read(_file, Path.GetFileName(_path), options, null, cancel).Columns[0]);
    }

    public void Dispose()
    {
        _file?.Dispose();
        _properties.Dispose();
        _decryption.Dispose();
        GC.KeepAlive(_retriever);
    }

    /// <summary>Says what a native failure means: a key that was not there, or bytes that are not those that were written.</summary>
    private T Guard<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is ParquetException or TableFormatException or OverflowException or OutOfMemoryException)
        {
            if (_retriever.Failure is InvalidOperationException missing)
                throw new InvalidOperationException(missing.Message, fault);
            throw new CryptographicException($"{Path.GetFileName(_path)} was changed: {what} does not decrypt.", _retriever.Failure ?? fault);
        }
    }
}
