using System.Text.Json.Serialization;

namespace Bulwark.Models;

/// <summary>Strict camelCase JSON of this room's records, without reflection: the worker is published trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(FeatureSchema))]
internal sealed partial class ModelsJson : JsonSerializerContext;
