using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http.Features;

namespace Bulwark.Server;

/// <summary>Reads a whole body, within its limit, before anybody looks at it.</summary>
internal static class RequestBody
{
    internal const string HeadLengthHeader = "Inference-Header-Content-Length";

    /// <summary>What is taken at most of a body that is refused.</summary>
    internal const long MostDrainedBytes = 4 << 20;

    /// <summary>Refused bodies that are taken at once at most; beyond it a connection is broken off.</summary>
    internal const int MostDrains = 64;

    private static int s_drains;
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(2);

    /// <summary>The body of a REST request, and the length of its JSON head: all of it unless raw tensors stand behind.</summary>
    internal static async Task<(ReadOnlyMemory<byte> Body, int HeadBytes, Refusal? Refusal)> ReadAsync(HttpContext http, GatewayOptions options)
    {
        var stated = http.Request.Headers[HeadLengthHeader];
        if (stated.Count == 0 && http.Request.ContentType != "application/json" && !http.Request.HasJsonContentType())
            return (default, 0, new(StatusCodes.Status415UnsupportedMediaType, "unsupported", $"The body must be application/json, or raw tensors with {HeadLengthHeader}."));
        var (body, refusal) = await ReadAllAsync(http, options);
        if (refusal is not null || stated.Count == 0)
            return (body, body.Length, refusal);
        return stated.Count == 1 && int.TryParse(stated[0], NumberStyles.None, CultureInfo.InvariantCulture, out var head) && head <= body.Length
            ? (body, head, null) : (default, 0, Refusal.Malformed($"{HeadLengthHeader} is no number from 0 to the body's length."));
    }

    /// <summary>True when a body is longer than the server would take even to throw it away, so that its connection cannot be used again.</summary>
    internal static bool IsBeyondTaking(HttpContext http) =>
        HttpProtocol.IsHttp11(http.Request.Protocol) && http.Request.ContentLength > http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;

    /// <summary>Takes what a client still sends of a refused body, within bounds of bytes and time: a connection that is closed while bytes arrive is reset, and the answer is lost with it.</summary>
    internal static async Task DrainAsync(HttpContext http)
    {
        if (http.Request.Headers.Expect.Count > 0)   // this client asked first, and now does not send
            return;
        if (Interlocked.Increment(ref s_drains) > MostDrains)
        {
            Interlocked.Decrement(ref s_drains);
            http.Abort();
            return;
        }

        try
        {
            await TakeAsync(http);
        }
        finally
        {
            Interlocked.Decrement(ref s_drains);
        }
    }

    private static async Task TakeAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        patience.CancelAfter(LongestDrain);
        try
        {
            for (var taken = 0L; taken < MostDrainedBytes;)
            {
                var read = await http.Request.BodyReader.ReadAsync(patience.Token);
                taken += read.Buffer.Length;
                http.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (Exception over) when (over is BadHttpRequestException or IOException or OperationCanceledException)
        {
            // It was answered; how its body ends is its own affair.
        }
    }

    /// <summary>All bytes of a body.</summary>
    internal static async Task<(ReadOnlyMemory<byte> Body, Refusal? Refusal)> ReadAllAsync(HttpContext http, GatewayOptions options)
    {
        if (http.Request.Headers.ContentEncoding.Count > 0)
            return (default, new(StatusCodes.Status415UnsupportedMediaType, "unsupported", "Compressed bodies are not taken."));
        var tooLarge = new Refusal(StatusCodes.Status413PayloadTooLarge, "body-too-large", $"A body may have {options.MaximumBodyBytes} bytes.");
        if (http.Request.ContentLength > options.MaximumBodyBytes)
            return (default, tooLarge);
        try
        {
            while (true)
            {
                var read = await http.Request.BodyReader.ReadAsync(http.RequestAborted);
                if (read.Buffer.Length > options.MaximumBodyBytes)
                {
                    http.Request.BodyReader.AdvanceTo(read.Buffer.End);
                    return (default, tooLarge);
                }

                if (read.IsCompleted)
                {
                    var body = read.Buffer.ToArray();
                    http.Request.BodyReader.AdvanceTo(read.Buffer.End);   // else Kestrel drops the connection after the answer
                    return (body, null);
                }

                http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException failure)
        {
            return (default, failure.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => tooLarge,
                StatusCodes.Status408RequestTimeout => new(StatusCodes.Status408RequestTimeout, "too-slow", "The body came too slowly."),
                _ => Refusal.Malformed("The request broke off or its framing is wrong."),
            });
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException)
        {
            return (default, Refusal.Malformed("The client went away."));
        }
    }
}
