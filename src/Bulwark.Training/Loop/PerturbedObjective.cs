using System.Numerics.Tensors;

namespace Bulwark.Training.Loop;

/// <summary>Σ wᵢ·ln(1 + e^(−yᵢ(xᵢ·θ + offset))) + λ/2·‖θ‖² + linear·θ, in double precision; the last of a row's values is a constant, whose weight is the intercept.</summary>
/// <param name="rows">Rows and labels.</param>
/// <param name="centre">How rows are seen.</param>
/// <param name="length">Longest a row may be, its constant included; a longer one is shortened.</param>
/// <param name="positiveWeight">What a positive row's loss counts.</param>
/// <param name="offset">Added to every logit.</param>
/// <param name="linear">Shape (width + 1).</param>
/// <param name="lambda">Strength of the regulariser, the intercept's included.</param>
internal sealed class PerturbedObjective(EncodedDataset rows, InputCentre? centre, double length, double positiveWeight, double offset, double[] linear, double lambda)
{
    private const int Part = 1024;

    /// <summary>The value; <paramref name="gradient"/> is overwritten.</summary>
    internal double Evaluate(double[] weights, double[] gradient)
    {
        var parts = (rows.Rows + Part - 1) / Part;
        var (values, sums) = (new double[parts], new double[parts][]);
        Parallel.For(0, parts, part => values[part] = Sum(weights, part * Part, Math.Min(rows.Rows, (part + 1) * Part), sums[part] = new double[gradient.Length]));
        TensorPrimitives.MultiplyAdd(weights, lambda, linear, gradient);
        foreach (var sum in sums)
            TensorPrimitives.Add(gradient, sum, gradient);
        return values.Sum() + (lambda / 2 * TensorPrimitives.SumOfSquares<double>(weights)) + TensorPrimitives.Dot<double>(linear, weights);
    }

    private double Sum(double[] weights, int from, int to, double[] gradient)
    {
        var (seen, row, value) = (new float[rows.Width], new double[rows.Width + 1], 0.0);
        for (var i = from; i < to; i++)
        {
            Load(i, seen, row);
            var logit = TensorPrimitives.Dot<double>(row, weights) + offset;
            var (sign, weight) = rows.Labels[i] == 1 ? (1, positiveWeight) : (-1, 1);
            var margin = sign * logit;
            value += weight * (Math.Max(0, -margin) + Math.Log(1 + Math.Exp(-Math.Abs(margin))));
            TensorPrimitives.MultiplyAdd(row, -sign * weight / (1 + Math.Exp(margin)), gradient, gradient);
        }

        return value;
    }

    /// <summary>A row that is not finite counts as its constant alone.</summary>
    internal void Load(int index, float[] seen, double[] row)
    {
        if (centre is null)
            rows.Row(index).CopyTo(seen);
        else
            centre.Apply(rows.Row(index), seen);
        TensorPrimitives.ConvertTruncating<float, double>(seen, row.AsSpan(0, seen.Length));
        row[^1] = 1;
        var own = TensorPrimitives.Norm<double>(row);
        if (!double.IsFinite(own))
            row.AsSpan(0, seen.Length).Clear();
        else if (own > length)
            TensorPrimitives.Multiply(row, length / own * (1 - 1e-12), row);
    }
}
