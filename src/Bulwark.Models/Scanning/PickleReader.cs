using System.Buffers.Binary;
using System.Text;

namespace Bulwark.Models.Scanning;

/// <summary>The codes of a pickle and their arguments, from a file of any length; what a code carries is passed over, not read. Past the end everything is empty and <see cref="RanOut"/> is true.</summary>
/// <param name="stream">Seekable.</param>
internal sealed class PickleReader(Stream stream)
{
    private const int LongestText = 4096;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _next, _filled;

    internal bool RanOut { get; private set; }

    internal bool TryByte(out byte value)
    {
        if (_next == _filled)
            (_next, _filled) = (0, stream.Read(_buffer));
        value = _next < _filled ? _buffer[_next++] : (byte)0;
        return _filled > 0;
    }

    internal long Fixed(int size)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Clear();
        for (var i = 0; i < size; i++)
        {
            if (!TryByte(out wide[i]))
            {
                RanOut = true;
                return 0;
            }
        }

        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    /// <summary>Passes over as many bytes as the count says.</summary>
    /// <returns>How many.</returns>
    internal long Counted(int sizeOfCount)
    {
        var size = Fixed(sizeOfCount);
        Skip(size);
        return RanOut ? 0 : size;
    }

    /// <summary>The beginning of a text that follows its length.</summary>
    internal string Text(int sizeOfCount)
    {
        var size = Fixed(sizeOfCount);
        if (size < 0 || size > Left)
        {
            RanOut = true;
            return "";
        }

        var kept = new byte[Math.Min(size, LongestText)];
        for (var i = 0; i < kept.Length; i++)
            _ = TryByte(out kept[i]);
        Skip(size - kept.Length);
        return Encoding.UTF8.GetString(kept);
    }

    /// <summary>The beginning of what stands before the next line feed, which may be the end of the file.</summary>
    internal string Line()
    {
        var kept = new List<byte>();
        while (TryByte(out var value) && value != (byte)'\n')
        {
            if (kept.Count < LongestText)
                kept.Add(value);
        }

        return Encoding.UTF8.GetString([.. kept]);
    }

    private long Left => stream.Length - stream.Position + _filled - _next;

    private void Skip(long size)
    {
        if (size < 0 || size > Left)
        {
            RanOut = true;
            return;
        }

        var buffered = (int)Math.Min(size, _filled - _next);
        _next += buffered;
        stream.Seek(size - buffered, SeekOrigin.Current);
    }
}
