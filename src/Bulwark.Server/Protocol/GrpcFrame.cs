using System.Buffers.Binary;

namespace Bulwark.Server;

/// <summary>Unary gRPC over HTTP/2 by hand: a flag, a length, one message; the verdict in the trailers.</summary>
/// <remarks>
/// Source: "gRPC over HTTP2" (grpc/grpc, PROTOCOL-HTTP2). By hand, so that a call passes the same doors, limits and audit as every other request,
/// and so that a receipt is about exactly the bytes that travelled. Compression is not taken.
/// </remarks>
internal static class GrpcFrame
{
    private const int HeaderBytes = 5;

    internal static bool IsGrpc(HttpRequest request) =>
        request.ContentType is { } type && (type == "application/grpc" || type.StartsWith("application/grpc+proto", StringComparison.Ordinal) || type.StartsWith("application/grpc;", StringComparison.Ordinal));

    /// <summary>The one message of a request's body.</summary>
    internal static bool TryRead(ReadOnlyMemory<byte> body, out ReadOnlyMemory<byte> message, out Refusal refusal)
    {
        (message, refusal) = (default, default);
        if (body.Length < HeaderBytes)
            refusal = Refusal.Malformed("The call holds no message.");
        else if (body.Span[0] != 0)
            refusal = new(StatusCodes.Status415UnsupportedMediaType, "unsupported", "Compressed messages are not taken.");
        else if (BinaryPrimitives.ReadUInt32BigEndian(body.Span[1..]) != (uint)(body.Length - HeaderBytes))
            refusal = Refusal.Malformed("The call holds no message of the length it says, or more than one.");
        else
            message = body[HeaderBytes..];
        return refusal.Reason is null;
    }

    /// <summary>Sends an answer, or a refusal as a status without a message.</summary>
    internal static async Task WriteAsync(HttpContext http, Refusal? refusal, ReadOnlyMemory<byte> message, byte[]? receipt)
    {
        var response = http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        if (receipt is not null)
            response.Headers[GatewayHost.ReceiptHeader] = Convert.ToBase64String(receipt);
        if (refusal is { } why)
        {
            response.Headers["grpc-status"] = StatusOf(why.Status).ToString(System.Globalization.CultureInfo.InvariantCulture);
            response.Headers["grpc-message"] = PercentEncode(why.Text);
            return;
        }

        response.DeclareTrailer("grpc-status");
        var frame = new byte[HeaderBytes + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame.AsMemory(HeaderBytes));
        await response.Body.WriteAsync(frame, http.RequestAborted);
        response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>The gRPC status of an HTTP one (google.rpc.Code).</summary>
    internal static int StatusOf(int http) => http switch
    {
        StatusCodes.Status400BadRequest or StatusCodes.Status422UnprocessableEntity => 3,   // INVALID_ARGUMENT
        StatusCodes.Status401Unauthorized => 16,                                            // UNAUTHENTICATED
        StatusCodes.Status403Forbidden => 7,                                                // PERMISSION_DENIED
        StatusCodes.Status404NotFound => 5,                                                 // NOT_FOUND
        StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests => 8,  // RESOURCE_EXHAUSTED
        StatusCodes.Status415UnsupportedMediaType => 12,                                    // UNIMPLEMENTED
        StatusCodes.Status503ServiceUnavailable => 14,                                      // UNAVAILABLE
        _ => 2,
    };

    /// <summary>Printable ASCII but the percent sign stays (PROTOCOL-HTTP2, "Status-Message").</summary>
    private static string PercentEncode(string text) =>
        string.Concat(System.Text.Encoding.UTF8.GetBytes(text).Select(b => b is >= 0x20 and <= 0x7e and not (byte)'%' ? ((char)b).ToString() : $"%{b:X2}"));
}
