using System.Numerics.Tensors;

namespace Bulwark.Assurance.Ownership;

/// <summary>The log odds of a probability, kept finite.</summary>
internal static class Logit
{
    private const double Least = 1e-6;   // what a model that answers 0 or 1 outright is taken to mean

    internal static double Of(double probability)
    {
        var kept = Math.Clamp(probability, Least, 1 - Least);
        return Math.Log(kept / (1 - kept));
    }
}

/// <summary>Correlation of two lists after what other lists explain is taken out of both, by least squares with a constant.</summary>
internal sealed class PartialCorrelation
{
    private readonly List<double[]> _basis = [];

    /// <param name="given">Lists of one length.</param>
    internal PartialCorrelation(IEnumerable<double[]> given)
    {
        foreach (var list in given)
        {
            if (_basis.Count == 0)
                Add([.. list.Select(_ => 1.0)]);
            Add(list);
        }
    }

    /// <returns>-1 to 1; 0 where nothing is left to correlate.</returns>
    internal double Of(double[] one, double[] other)
    {
        var (a, b) = (Residuals(one), Residuals(other));
        var scale = Math.Sqrt(Dot(a, a) * Dot(b, b));
        return scale > 1e-9 ? Math.Clamp(Dot(a, b) / scale, -1, 1) : 0;
    }

    /// <summary>What the given lists leave of <paramref name="values"/>; taken out twice, so that rounding leaves nothing of them.</summary>
    internal double[] Residuals(double[] values)
    {
        double[] rest = [.. values];
        for (var pass = 0; pass < 2; pass++)
        {
            foreach (var direction in _basis)
                TensorPrimitives.MultiplyAdd(direction, -Dot(rest, direction), rest, rest);
        }

        return rest;
    }

    private void Add(double[] list)
    {
        var rest = Residuals(list);
        var length = Math.Sqrt(Dot(rest, rest));
        if (length > 1e-9 * Math.Sqrt(Dot(list, list)))
            _basis.Add([.. rest.Select(value => value / length)]);
    }

    private static double Dot(double[] one, double[] other) => TensorPrimitives.Dot<double>(one, other);
}
