using System.Security.Cryptography;
using Bulwark.Cryptography;
using ParquetSharp;
using ParquetSharp.Schema;

namespace Bulwark.Data;

/// <summary>The encryption of one file: every encrypted module AES-256-GCM, a fresh key for each encrypted column, another for the footer and what else is sealed.</summary>
/// <remarks>There is no page index: reading a column would not check its bytes.</remarks>
internal sealed class ParquetEncryption : IDisposable
{
    private readonly List<byte[]> _secrets = [];

    private ParquetEncryption()
    {
    }

    internal WriterProperties Properties { get; private set; } = null!;

    /// <summary>The footer's data key.</summary>
    internal ReadOnlySpan<byte> FooterKey => _secrets[0];

    /// <summary>The file's key material by reference, when it is kept in a file of its own.</summary>
    internal Dictionary<string, KeyMaterial> External { get; } = new(StringComparer.Ordinal);

    internal static ParquetEncryption Create(IEnumerable<string> columns, ProtectionManifest manifest, Func<string, KeyUri> masterOf, ProtectionOptions options, bool external, DataKeyWriter keys)
    {
        var encryption = new ParquetEncryption();
        try
        {
            using var file = encryption.Encryption(columns, manifest, masterOf, options, external, keys);
            using var builder = new WriterPropertiesBuilder();
            encryption.Properties = builder.Compression(Compression.Snappy).DisableWritePageIndex().Encryption(file).Build();
            return encryption;
        }
        catch
        {
            encryption.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Properties?.Dispose();
        _secrets.ForEach(secret => CryptographicOperations.ZeroMemory(secret));
    }

    private FileEncryptionProperties Encryption(IEnumerable<string> names, ProtectionManifest manifest, Func<string, KeyUri> masterOf, ProtectionOptions options, bool external, DataKeyWriter keys)
    {
        var (footer, footerMetadata) = NewKey(options.FooterKey, true, $"{manifest.AadPrefix} footer", external, keys);
        var columns = new List<ColumnEncryptionProperties>();
        try
        {
            foreach (var name in names)
            {
                using var path = new ColumnPath([name]);
                using var column = new ColumnEncryptionPropertiesBuilder(path);
                if (manifest.Columns.First(protection => protection.Name == name).Action == ProtectionAction.Encrypt)
                {
                    var (key, metadata) = NewKey(masterOf(name), false, $"{manifest.AadPrefix} column {name}", external, keys);
                    columns.Add(column.Key(key).KeyMetadata(metadata).Build());
                }
                else if (!options.PlainColumns && !options.PlaintextFooter)
                {
                    columns.Add(column.Build());
                }
            }

            using var builder = new FileEncryptionPropertiesBuilder(footer);
            builder.Algorithm(ParquetCipher.AesGcmV1).FooterKeyMetadata(footerMetadata).AadPrefix(manifest.AadPrefix);
            if (options.PlaintextFooter)
                builder.SetPlaintextFooter();
            // Without a list of columns Parquet would seal all of them under the footer's key.
            return columns.Count > 0 ? builder.EncryptedColumns([.. columns]).Build() : throw new ArgumentException("A plaintext footer or plain columns need at least one encrypted column; else the file would protect nothing.");
        }
        finally
        {
            columns.ForEach(column => column.Dispose());
        }
    }

    private (byte[] Key, string Metadata) NewKey(KeyUri master, bool footer, string item, bool external, DataKeyWriter keys)
    {
        var (key, material) = keys.New(master, footer, item);
        using (key)
            _secrets.Add(key.Span.ToArray());
        if (!external)
            return (_secrets[^1], material.ToJson(inFile: true));
        var reference = footer ? KeyMaterialFile.FooterReference : $"{KeyMaterialFile.ColumnReference}{External.Count - 1}";
        External.Add(reference, material);
        return (_secrets[^1], KeyMaterialFile.Reference(reference));
    }
}
