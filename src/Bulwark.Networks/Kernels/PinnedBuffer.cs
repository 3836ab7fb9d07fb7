namespace Bulwark.Networks.Kernels;

/// <summary>Zeroed memory that stays where it is, from a cache line on.</summary>
internal sealed unsafe class PinnedBuffer<T>
    where T : unmanaged
{
    private const int LineBytes = 64;
    private readonly T[] _memory;

    internal PinnedBuffer(int length)
    {
        _memory = GC.AllocateArray<T>(checked(length + (LineBytes / sizeof(T))), pinned: true);
        Length = length;
        fixed (T* start = _memory)
            Data = (T*)(((nint)start + LineBytes - 1) & ~(nint)(LineBytes - 1));
    }

    internal PinnedBuffer(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    internal int Length { get; }

    /// <summary>First element; valid as long as this object is reachable.</summary>
    internal T* Data { get; }

    internal Span<T> Span => new(Data, Length);
}
