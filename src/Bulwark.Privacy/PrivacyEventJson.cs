using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Privacy;

/// <summary>The JSON form of privacy events: camelCase, strict.</summary>
public static class PrivacyEventJson
{
    internal static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        AllowOutOfOrderMetadataProperties = true,
        Converters = { new JsonStringEnumConverter<Adjacency>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>The event as one line of JSON.</summary>
    public static string Write(PrivacyEvent happened) => JsonSerializer.Serialize(happened, Options);

    /// <summary>Reads one event.</summary>
    /// <exception cref="JsonException">Not an event: unknown kind or member, or a member is missing.</exception>
    /// <exception cref="InvalidDataException">An event with a value outside its range.</exception>
    public static PrivacyEvent Read(string json)
    {
        PrivacyEvent happened;
        try
        {
            happened = JsonSerializer.Deserialize<PrivacyEvent>(json, Options) ?? throw new JsonException("The event is null.");
        }
        catch (NotSupportedException failure)   // the library's word for an event without a kind
        {
            throw new JsonException("An event has no kind.", failure);
        }

        var faults = happened.Faults().ToList();
        return faults.Count == 0 ? happened : throw new InvalidDataException(string.Join(" ", faults));
    }
}
