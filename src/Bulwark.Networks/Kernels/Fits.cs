namespace Bulwark.Networks.Kernels;

/// <summary>Argument checks that the room's spans share.</summary>
internal static class Fits
{
    internal static void Rows(int length, int rows, int width, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (length != (long)rows * width)
            throw new ArgumentException($"{length} values do not make {rows} rows of {width}.", name);
    }

    internal static void Length(int length, int expected, string name)
    {
        if (length != expected)
            throw new ArgumentException($"{length} values where {expected} are needed.", name);
    }
}
