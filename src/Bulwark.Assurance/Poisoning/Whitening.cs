namespace Bulwark.Assurance;

/// <summary>Turns rows so that trusted ones vary alike in every direction: what then still stands out is not theirs.</summary>
/// <remarks>Source: Hayase et al., "SPECTRE", ICML 2021 (arXiv:2104.11315), with the covariance of trusted rows in place of a robust estimate.</remarks>
internal sealed class Whitening
{
    private const double Shrinkage = 0.05;
    private readonly int _width;
    private readonly double[] _mean;
    private readonly double[] _lower;

    /// <param name="trusted">Shape (rows, width).</param>
    /// <param name="width">Numbers in a row.</param>
    internal Whitening(double[] trusted, int width)
    {
        (_width, _mean, _lower) = (width, new double[width], new double[width * width]);
        var rows = trusted.Length / width;
        for (var i = 0; i < trusted.Length; i++)
            _mean[i % width] += trusted[i] / rows;
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < width; i++)
            {
                for (var j = 0; j <= i; j++)
                    _lower[(i * width) + j] += (trusted[(row * width) + i] - _mean[i]) * (trusted[(row * width) + j] - _mean[j]) / rows;
            }
        }

        var variance = Enumerable.Range(0, width).Average(i => _lower[(i * width) + i]);
        for (var i = 0; i < width; i++)
        {
            for (var j = 0; j <= i; j++)
                _lower[(i * width) + j] = ((1 - Shrinkage) * _lower[(i * width) + j]) + (i == j ? (Shrinkage * variance) + 1e-12 : 0);
        }

        Factor();
    }

    /// <summary>Solves with the factor, row by row.</summary>
    internal double[] Apply(double[] rows)
    {
        var white = new double[rows.Length];
        for (var at = 0; at < rows.Length; at += _width)
        {
            for (var i = 0; i < _width; i++)
            {
                var sum = rows[at + i] - _mean[i];
                for (var j = 0; j < i; j++)
                    sum -= _lower[(i * _width) + j] * white[at + j];
                white[at + i] = sum / _lower[(i * _width) + i];
            }
        }

        return white;
    }

    /// <summary>Cholesky's factor, in place.</summary>
    private void Factor()
    {
        for (var i = 0; i < _width; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = _lower[(i * _width) + j];
                for (var k = 0; k < j; k++)
                    sum -= _lower[(i * _width) + k] * _lower[(j * _width) + k];
                _lower[(i * _width) + j] = i == j ? Math.Sqrt(Math.Max(sum, 1e-18)) : sum / _lower[(j * _width) + j];
            }
        }
    }
}
