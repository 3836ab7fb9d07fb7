using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Data;

/// <summary>
/// Checks the few bytes of a protected file that Parquet leaves unauthenticated: the magic at both ends, and the form of the
/// FileCryptoMetaData before the footer (parquet.thrift, compact protocol), which must be the one that is written here.
/// </summary>
internal static class CryptoMetadata
{
    private const int LargestTail = 1 << 26;

    /// <param name="path">The file.</param>
    /// <param name="anyWriter">True for files of other programs, whose metadata may be spelt otherwise.</param>
    /// <exception cref="CryptographicException">The file was changed, or another program wrote it.</exception>
    internal static void Require(string path, bool anyWriter = false)
    {
        using var stream = File.OpenRead(path);
        if (!IsSound(stream, anyWriter))
            throw new CryptographicException($"{Path.GetFileName(path)} was changed, or is not {(anyWriter ? "Parquet" : ProtectionManifest.FormatName)}: it does not begin and end as it must.");
    }

    /// <summary>Which file of which dataset it says it is (<c>dataset/version/part</c>), for the record of its keys' use; null when it does not say, or not in such words. Nothing is proved.</summary>
    internal static string? StatedPrefix(string path)
    {
        try
        {
            return (InTail(path) ?? InFooter(path)) is { Length: <= 300 } stated && stated.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '.' or '=' or '%') ? stated : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ParquetSharp.ParquetException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The prefix that FileCryptoMetaData stores; null where the footer is readable.</summary>
    private static string? InTail(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> end = stackalloc byte[8];
        if (stream.Length < 16 || !ReadAt(stream, stream.Length - 8, end) || !HasMagic(end[4..]))
            return null;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > stream.Length - 12)
            return null;
        var tail = new byte[Math.Min(length, 1024)];
        ReadOnlySpan<byte> rest = tail;
        return ReadAt(stream, stream.Length - 8 - length, tail) && Skip(ref rest, [0x1C, 0x1C, 0x18]) && TakeBinary(ref rest, out var prefix) ? System.Text.Encoding.UTF8.GetString(prefix) : null;
    }

    private static string InFooter(string path)
    {
        using var plain = new ParquetSharp.ParquetFileReader(path);
        return ProtectionManifest.Parse(plain.FileMetaData.KeyValueMetadata.GetValueOrDefault(ProtectionManifest.MetadataKey)).AadPrefix;
    }

    internal static bool HasMagic(ReadOnlySpan<byte> magic) => magic.SequenceEqual("PARE"u8);

    private static bool HasPlainMagic(ReadOnlySpan<byte> magic) => magic.SequenceEqual("PAR1"u8);

    private static bool IsSound(FileStream stream, bool anyWriter)
    {
        Span<byte> end = stackalloc byte[8];
        if (stream.Length < 16 || !ReadAt(stream, 0, end[..4]))
            return false;
        var plain = HasPlainMagic(end[..4]);
        if (!(plain || HasMagic(end[..4])) || !ReadAt(stream, stream.Length - 8, end) || !(plain ? HasPlainMagic(end[4..]) : HasMagic(end[4..])))
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > LargestTail || length > stream.Length - 12)
            return false;
        if (plain || anyWriter)
            return true;   // the footer's signature is checked with its key
        var tail = new byte[length];
        return ReadAt(stream, stream.Length - 8 - length, tail) && IsCanonical(tail);
    }

    /// <summary>Algorithm AES_GCM_V1 with stored prefix, file id and "prefix not needed"; key metadata; then the encrypted footer to the end.</summary>
    private static bool IsCanonical(ReadOnlySpan<byte> tail) =>
        Skip(ref tail, [0x1C, 0x1C, 0x18]) && SkipBinary(ref tail)
        && Skip(ref tail, [0x18, 0x08]) && Skip(ref tail, 8)
        && Skip(ref tail, [0x12, 0x00, 0x00, 0x18]) && SkipBinary(ref tail)
        && Skip(ref tail, [0x00])
        && tail.Length > 4 && BinaryPrimitives.ReadUInt32LittleEndian(tail) == tail.Length - 4;

    private static bool Skip(ref ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected) => bytes.StartsWith(expected) && Skip(ref bytes, expected.Length);

    private static bool Skip(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (count < 0 || bytes.Length < count)
            return false;
        bytes = bytes[count..];
        return true;
    }

    private static bool SkipBinary(ref ReadOnlySpan<byte> bytes) => TakeBinary(ref bytes, out _);

    private static bool TakeBinary(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> taken)
    {
        var length = 0;
        taken = default;
        for (var shift = 0; shift <= 21 && !bytes.IsEmpty; shift += 7)
        {
            var part = bytes[0];
            bytes = bytes[1..];
            length |= (part & 0x7F) << shift;
            if (part >= 0x80)
                continue;
            if (bytes.Length < length)
                return false;
            taken = bytes[..length];
            bytes = bytes[length..];
            return true;
        }

        return false;
    }

    private static bool ReadAt(FileStream stream, long offset, Span<byte> bytes)
    {
        stream.Position = offset;
        return stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
    }
}
