using System.Text.Json.Serialization;

namespace Bulwark.Attestation;

/// <summary>Reads and writes an enumeration by its names; a number is refused.</summary>
internal sealed class NamesOnlyConverter<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false) where T : struct, Enum;
