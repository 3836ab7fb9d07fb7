namespace Bulwark.Networks.Kernels;

/// <summary>
/// A row-major matrix in pinned memory that the kernel may overrun on purpose: rows and columns are padded to whole tiles,
/// rows start on a cache line, and a row takes an odd number of lines so that a column does not fall into few cache sets.
/// </summary>
internal sealed unsafe class PaddedMatrix<T>
    where T : unmanaged
{
    private const int LineBytes = 64;
    private readonly T[] _memory;

    internal PaddedMatrix(int rows, int columns)
    {
        Columns = columns;
        Stride = StrideFor(columns);
        Capacity = RoundUp(rows, MatrixProduct.TileRows);
        _memory = GC.AllocateArray<T>(checked((Capacity * Stride) + (LineBytes / sizeof(T))), pinned: true);
        fixed (T* start = _memory)
            Data = (T*)(((nint)start + LineBytes - 1) & ~(nint)(LineBytes - 1));
    }

    /// <summary>Columns that carry values.</summary>
    internal int Columns { get; }

    /// <summary>Elements from one row to the next.</summary>
    internal int Stride { get; }

    /// <summary>Rows, whole tiles.</summary>
    internal int Capacity { get; }

    /// <summary>First element; valid as long as this object is reachable.</summary>
    internal T* Data { get; }

    internal Span<T> Row(int row) => new(Data + ((nint)row * Stride), Columns);

    internal T* RowPointer(int row) => Data + ((nint)row * Stride);

    private static int StrideFor(int columns)
    {
        var line = LineBytes / sizeof(T);
        var needed = int.Max(RoundUp(columns + 1, MatrixProduct.TileRows), RoundUp(columns + 1, MatrixProduct.TileColumns<T>()));
        var lines = (needed + line - 1) / line;
        return (lines | 1) * line;
    }

    private static int RoundUp(int value, int multiple) => checked((value + multiple - 1) / multiple * multiple);
}
