using System.Buffers.Binary;
using System.IO.Compression;
using Bulwark.Networks;

namespace Bulwark.Training;

/// <summary>Grey images and their classes from a pair of IDX files, as MNIST and Fashion-MNIST come.</summary>
/// <remarks>
/// Format: magic 0x00000803 (unsigned bytes, three dimensions), number of images, rows, columns, then the pixels; labels 0x00000801, number, one byte each; all big-endian
/// (LeCun, Cortes and Burges, "The MNIST database", file formats). A file that begins as gzip is unpacked. A pixel of 255 becomes 1.
/// </remarks>
public static class IdxImages
{
    private const int MostValues = 1 << 30;
    private const uint ImagesMagic = 0x803;
    private const uint LabelsMagic = 0x801;

    /// <summary>Reads a pair of files whole.</summary>
    /// <param name="images">Path of the images.</param>
    /// <param name="labels">Path of the labels.</param>
    /// <exception cref="InvalidDataException">A file is no IDX file of bytes, is cut short or too long, or the two do not fit each other.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static (ImageShape Shape, EncodedDataset Rows) Read(string images, string labels)
    {
        var pixels = Values(images, ImagesMagic, 3, out var sizes);
        var classes = Values(labels, LabelsMagic, 1, out var counts);
        if (sizes[0] != counts[0])
            throw new InvalidDataException($"{images} holds {sizes[0]} images, {labels} {counts[0]} labels.");
        if (sizes[0] == 0 || sizes[1] == 0 || sizes[2] == 0)
            throw new InvalidDataException($"{images} holds no pixels.");
        var features = new float[pixels.Length];
        for (var i = 0; i < features.Length; i++)
            features[i] = pixels[i] / 255f;
        return (new(1, sizes[1], sizes[2]), new(features, sizes[1] * sizes[2], [.. classes.Select(label => (int)label)]));
    }

    private static byte[] Values(string path, uint magic, int dimensions, out int[] sizes)
    {
        using var file = File.OpenRead(path);
        var zipped = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        using Stream stream = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
        try
        {
            var head = new byte[4 * (dimensions + 1)];
            stream.ReadExactly(head);
            if (BinaryPrimitives.ReadUInt32BigEndian(head) != magic)
                throw new InvalidDataException($"{path} is no IDX file of bytes with {dimensions} dimensions.");
            sizes = [.. Enumerable.Range(1, dimensions).Select(i => BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4 * i)))];
            long count = 1;
            foreach (var size in sizes)
            {
                if (size < 0 || (count *= size) > MostValues)
                    throw new InvalidDataException($"{path} claims an impossible size.");
            }

            var values = new byte[count];
            stream.ReadExactly(values);
            return stream.ReadByte() < 0 ? values : throw new InvalidDataException($"{path} goes on after its last value.");
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"{path} ends before its last value.");
        }
    }
}
