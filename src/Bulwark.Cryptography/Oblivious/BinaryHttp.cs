using System.Buffers;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>HTTP messages as bytes, in the form of known lengths (RFC 9292 §3.1): what Oblivious HTTP seals.</summary>
internal static class BinaryHttp
{
    private const ulong KnownRequest = 0, KnownResponse = 1;
    private const int MostFields = 64;

    internal sealed record Request(string Method, string Scheme, string Authority, string Path, IReadOnlyList<(string Name, string Value)> Fields, byte[] Content);

    internal sealed record Response(int Status, IReadOnlyList<(string Name, string Value)> Fields, byte[] Content);

    internal static byte[] Write(Request request)
    {
        var output = new ArrayBufferWriter<byte>();
        Integer(output, KnownRequest);
        foreach (var part in new[] { request.Method, request.Scheme, request.Authority, request.Path })
            Bytes(output, Encoding.ASCII.GetBytes(part));
        return Rest(output, request.Fields, request.Content);
    }

    internal static byte[] Write(Response response)
    {
        var output = new ArrayBufferWriter<byte>();
        Integer(output, KnownResponse);
        Integer(output, (ulong)response.Status);
        return Rest(output, response.Fields, response.Content);
    }

    /// <exception cref="InvalidDataException">It is no request of known lengths.</exception>
    internal static Request ReadRequest(ReadOnlySpan<byte> message)
    {
        if (Integer(ref message) != KnownRequest)
            throw new InvalidDataException("The message is no request of known lengths.");
        var (method, scheme, authority, path) = (Text(ref message), Text(ref message), Text(ref message), Text(ref message));
        var (fields, content) = Rest(message);
        return new(method, scheme, authority, path, fields, content);
    }

    /// <exception cref="InvalidDataException">It is no final response of known lengths.</exception>
    internal static Response ReadResponse(ReadOnlySpan<byte> message)
    {
        if (Integer(ref message) != KnownResponse || Integer(ref message) is not (>= 200 and <= 599 and var status))
            throw new InvalidDataException("The message is no final response of known lengths.");
        var (fields, content) = Rest(message);
        return new((int)status, fields, content);
    }

    private static (List<(string, string)> Fields, byte[] Content) Rest(ReadOnlySpan<byte> message)
    {
        var section = Bytes(ref message);
        var fields = new List<(string, string)>();
        while (!section.IsEmpty)
        {
            if (fields.Count == MostFields)
                throw new InvalidDataException($"A message has at most {MostFields} fields.");
            fields.Add((Text(ref section), Text(ref section)));
        }

        var content = message.IsEmpty ? [] : Bytes(ref message).ToArray();
        if (!message.IsEmpty && !Bytes(ref message).IsEmpty)
            throw new InvalidDataException("Trailers are not taken.");
        return message.ContainsAnyExcept((byte)0) ? throw new InvalidDataException("Something else than padding follows the message.") : (fields, content);
    }

    private static byte[] Rest(ArrayBufferWriter<byte> output, IReadOnlyList<(string Name, string Value)> fields, byte[] content)
    {
        var section = new ArrayBufferWriter<byte>();
        foreach (var (name, value) in fields)
        {
            Bytes(section, Encoding.ASCII.GetBytes(name));
            Bytes(section, Encoding.ASCII.GetBytes(value));
        }

        Bytes(output, section.WrittenSpan);
        Bytes(output, content);
        Integer(output, 0);
        return output.WrittenSpan.ToArray();
    }

    private static void Integer(ArrayBufferWriter<byte> output, ulong value) => output.Advance(QuicInteger.Write(value, output.GetSpan(QuicInteger.LargestSize)));

    private static void Bytes(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        Integer(output, (ulong)bytes.Length);
        output.Write(bytes);
    }

    private static ulong Integer(ref ReadOnlySpan<byte> message)
    {
        var size = QuicInteger.Read(message, out var value);
        if (size == 0)
            throw new InvalidDataException("The message breaks off.");
        message = message[size..];
        return value;
    }

    private static ReadOnlySpan<byte> Bytes(ref ReadOnlySpan<byte> message)
    {
        var length = Integer(ref message);
        if (length > (ulong)message.Length)
            throw new InvalidDataException("The message breaks off.");
        var bytes = message[..(int)length];
        message = message[(int)length..];
        return bytes;
    }

    private static string Text(ref ReadOnlySpan<byte> message)
    {
        var bytes = Bytes(ref message);
        return bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? throw new InvalidDataException("A name or a value is not of printable ASCII.") : Encoding.ASCII.GetString(bytes);
    }
}
