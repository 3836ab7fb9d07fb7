using System.Buffers.Binary;
using System.IO.Compression;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Tests.Datasets;

public sealed class IdxImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Images_and_labels_are_read(bool zipped)
    {
        var (shape, rows) = IdxImages.Read(Write("i", [.. Head(0x803, 2, 1, 3), 0, 255, 51, 1, 2, 3], zipped), Write("l", [.. Head(0x801, 2), 9, 0], zipped));
        Assert.Equal(new ImageShape(1, 1, 3), shape);
        Assert.Equal([0f, 1f, 0.2f, 1 / 255f, 2 / 255f, 3 / 255f], rows.Features);
        Assert.Equal([9, 0], rows.Labels);
    }

    [Theory]
    [InlineData(0x801, 2, 6, 0, "no IDX file")]
    [InlineData(0x803, 3, 6, 0, "ends before")]
    [InlineData(0x803, 2, 6, 1, "goes on")]
    [InlineData(0x803, -1, 6, 0, "impossible size")]
    [InlineData(0x803, 1 << 29, 6, 0, "impossible size")]
    [InlineData(0x803, 2, 6, 0, "2 images")]
    public void What_is_no_such_pair_is_refused(int magic, int count, int pixels, int more, string reason)
    {
        var images = Write("i", [.. Head((uint)magic, count, 1, 3), .. new byte[pixels + more]], zipped: false);
        var fault = Assert.Throws<InvalidDataException>(() => IdxImages.Read(images, Write("l", [.. Head(0x801, 3), 1, 2, 3], zipped: false)));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    private string Write(string name, byte[] bytes, bool zipped)
    {
        var path = Path.Combine(_folder.Path, name);
        using Stream stream = zipped ? new GZipStream(File.Create(path), CompressionLevel.Fastest) : File.Create(path);
        stream.Write(bytes);
        return path;
    }

    private static byte[] Head(uint magic, params int[] sizes)
    {
        var head = new byte[4 * (sizes.Length + 1)];
        BinaryPrimitives.WriteUInt32BigEndian(head, magic);
        for (var i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4 * (i + 1)), sizes[i]);
        return head;
    }
}
