using System.Security.Cryptography;
using Bulwark.Cryptography;
using ParquetSharp;
using ParquetSharp.Schema;

namespace Bulwark.Data;

/// <summary>Writes Parquet Modular Encryption: every module AES-256-GCM, a fresh key for each encrypted column, another for footer and kept columns.</summary>
/// <remarks>
/// Kept columns are encrypted too, under the footer's key, because Parquet leaves the pages of plain columns without any check.
/// There is no page index: reading a column would not check its bytes.
/// </remarks>
internal static class ProtectedParquetWriter
{
    internal const string FooterKek = "data/footer";

    internal static void Write(Table table, ProtectionManifest manifest, KeyRing keys, Stream destination, IProgress<double>? progress, CancellationToken cancel)
    {
        var secrets = new List<byte[]>();
        try
        {
            using var encryption = Encryption(table, manifest, keys, secrets);
            using var builder = new WriterPropertiesBuilder();
            using var properties = builder.Compression(Compression.Snappy).DisableWritePageIndex().Encryption(encryption).Build();
            var metadata = new Dictionary<string, string> { [ProtectionManifest.MetadataKey] = manifest.ToJson() };
            ParquetTable.Write(table, destination, properties, metadata, progress, cancel);
        }
        finally
        {
            secrets.ForEach(secret => CryptographicOperations.ZeroMemory(secret));
        }
    }

    private static FileEncryptionProperties Encryption(Table table, ProtectionManifest manifest, KeyRing keys, List<byte[]> secrets)
    {
        var (footer, footerMetadata) = NewKey(keys, FooterKek, manifest.Dataset, null, secrets);
        var columns = manifest.Columns.Where(column => table.TryGet(column.Name, out _)).Select(column => Column(column, manifest.Dataset, keys, secrets)).ToArray();
        try
        {
            using var builder = new FileEncryptionPropertiesBuilder(footer);
            return builder.Algorithm(ParquetCipher.AesGcmV1).FooterKeyMetadata(footerMetadata).AadPrefix(manifest.Dataset).EncryptedColumns(columns).Build();
        }
        finally
        {
            foreach (var column in columns)
                column.Dispose();
        }
    }

    private static ColumnEncryptionProperties Column(ProtectedColumn column, string dataset, KeyRing keys, List<byte[]> secrets)
    {
        using var path = new ColumnPath([column.Name]);
        using var builder = new ColumnEncryptionPropertiesBuilder(path);
        if (column.Action != ProtectionAction.Encrypt)
            return builder.Build();
        var (key, metadata) = NewKey(keys, column.Key!.Value.Name, dataset, column.Name, secrets);
        return builder.Key(key).KeyMetadata(metadata).Build();
    }

    private static (byte[] Key, string Metadata) NewKey(KeyRing keys, string kek, string dataset, string? column, List<byte[]> secrets)
    {
        using var key = SecretBytes.Random(32);
        secrets.Add(key.Span.ToArray());
        return (secrets[^1], ParquetKey.Wrap(keys, kek, dataset, column, key).ToMetadata());
    }
}
