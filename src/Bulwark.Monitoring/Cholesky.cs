using System.Diagnostics.CodeAnalysis;

namespace Bulwark.Monitoring;

/// <summary>Cholesky factors, packed by rows: row i of a lower triangle has i + 1 values.</summary>
internal static class Cholesky
{
    /// <summary>L with L·Lᵀ = matrix + ridge·I; false when that sum is not positive definite by a safe margin.</summary>
    internal static bool TryFactor(ReadOnlySpan<double> matrix, int width, double ridge, [NotNullWhen(true)] out double[]? factor)
    {
        factor = null;
        var lower = new double[width * (width + 1) / 2];
        for (int i = 0, row = 0; i < width; row += ++i)
            for (int j = 0, other = 0; j <= i; other += ++j)
            {
                var sum = matrix[(i * width) + j] + (i == j ? ridge : 0);
                for (var k = 0; k < j; k++)
                    sum -= lower[row + k] * lower[other + k];
                if (i != j)
                    lower[row + j] = sum / lower[other + j];
                else if (sum > ridge * 1e-3)
                    lower[row + i] = double.Sqrt(sum);
                else
                    return false;
            }

        factor = lower;
        return true;
    }

    /// <summary>The inverse of a packed lower triangle, packed alike.</summary>
    internal static double[] InvertLower(ReadOnlySpan<double> lower, int width)
    {
        var inverse = new double[lower.Length];
        for (int i = 0, row = 0; i < width; row += ++i)
        {
            inverse[row + i] = 1 / lower[row + i];
            for (var j = 0; j < i; j++)
            {
                var sum = 0d;
                for (var k = j; k < i; k++)
                    sum += lower[row + k] * inverse[(k * (k + 1) / 2) + j];
                inverse[row + j] = -sum / lower[row + i];
            }
        }

        return inverse;
    }
}
