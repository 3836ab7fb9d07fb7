using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Bulwark.Cryptography;

/// <summary>One version of one named key, written <c>name@3</c>.</summary>
[JsonConverter(typeof(KeyIdJsonConverter))]
public readonly partial record struct KeyId
{
    /// <summary>Names the version <paramref name="version"/> of the key <paramref name="name"/>.</summary>
    /// <param name="name">1 to 64 of letters, digits, '.', '_', '-' and '/', beginning with a letter or digit.</param>
    /// <param name="version">1 or more.</param>
    /// <exception cref="ArgumentException">Either is outside its range.</exception>
    public KeyId(string name, int version)
    {
        Name = IsName(name) ? name : throw new ArgumentException(
            $"'{name}' is no key name: 1 to 64 of letters, digits, '.', '_', '-' and '/', beginning with a letter or digit.", nameof(name));
        Version = version > 0 ? version : throw new ArgumentOutOfRangeException(nameof(version), version, "Key versions begin at 1.");
    }

    /// <summary>The key's name.</summary>
    public string Name { get; }

    /// <summary>The version, from 1.</summary>
    public int Version { get; }

    /// <summary>Reads <c>name@version</c>.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is anything else.</exception>
    public static KeyId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw new FormatException($"'{text}' is no key id: expected name@version, for example data@1.");

    /// <summary>Reads <c>name@version</c>; false on anything else.</summary>
    public static bool TryParse(string? text, out KeyId id)
    {
        id = default;
        var at = text?.LastIndexOf('@') ?? -1;
        if (at < 0 || !IsName(text![..at]))
            return false;
        var digits = text[(at + 1)..];
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version < 1 || digits[0] == '0')
            return false;
        id = new KeyId(text[..at], version);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}@{Version}";

    internal static bool IsName(string? name) => name is not null && NamePattern().IsMatch(name);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._/-]{0,63}\z")]
    private static partial Regex NamePattern();
}

/// <summary>A <see cref="KeyId"/> in JSON is its string.</summary>
/// <remarks>Public so that source-generated contexts of other rooms can name it.</remarks>
public sealed class KeyIdJsonConverter : JsonConverter<KeyId>
{
    /// <inheritdoc/>
    public override KeyId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        KeyId.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var id)
            ? id
            : throw new JsonException("Expected a key id: name@version.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, KeyId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
