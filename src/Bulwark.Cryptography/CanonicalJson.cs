using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Bulwark.Cryptography;

/// <summary>One sequence of bytes for one JSON value: what is signed or hashed must have a single spelling.</summary>
/// <remarks>
/// Source: RFC 8785 (JSON Canonicalization Scheme): properties sorted by UTF-16 code units, numbers as ECMAScript writes them,
/// no white space, UTF-8. Refused, because they have no single meaning (RFC 7493): duplicate names, lone surrogates, numbers
/// that a double cannot hold (an integer beyond 2^53 that would be rounded, or an overflow to infinity).
/// </remarks>
public static class CanonicalJson
{
    /// <summary>How Bulwark turns objects into JSON before it canonicalises: camelCase names, enums as camelCase words, nulls left out.</summary>
    /// <remarks>Needs reflection: a program that is published trimmed names its types to <see cref="Serialize{T}(T, JsonTypeInfo{T})"/> instead.</remarks>
    public static JsonSerializerOptions Options => Reflected.Options;

    /// <summary>The canonical bytes of <paramref name="value"/>.</summary>
    /// <param name="value">Anything that the serializer takes.</param>
    /// <param name="options">How to turn it into JSON; null is <see cref="Options"/>.</param>
    /// <exception cref="JsonException">The JSON has no canonical form.</exception>
    public static byte[] Serialize<T>(T value, JsonSerializerOptions? options = null) =>
        Canonicalize(JsonSerializer.SerializeToElement(value, options ?? Options));

    /// <summary>The canonical bytes of <paramref name="value"/>, without reflection.</summary>
    /// <param name="value">What to write.</param>
    /// <param name="type">How the type is written; generated when the program was built.</param>
    /// <exception cref="JsonException">The JSON has no canonical form.</exception>
    public static byte[] Serialize<T>(T value, JsonTypeInfo<T> type) => Canonicalize(JsonSerializer.SerializeToElement(value, type));

    /// <summary>The canonical bytes of <paramref name="element"/>.</summary>
    /// <exception cref="JsonException">The JSON has no canonical form.</exception>
    public static byte[] Canonicalize(JsonElement element)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(element, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>True when <paramref name="bytes"/> are exactly the canonical form of the JSON that they hold.</summary>
    public static bool IsCanonical(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Canonicalize(document.RootElement).AsSpan().SequenceEqual(bytes.Span);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Made when it is first asked for: a trimmed program has no reflection, and does not ask.</summary>
    private static class Reflected
    {
        internal static readonly JsonSerializerOptions Options = Create();

        private static JsonSerializerOptions Create()
        {
            var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
            {
                DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
                NumberHandling = JsonNumberHandling.Strict,
                AllowDuplicateProperties = false,
                PropertyNameCaseInsensitive = false,
                Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
            };
            options.MakeReadOnly(populateMissingResolver: true);
            return options;
        }
    }

    private static void Write(JsonElement element, ArrayBufferWriter<byte> output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object: WriteObject(element, output); break;
            case JsonValueKind.Array: WriteArray(element, output); break;
            case JsonValueKind.String: WriteString(StringOf(element), output); break;
            case JsonValueKind.Number: Append(NumberText(element), output); break;
            case JsonValueKind.True: Append("true", output); break;
            case JsonValueKind.False: Append("false", output); break;
            case JsonValueKind.Null: Append("null", output); break;
            default: throw new JsonException("An undefined JSON value has no canonical form.");
        }
    }

    private static void WriteObject(JsonElement element, ArrayBufferWriter<byte> output)
    {
        var members = element.EnumerateObject().Select(member => (Name: NameOf(member), member.Value)).ToArray();
        Array.Sort(members, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        Append("{", output);
        for (var i = 0; i < members.Length; i++)
        {
            if (i > 0 && members[i].Name == members[i - 1].Name)
                throw new JsonException($"The property '{members[i].Name}' appears twice.");
            if (i > 0)
                Append(",", output);
            WriteString(members[i].Name, output);
            Append(":", output);
            Write(members[i].Value, output);
        }

        Append("}", output);
    }

    private static void WriteArray(JsonElement element, ArrayBufferWriter<byte> output)
    {
        Append("[", output);
        var first = true;
        foreach (var item in element.EnumerateArray())
        {
            if (!first)
                Append(",", output);
            first = false;
            Write(item, output);
        }

        Append("]", output);
    }

    private static string StringOf(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException failure)
        {
            throw new JsonException("A string holds a lone surrogate or bytes that are no UTF-8.", failure);
        }
    }

    private static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException failure)
        {
            throw new JsonException("A property name holds a lone surrogate or bytes that are no UTF-8.", failure);
        }
    }

    /// <summary>RFC 8785 §3.2.2.2: only the quote, the backslash and control characters are escaped.</summary>
    private static void WriteString(string text, ArrayBufferWriter<byte> output)
    {
        var builder = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => builder.Append("\\\""),
                '\\' => builder.Append("\\\\"),
                '\b' => builder.Append("\\b"),
                '\t' => builder.Append("\\t"),
                '\n' => builder.Append("\\n"),
                '\f' => builder.Append("\\f"),
                '\r' => builder.Append("\\r"),
                < ' ' => builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => builder.Append(c),
            };
        }

        try
        {
            output.Write(StrictUtf8.GetBytes(builder.Append('"').ToString()));
        }
        catch (EncoderFallbackException failure)
        {
            throw new JsonException("A string holds a lone surrogate.", failure);
        }
    }

    private static string NumberText(JsonElement element)
    {
        var text = element.GetRawText();
        if (!element.TryGetDouble(out var value) || !double.IsFinite(value))
            throw new JsonException($"The number {text} is beyond what a double holds.");
        var canonical = EcmaScriptNumber.Format(value);
        if (text != canonical && !text.AsSpan().ContainsAny('.', 'e', 'E') && BigInteger.Parse(text, CultureInfo.InvariantCulture) != new BigInteger(value))
            throw new JsonException($"The integer {text} is beyond 2^53 and would be rounded: write it as a string.");
        return canonical;
    }

    private static void Append(string ascii, ArrayBufferWriter<byte> output) =>
        output.Advance(Encoding.ASCII.GetBytes(ascii, output.GetSpan(ascii.Length)));

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
