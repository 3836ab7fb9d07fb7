using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>Where a sealed request goes. It is authenticated with every byte, so that whoever carries a request cannot send it elsewhere.</summary>
/// <param name="Method">The HTTP method, such as <c>POST</c>.</param>
/// <param name="Path">The path, from its first slash.</param>
/// <param name="Model">The model's name.</param>
public sealed record SealedRoute(string Method, string Path, string Model)
{
    /// <summary>What goes before the associated data of every chunk: a digest of the route, the session and the request's number in it.</summary>
    internal byte[] Context(ReadOnlySpan<byte> session, ulong sequence)
    {
        var writer = new ArrayBufferWriter<byte>();
        writer.Write("bulwark.dev/sealed-request/v1\0"u8);
        foreach (var field in (string[])[Method, Path, Model])
        {
            var bytes = Encoding.UTF8.GetBytes(field);
            BinaryPrimitives.WriteUInt16BigEndian(writer.GetSpan(2), checked((ushort)bytes.Length));
            writer.Advance(2);
            writer.Write(bytes);
        }

        writer.Write(session);
        BinaryPrimitives.WriteUInt64BigEndian(writer.GetSpan(8), sequence);
        writer.Advance(8);
        return SHA256.HashData(writer.WrittenSpan);
    }
}
