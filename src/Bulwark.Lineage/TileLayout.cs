using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Where the files of a log are, and how entries lie in a bundle.</summary>
/// <remarks>Source: C2SP tlog-tiles v0.1.0: tiles of 256 hashes, height 8; a partial tile of W hashes has the suffix <c>.p/W</c>.</remarks>
internal static class TileLayout
{
    internal const int Width = 256, Height = 8, MaximumEntry = ushort.MaxValue;

    internal static string TilePath(int level, long index, int width) => $"tile/{level}/{IndexPath(index)}{Suffix(width)}";

    internal static string BundlePath(long index, int width) => $"tile/entries/{IndexPath(index)}{Suffix(width)}";

    /// <summary>How many hashes the tile holds in a tree of <paramref name="size"/> entries: 1 to 256, or 0 when it has none.</summary>
    internal static int WidthOf(int level, long index, long size)
    {
        var hashes = level * Height >= 63 ? 0 : size >> (level * Height);
        return (int)Math.Clamp(hashes - index * Width, 0, Width);
    }

    /// <summary>The entries of a bundle: each a big-endian u16 length and its bytes.</summary>
    /// <exception cref="InvalidDataException">The bundle ends inside an entry.</exception>
    internal static List<ReadOnlyMemory<byte>> SplitBundle(ReadOnlyMemory<byte> bundle)
    {
        var entries = new List<ReadOnlyMemory<byte>>();
        while (!bundle.IsEmpty)
        {
            if (bundle.Length < 2)
                throw new InvalidDataException("An entry bundle ends inside a length.");
            var length = bundle.Span[0] << 8 | bundle.Span[1];
            if (bundle.Length < 2 + length)
                throw new InvalidDataException("An entry bundle ends inside an entry.");
            entries.Add(bundle.Slice(2, length));
            bundle = bundle[(2 + length)..];
        }

        return entries;
    }

    /// <summary>The first <paramref name="width"/> entries of a bundle.</summary>
    /// <exception cref="InvalidDataException">There are fewer, or the bundle is malformed.</exception>
    internal static List<ReadOnlyMemory<byte>> SplitBundle(ReadOnlyMemory<byte> bundle, string path, int width)
    {
        var entries = SplitBundle(bundle);
        if (entries.Count < width)
            throw new InvalidDataException($"{path} has {entries.Count} entries; {width} were promised.");
        return entries.Count == width ? entries : entries[..width];
    }

    /// <summary>The first <paramref name="width"/> hashes of a tile.</summary>
    /// <exception cref="InvalidDataException">There are fewer.</exception>
    internal static Digest[] SplitTile(ReadOnlySpan<byte> tile, string path, int width)
    {
        if (tile.Length < width * Digest.SizeInBytes)
            throw new InvalidDataException($"{path} has {tile.Length} bytes; {width} hashes were promised.");
        var hashes = new Digest[width];
        for (var i = 0; i < width; i++)
            hashes[i] = new Digest(tile.Slice(i * Digest.SizeInBytes, Digest.SizeInBytes));
        return hashes;
    }

    internal static byte[] JoinTile(IReadOnlyList<Digest> hashes)
    {
        var bytes = new byte[hashes.Count * Digest.SizeInBytes];
        for (var i = 0; i < hashes.Count; i++)
            hashes[i].Bytes.CopyTo(bytes.AsSpan(i * Digest.SizeInBytes));
        return bytes;
    }

    internal static void AppendToBundle(Stream bundle, ReadOnlySpan<byte> entry)
    {
        bundle.WriteByte((byte)(entry.Length >> 8));
        bundle.WriteByte((byte)(entry.Length & 0xff));
        bundle.Write(entry);
    }

    /// <summary>Three digits a folder, all but the last with an x: 1234067 is x001/x234/067.</summary>
    private static string IndexPath(long index)
    {
        var path = (index % 1000).ToString("000", CultureInfo.InvariantCulture);
        for (index /= 1000; index > 0; index /= 1000)
            path = $"x{(index % 1000).ToString("000", CultureInfo.InvariantCulture)}/{path}";
        return path;
    }

    private static string Suffix(int width) => width == Width ? "" : $".p/{width}";
}
