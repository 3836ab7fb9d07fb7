namespace Bulwark.Training;

/// <summary>Rows that a network learns from: encoded features in [0, 1] and a label each.</summary>
public sealed class EncodedDataset
{
    /// <param name="features">Shape (rows, width), row-major; kept, not copied.</param>
    /// <param name="width">Numbers in an encoded row; above 0.</param>
    /// <param name="labels">Shape (rows): 1 positive, 0 negative; kept, not copied.</param>
    /// <param name="quantities">Shape (width): which columns are scaled quantities; empty for none. Others are 0 or 1.</param>
    /// <param name="sources">Shape (width): the feature that each column comes from; empty when nobody said.</param>
    /// <exception cref="ArgumentException">The arrays do not have the same number of rows, or a list is not of the width.</exception>
    public EncodedDataset(float[] features, int width, int[] labels, IReadOnlyList<bool>? quantities = null, IReadOnlyList<int>? sources = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (features.Length != (long)labels.Length * width)
            throw new ArgumentException($"{features.Length} values are not {labels.Length} rows of {width}.", nameof(features));
        if (quantities is { Count: > 0 } && quantities.Count != width)
            throw new ArgumentException($"A mask of {quantities.Count} does not fit rows of {width}.", nameof(quantities));
        if (sources is { Count: > 0 } && sources.Count != width)
            throw new ArgumentException($"{sources.Count} sources do not fit rows of {width}.", nameof(sources));
        Sources = sources ?? [];
        Quantities = quantities ?? [];
        Features = features;
        Width = width;
        Labels = labels;
    }

    /// <summary>Shape (<see cref="Rows"/>, <see cref="Width"/>), row-major, values in [0, 1].</summary>
    public float[] Features { get; }

    /// <summary>Shape (<see cref="Rows"/>): 1 positive, 0 negative.</summary>
    public int[] Labels { get; }

    /// <summary>Shape (<see cref="Width"/>): which columns are scaled quantities; empty when nobody said.</summary>
    public IReadOnlyList<bool> Quantities { get; }

    /// <summary>Shape (<see cref="Width"/>): index of the feature that each column comes from; empty when nobody said.</summary>
    public IReadOnlyList<int> Sources { get; }

    /// <summary>How many rows.</summary>
    public int Rows => Labels.Length;

    /// <summary>Numbers in a row.</summary>
    public int Width { get; }

    /// <summary>One row's features.</summary>
    public ReadOnlySpan<float> Row(int row) => Features.AsSpan(row * Width, Width);

    /// <summary>How many rows are positive.</summary>
    public int Positives => Labels.Count(label => label == 1);
}
