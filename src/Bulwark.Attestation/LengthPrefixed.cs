using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Bulwark.Attestation;

/// <summary>A label and fields as bytes that read only one way: the label, a zero byte, then each field after its 16-bit length (big-endian).</summary>
internal static class LengthPrefixed
{
    internal static byte[] Bytes(string label, params ReadOnlySpan<byte[]> fields)
    {
        var writer = new ArrayBufferWriter<byte>();
        Encoding.ASCII.GetBytes(label, writer);
        writer.Write((ReadOnlySpan<byte>)[0]);
        foreach (var field in fields)
        {
            BinaryPrimitives.WriteUInt16BigEndian(writer.GetSpan(2), checked((ushort)field.Length));
            writer.Advance(2);
            writer.Write(field);
        }

        return writer.WrittenSpan.ToArray();
    }
}
