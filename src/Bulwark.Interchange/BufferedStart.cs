namespace Bulwark.Interchange;

/// <summary>A stream read forward whose first bytes can be looked at, and whose small reads do not all reach the source.</summary>
internal sealed class BufferedStart : ForwardReader
{
    internal const int HeadSize = 1100;
    private readonly Stream _source;
    private readonly byte[] _buffer = new byte[8192];

    internal BufferedStart(Stream source)
    {
        _source = source;
        Waiting = _buffer.AsMemory(0, source.ReadAtLeast(_buffer.AsSpan(0, HeadSize), HeadSize, throwOnEndOfStream: false));
    }

    /// <summary>The first bytes.</summary>
    internal ReadOnlySpan<byte> Head => Waiting.Span[..Math.Min(HeadSize, Waiting.Length)];

    protected override int? Direct(Span<byte> buffer) => buffer.Length >= _buffer.Length ? _source.Read(buffer) : null;

    protected override bool Fill() => (Waiting = _buffer.AsMemory(0, _source.Read(_buffer))).Length > 0;
}
