using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>An answer ready to be written.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Outcome">The word that metrics count it by.</param>
/// <param name="Body">Its JSON.</param>
/// <param name="Receipt">The signed receipt of a worker's answer; null when no worker was asked.</param>
internal sealed record Reply(int Status, string Outcome, ReadOnlyMemory<byte> Body, byte[]? Receipt = null)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static Reply Of(Refusal refusal) => new(refusal.Status, refusal.Reason, Json(writer => writer.WriteString("error", refusal.Text)));

    internal static Reply Of(string outcome, Action<Utf8JsonWriter> members) => new(StatusCodes.Status200OK, outcome, Json(members));

    /// <summary>A model's answer, byte for byte as its receipt is about it, with the receipt beside it.</summary>
    internal static Reply Of(ServedAnswer answer, byte[]? receipt) =>
        new(answer.Status, answer.IsScored ? "scored" : answer.Reason, answer.Body, receipt) { HeadBytes = answer.HeadBytes };

    /// <summary>The length of a JSON head with raw bytes behind it; else -1.</summary>
    internal int HeadBytes { get; init; } = -1;

    /// <summary>The media type where it is neither JSON nor raw tensors; else null.</summary>
    internal string? MediaType { get; init; }

    /// <summary>One header more, by name and value.</summary>
    internal (string Name, string Value)? ExtraHeader { get; init; }

    /// <summary>Writes it, then takes what is left of a refused body.</summary>
    /// <param name="http">The request.</param>
    /// <param name="stay">Ended between the two: from then on the request is answered and holds nothing up. Null for none.</param>
    internal async Task WriteAsync(HttpContext http, GatewayLoad.Stay? stay = null)
    {
        http.Response.StatusCode = Status;
        http.Response.ContentType = MediaType ?? (HeadBytes < 0 ? "application/json" : "application/octet-stream");
        if (HeadBytes >= 0)
            http.Response.Headers[RequestBody.HeadLengthHeader] = HeadBytes.ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Response.ContentLength = Body.Length;
        http.Response.Headers.CacheControl = "no-store";
        if (ExtraHeader is var (name, value))
            http.Response.Headers[name] = value;
        if (Receipt is not null)
            http.Response.Headers[GatewayHost.ReceiptHeader] = Convert.ToBase64String(Receipt);
        var isUnread = (Status == StatusCodes.Status413PayloadTooLarge && HttpProtocol.IsHttp11(http.Request.Protocol)) || RequestBody.IsBeyondTaking(http);
        if (isUnread || (Status == StatusCodes.Status408RequestTimeout && HttpProtocol.IsHttp11(http.Request.Protocol)))
            http.Response.Headers.Connection = "close";   // the rest of the body is not looked at, so this connection has no next request
        if (Status == StatusCodes.Status401Unauthorized && http.Response.Headers.WWWAuthenticate.Count == 0)
            http.Response.Headers.WWWAuthenticate = "Bearer";
        await http.Response.Body.WriteAsync(Body, http.RequestAborted);
        stay?.Leave();
        if (isUnread)
            await RequestBody.DrainAsync(http);
    }

    internal static ReadOnlyMemory<byte> Json(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
