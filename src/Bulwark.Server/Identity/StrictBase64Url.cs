using System.Buffers;
using System.Buffers.Text;

namespace Bulwark.Server;

/// <summary>Base64url as RFC 7515, section 2, has it: no padding, no foreign character, no unused bit set.</summary>
internal static class StrictBase64Url
{
    internal static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        foreach (var c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                return false;
        var buffer = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, buffer, out var consumed, out var written) != OperationStatus.Done || consumed != text.Length)
            return false;
        var decoded = buffer[..written];
        if (!Base64Url.EncodeToString(decoded).AsSpan().SequenceEqual(text))
            return false;
        bytes = decoded;
        return true;
    }
}
