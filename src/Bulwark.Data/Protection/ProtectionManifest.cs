using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What a protected file says of itself, inside its encrypted footer.</summary>
internal sealed record ProtectionManifest
{
    internal const string MetadataKey = "bulwark.protection";
    internal const string FormatName = "protected-parquet/v1";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        PropertyNameCaseInsensitive = false,
        Converters = { new JsonStringEnumConverter<ProtectionAction>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public required string Format { get; init; }

    public required string Dataset { get; init; }

    public required Digest Commitment { get; init; }

    public required Digest Policy { get; init; }

    public required IReadOnlyList<ProtectedColumn> Columns { get; init; }

    /// <summary>True when every column can be turned back cell for cell, so that the commitment can be computed anew.</summary>
    public required bool Exact { get; init; }

    internal string ToJson() => JsonSerializer.Serialize(this, Strict);

    internal static ProtectionManifest Parse(string? json)
    {
        try
        {
            var manifest = json is null ? null : JsonSerializer.Deserialize<ProtectionManifest>(json, Strict);
            return manifest?.Format == FormatName ? manifest : throw new JsonException();
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            throw new CryptographicException($"The file is encrypted Parquet, but not {FormatName}.", fault);
        }
    }
}
