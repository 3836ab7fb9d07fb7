using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>A key server's answer; its bytes are wiped when disposed.</summary>
internal sealed class StoreReply(HttpStatusCode status, byte[] bytes) : IDisposable
{
    private JsonDocument? _document;

    internal HttpStatusCode Status => status;

    internal bool IsSuccess => (int)status is >= 200 and < 300;

    /// <summary>The body as a JSON object.</summary>
    /// <exception cref="KeyProviderException">It is none.</exception>
    internal JsonElement Json
    {
        get
        {
            try
            {
                _document ??= JsonDocument.Parse(bytes.Length == 0 ? "{}"u8.ToArray() : bytes);
                return _document.RootElement.ValueKind == JsonValueKind.Object ? _document.RootElement : throw Malformed();
            }
            catch (JsonException)
            {
                throw Malformed();   // the parser's message could quote the body
            }
        }
    }

    public void Dispose()
    {
        _document?.Dispose();
        CryptographicOperations.ZeroMemory(bytes);
    }

    internal static KeyProviderException Malformed() => new("The key server's answer is not what its interface promises.", "is this address really that server's?", null);
}

/// <summary>Members of a key server's answer, or one clear fault.</summary>
internal static class StoreJson
{
    internal static JsonElement Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : throw StoreReply.Malformed();

    internal static JsonElement? Optional(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;

    internal static string Text(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw StoreReply.Malformed();

    internal static int Number(this JsonElement element, string name, int otherwise) => element.Optional(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) => number,
        _ => throw StoreReply.Malformed(),
    };

    /// <summary>A base64 member as a secret, without a copy left behind.</summary>
    internal static SecretBytes Secret(this JsonElement element, string name, bool url = false)
    {
        byte[]? bytes = null;
        try
        {
            bytes = url ? System.Buffers.Text.Base64Url.DecodeFromChars(element.Text(name)) : element.Member(name).GetBytesFromBase64();
            return SecretBytes.CopyOf(bytes);
        }
        catch (Exception failure) when (failure is FormatException or InvalidOperationException)
        {
            throw StoreReply.Malformed();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>A JSON body that may hold a secret: the caller's client wipes it.</summary>
    internal static byte[] Body(Action<Utf8JsonWriter> members)
    {
        var buffer = new WipedBuffer();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.Take();
    }
}
