namespace Bulwark.Networks.Kernels;

/// <summary>How images lie in memory: pixel after pixel with all channels together, rows of pixels, images; zeros around each image.</summary>
/// <param name="Pixel">Elements from one pixel to the next.</param>
/// <param name="Row">Elements from one row to the next.</param>
/// <param name="Image">Elements from one image to the next.</param>
/// <param name="Origin">Where the first image's first pixel is, behind the zeros.</param>
internal readonly record struct PixelGrid(int Pixel, int Row, int Image, int Origin)
{
    /// <summary>Images of that size with <paramref name="before"/> zero pixels above and left of each, in a frame of that many rows and columns.</summary>
    internal static PixelGrid Framed(int pixel, int before, int height, int width)
    {
        var row = checked(width * pixel);
        return new(pixel, row, checked(height * row), (before * row) + (before * pixel));
    }

    internal nint At(int image, int y, int x) => Origin + ((nint)image * Image) + ((nint)y * Row) + ((nint)x * Pixel);

    /// <summary>Channels rounded up to whole tiles of columns, which the kernel writes.</summary>
    internal static int WholeTiles<T>(int channels)
        where T : unmanaged => (channels + MatrixProduct.TileColumns<T>() - 1) / MatrixProduct.TileColumns<T>() * MatrixProduct.TileColumns<T>();

    /// <summary>A table of rows, its last entry repeated to whole tiles: the repeats write the same values again.</summary>
    internal static PinnedBuffer<nint> Table(List<nint> rows)
    {
        while (rows.Count % MatrixProduct.TileRows != 0)
            rows.Add(rows[^1]);
        return new(rows.ToArray());
    }
}
