using System.Text;

namespace Bulwark.Data;

/// <summary>Gives one string object for equal texts where that is cheap: as many places as there are, the newest text keeps each.</summary>
internal sealed class Utf8Pool
{
    private const int LongestPooled = 64;

    private readonly (byte[] Bytes, string Text)[] _places = new (byte[], string)[1024];

    internal string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > LongestPooled)
            return Encoding.UTF8.GetString(utf8);
        var hash = 2166136261u;   // FNV-1a: spreads well enough over 1024 places
        foreach (var b in utf8)
            hash = unchecked((hash ^ b) * 16777619u);
        ref var place = ref _places[hash % (uint)_places.Length];
        if (place.Text is null || !utf8.SequenceEqual(place.Bytes))
            place = (utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        return place.Text;
    }
}
