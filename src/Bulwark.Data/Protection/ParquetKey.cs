using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>The key metadata of one protected file's footer or column: the data key, wrapped by the key ring, and what it is for.</summary>
/// <param name="Dataset">Dataset and version, the file's AAD prefix.</param>
/// <param name="Column">The column, or null for the footer and the columns that are kept.</param>
/// <param name="Kek">The key ring's key that wraps it.</param>
/// <param name="Key">The wrapped 256-bit data key.</param>
internal sealed record ParquetKey(string Dataset, string? Column, KeyId Kek, byte[] Key)
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        PropertyNameCaseInsensitive = false,
        RespectNullableAnnotations = true,
    };

    /// <summary>Wraps <paramref name="key"/> under the newest version of <paramref name="kek"/>, which is made when the ring has none.</summary>
    internal static ParquetKey Wrap(KeyRing keys, string kek, string dataset, string? column, SecretBytes key)
    {
        keys.GetOrCreateSymmetric(kek);
        var wrapped = keys.Wrap(kek, key.Span, Context(dataset, column));
        return new(dataset, column, wrapped.Kek.TryGetKeyId(out var version) ? version : throw new InvalidOperationException($"{wrapped.Kek} is not in a keyring."), wrapped.Bytes);
    }

    /// <exception cref="CryptographicException">It is not what was wrapped for this dataset and column.</exception>
    internal SecretBytes Unwrap(KeyRing keys) => keys.Unwrap(new WrappedKey(Kek, Key), Context(Dataset, Column));

    internal string ToMetadata() => JsonSerializer.Serialize(this, Strict);

    /// <exception cref="CryptographicException">The metadata is not ours or was changed.</exception>
    internal static ParquetKey Parse(string metadata)
    {
        try
        {
            return JsonSerializer.Deserialize<ParquetKey>(metadata, Strict) ?? throw new JsonException();
        }
        catch (Exception fault) when (fault is JsonException or FormatException or ArgumentException)
        {
            throw new CryptographicException("The file's key metadata was changed, or another program wrote it.", fault);
        }
    }

    private static byte[] Context(string dataset, string? column) => Encoding.UTF8.GetBytes($"bulwark.dev/parquet-key/v1\n{dataset}\n{(column is null ? "footer" : $"column {column}")}");
}
