namespace Bulwark.Models.Scanning;

/// <summary>Unpacking that a bomb cannot blow up.</summary>
internal static class BoundedCopy
{
    /// <summary>Copies the first <paramref name="most"/> bytes at most.</summary>
    internal static void CopyAtMost(this Stream from, Stream to, int most)
    {
        var buffer = new byte[81920];
        while (most > 0 && from.Read(buffer, 0, Math.Min(buffer.Length, most)) is > 0 and var read)
        {
            to.Write(buffer, 0, read);
            most -= read;
        }
    }
}
