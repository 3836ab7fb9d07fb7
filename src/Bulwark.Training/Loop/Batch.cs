namespace Bulwark.Training.Loop;

/// <summary>Rows gathered for one step.</summary>
internal sealed class Batch(int capacity, int width)
{
    internal float[] Features { get; } = new float[capacity * width];

    internal int[] Labels { get; } = new int[capacity];

    internal float[] Weights { get; } = new float[capacity];

    internal int Rows { get; private set; }

    internal ReadOnlySpan<float> Inputs => Features.AsSpan(0, Rows * width);

    internal ReadOnlySpan<int> Classes => Labels.AsSpan(0, Rows);

    internal void Load(EncodedDataset data, ReadOnlySpan<int> rows, InputCentre? centre = null)
    {
        Rows = rows.Length;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = Features.AsSpan(i * width, width);
            if (centre is null)
                data.Row(rows[i]).CopyTo(row);
            else
                centre.Apply(data.Row(rows[i]), row);
            Labels[i] = data.Labels[rows[i]];
        }
    }

    /// <summary>Every row's loss times <paramref name="share"/>, a positive one's times <paramref name="positive"/> as well.</summary>
    internal ReadOnlySpan<float> Weigh(double positive, double share)
    {
        for (var i = 0; i < Rows; i++)
            Weights[i] = (float)(Labels[i] == 1 ? positive * share : share);
        return Weights.AsSpan(0, Rows);
    }
}
