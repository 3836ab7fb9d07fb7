using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Models.Package;

namespace Bulwark.Models;

/// <summary>Strict camelCase JSON of this room's records, without reflection: the worker is published trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    Converters = [typeof(CamelCaseEnum<FeatureKind>), typeof(CamelCaseEnum<Scaling>), typeof(CamelCaseEnum<MissingPolicy>)],
    MaxDepth = 16)]
[JsonSerializable(typeof(FeatureSchema))]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(PackageKeysDocument))]
[JsonSerializable(typeof(SealPredicate))]
internal sealed partial class ModelsJson : JsonSerializerContext
{
    /// <summary>The same, spread over lines.</summary>
    internal static ModelsJson Indented => field ??= new(new JsonSerializerOptions(Default!.Options) { WriteIndented = true });
}
