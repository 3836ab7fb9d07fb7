namespace Bulwark.Networks;

/// <summary>An image: <paramref name="Channels"/> planes of <paramref name="Height"/> rows of <paramref name="Width"/> values, in that order (CHW).</summary>
/// <param name="Channels">Above 0.</param>
/// <param name="Height">Above 0.</param>
/// <param name="Width">Above 0.</param>
public sealed record ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Number of values.</summary>
    public int Values => checked(Channels * Height * Width);

    /// <summary>The sizes with crosses: <c>1x28x28</c>.</summary>
    public override string ToString() => $"{Channels}x{Height}x{Width}";
}
