using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What a protected file says of itself, inside its authenticated footer.</summary>
internal sealed record ProtectionManifest
{
    internal const string MetadataKey = "bulwark.protection";
    internal const string FormatName = "protected-parquet/v2";

    internal static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        PropertyNameCaseInsensitive = false,
        RespectNullableAnnotations = true,
        Converters =
        {
            new JsonStringEnumConverter<ProtectionAction>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
            new JsonStringEnumConverter<ColumnKind>(JsonNamingPolicy.CamelCase, allowIntegerValues: false),
        },
    };

    public required string Format { get; init; }

    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>This writing of it: 32 hexadecimal digits, later ones greater.</summary>
    public required string Version { get; init; }

    /// <summary>The file's path in the dataset.</summary>
    public required string Part { get; init; }

    public required Digest Policy { get; init; }

    public required IReadOnlyList<ProtectedColumn> Columns { get; init; }

    /// <summary>The commitment to the table before protection; null in a part of several, whose dataset manifest holds it.</summary>
    public Digest? Commitment { get; init; }

    /// <summary>What blinds the commitment, sealed under the footer's key; null where there is no commitment.</summary>
    public string? Blinding { get; init; }

    /// <summary>Where columns are plain: the file's row groups with their digests. Parquet does not authenticate such columns' pages; the footer authenticates these.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ProtectedRowGroup>? RowGroups { get; init; }

    /// <summary>True when every column can be turned back cell for cell, so that the commitment can be computed anew.</summary>
    public bool Exact { get; init; }

    /// <summary>What every module's additional data begins with.</summary>
    [JsonIgnore]
    internal string AadPrefix => $"{Dataset}/{Version}/{Part}";

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
