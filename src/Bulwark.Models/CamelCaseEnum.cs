using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Models;

/// <summary>An enum in JSON is its camelCase word, never a number.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
