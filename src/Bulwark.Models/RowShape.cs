namespace Bulwark.Models;

/// <summary>The one check that every method on rows begins with.</summary>
internal static class RowShape
{
    internal static void Require(int length, int rows, int width, string name)
    {
        if (rows < 0 || length != (long)rows * width)
            throw new ArgumentException($"{length} values are not {rows} rows of {width}.", name);
    }
}
