namespace Bulwark.Networks.Kernels;

/// <summary>What a tile of the product starts from.</summary>
internal enum TileStart
{
    /// <summary>Zero.</summary>
    Zero,

    /// <summary>One row, the same for all: a bias.</summary>
    Row,

    /// <summary>What the destination holds.</summary>
    Destination,
}

/// <summary>What happens to a finished tile.</summary>
internal enum TileFinish
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>max(0, value).</summary>
    Rectify,

    /// <summary>The value where the gate matrix is above 0, else 0: the derivative of the rectifier.</summary>
    Gate,
}

/// <summary>One product: destination (rows × columns) = left (rows × depth) · right (depth × columns), all padded to whole tiles.</summary>
/// <remarks>Left is addressed by two strides, so that a transposed left costs no copy. Gate has the destination's stride.</remarks>
internal unsafe struct ProductArguments<T>
    where T : unmanaged
{
    internal T* Left;
    internal nint LeftRowStride;
    internal nint LeftDepthStride;
    internal T* Right;
    internal nint RightStride;
    internal T* Destination;
    internal nint DestinationStride;
    internal T* Bias;
    internal T* Gate;
    internal int Rows;
    internal int Depth;
    internal int Columns;
    internal TileStart Start;
    internal TileFinish Finish;

    /// <summary>The rows from <paramref name="row"/> on.</summary>
    internal readonly ProductArguments<T> FromRow(int row)
    {
        var rest = this;
        rest.Left += row * LeftRowStride;
        rest.Destination += row * DestinationStride;
        rest.Gate += Gate is null ? 0 : row * DestinationStride;
        rest.Rows -= row;
        return rest;
    }
}
