namespace Bulwark.Networks;

/// <summary>One rectified convolution: a square window, the same step both ways, zeros around the image.</summary>
/// <param name="Channels">Planes that it writes; above 0.</param>
/// <param name="Kernel">Side of the window; above 0.</param>
/// <param name="Stride">Step from one window to the next; above 0 and at most <paramref name="Kernel"/>.</param>
/// <param name="Padding">Zeros on each side; at least 0 and below <paramref name="Kernel"/>.</param>
public sealed record Convolution(int Channels, int Kernel, int Stride = 1, int Padding = 0)
{
    /// <summary>What the layer makes of <paramref name="image"/>: ⌊(size + 2·padding − kernel) / stride⌋ + 1 values a side.</summary>
    /// <param name="image">What it reads.</param>
    public ImageShape Of(ImageShape image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new(Channels, Side(image.Height), Side(image.Width));
    }

    private int Side(int size) => size + (2 * Padding) < Kernel ? 0 : ((size + (2 * Padding) - Kernel) / Stride) + 1;

    /// <summary><c>c16k4s2p1</c>.</summary>
    public override string ToString() => $"c{Channels}k{Kernel}s{Stride}p{Padding}";
}
