using System.Globalization;

namespace Bulwark.Cli.Sealing;

/// <summary>A range of bytes as HTTP writes it (RFC 9110 §14.1.2): <c>A-B</c>, <c>A-</c>, <c>-N</c>.</summary>
internal sealed record ByteRange(long? First, long? Last)
{
    internal static ByteRange Parse(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash >= 0 && Number(text[..dash], out var first) && Number(text[(dash + 1)..], out var last) && (first, last) is not (null, null) && !(last < first))
            return new ByteRange(first, last);
        throw new CommandException($"'{text}' is no range of bytes.", "--range 0-1023, --range 1024- or --range -1024");
    }

    /// <summary>Where it begins and how long it is in a content of <paramref name="length"/> bytes.</summary>
    /// <exception cref="CommandException">It begins behind the end.</exception>
    internal (long Offset, long Count) In(long length)
    {
        if (First is null)
            return (Math.Max(0, length - Last!.Value), Math.Min(length, Last.Value));
        if (First >= length)
            throw new CommandException($"The range begins at {First:N0}; the content has {length:N0} bytes.");
        return (First.Value, Math.Min(Last ?? long.MaxValue, length - 1) - First.Value + 1);
    }

    private static bool Number(string text, out long? value)
    {
        value = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        return value is not null || text.Length == 0;
    }
}
