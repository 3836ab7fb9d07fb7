using System.Security.Cryptography;
using Bulwark.Cryptography;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Where the keys of an encrypted Parquet file come from that another program wrote.</summary>
public sealed class ParquetKeys
{
    private ParquetKeys(Func<string, SecretBytes>? direct, Func<string, string, SecretBytes>? unwrap) => (Direct, Unwrap) = (direct, unwrap);

    internal Func<string, SecretBytes>? Direct { get; }

    internal Func<string, string, SecretBytes>? Unwrap { get; }

    /// <summary>Data keys by the key metadata that the file states; throws <see cref="InvalidOperationException"/> where there is none.</summary>
    public static ParquetKeys ByMetadata(Func<string, SecretBytes> keyOf) => new(keyOf, null);

    /// <summary>Parquet's key tools (PKMT1), key material inside the file or beside it: a function of a wrapped key and its master key's id, as a KMS client has it.</summary>
    public static ParquetKeys ByKeyTools(Func<string, string, SecretBytes> unwrap) => new(null, unwrap);
}

/// <summary>The values of one column as Parquet stores them.</summary>
/// <param name="Values">The values that are there: bool, int, long, float, double, byte[] (also for INT96, 12 bytes).</param>
/// <param name="Definition">Definition level of each entry; empty where the column is required.</param>
/// <param name="Repetition">Repetition level of each entry; empty where the column is not repeated.</param>
public sealed record PhysicalColumn(Array Values, IReadOnlyList<short> Definition, IReadOnlyList<short> Repetition);

/// <summary>An encrypted Parquet file of any writer: Modular Encryption, AES_GCM_V1 or AES_GCM_CTR_V1, encrypted or signed footer.</summary>
/// <remarks>AES_GCM_CTR_V1, and the plain columns of any file, leave pages without a check: what they hold may have been changed.</remarks>
public sealed class EncryptedParquetFile : IDisposable
{
    private readonly Retriever _retriever;
    private readonly DataKeyReader? _reader;
    private readonly FileDecryptionProperties _decryption;
    private readonly ReaderProperties _properties;
    private readonly ParquetFileReader _file;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="aadPrefix">The AAD prefix, where the file does not store it, or to be sure of it.</param>
    /// <exception cref="CryptographicException">It was changed, its keys are others, or it is not encrypted Parquet.</exception>
    /// <exception cref="InvalidOperationException">The footer's key is missing.</exception>
    public EncryptedParquetFile(string path, ParquetKeys keys, string? aadPrefix = null)
    {
        ArgumentNullException.ThrowIfNull(keys);
        CryptoMetadata.Require(path, anyWriter: true);
        DecryptionKeyRetriever retriever;
        if (keys.Direct is { } direct)
        {
            retriever = _retriever = new Retriever(direct);
        }
        else
        {
            _reader = new DataKeyReader((material, _, _) => keys.Unwrap!(material.Wrapped, material.MasterKey));
            var tools = new MaterialRetriever(_reader, path, canonical: false);
            retriever = _retriever = new Retriever(metadata => SecretBytes.CopyOf(tools.GetKey(metadata)));
        }

        using var builder = new FileDecryptionPropertiesBuilder();
        builder.KeyRetriever(retriever);
        if (aadPrefix is not null)
            builder.AadPrefix(aadPrefix);
        _decryption = builder.Build();
        _properties = ReaderProperties.GetDefaultReaderProperties();
        _properties.FileDecryptionProperties = _decryption;
        try
        {
            _file = Guard("the footer", () => new ParquetFileReader(path, _properties));
            Columns = Guard("the footer", () => Enumerable.Range(0, _file.FileMetaData.NumColumns).Select(i => _file.FileMetaData.Schema.Column(i).Path.ToDotString()).ToArray());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The columns' paths.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Rows.</summary>
    public long Rows => _file.FileMetaData.NumRows;

    /// <summary>Reads one column.</summary>
    /// <param name="column">Its number in <see cref="Columns"/>.</param>
    /// <exception cref="CryptographicException">It was changed, or its key is another.</exception>
    /// <exception cref="InvalidOperationException">Its key is missing.</exception>
    public PhysicalColumn Read(int column) => Guard($"column '{Columns[column]}'", () => PhysicalReader.Read(_file, column));

    /// <summary>Closes the file and wipes its keys.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _properties.Dispose();
        _decryption.Dispose();
        _reader?.Dispose();
        GC.KeepAlive(_retriever);
    }

    private T Guard<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is ParquetException or OverflowException or OutOfMemoryException or ArgumentException)
        {
            throw _retriever.Failure is InvalidOperationException missing
                ? new InvalidOperationException($"The key of {what} is missing: {missing.Message}", fault)
                : new CryptographicException($"The file was changed, or its keys are others: {what} does not decrypt.", _retriever.Failure ?? fault);
        }
    }

    private sealed class Retriever(Func<string, SecretBytes> keyOf) : DecryptionKeyRetriever
    {
        internal Exception? Failure { get; private set; }

        public override byte[] GetKey(string keyMetadata)
        {
            Failure = null;
            try
            {
                using var key = keyOf(keyMetadata);
                return key.Length is 16 or 24 or 32 ? key.Span.ToArray() : throw new CryptographicException("A key has no AES key's length.");
            }
            catch (Exception failure)
            {
                Failure = failure;
                throw;
            }
        }
    }
}
