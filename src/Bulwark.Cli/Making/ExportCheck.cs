using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>Holds an exported graph against the network that it was made from, on rows of the test set.</summary>
internal static class ExportCheck
{
    /// <summary>Largest difference of a score, beside what rounding makes of large weights.</summary>
    internal const double Tolerance = 1e-5;

    /// <summary>The largest difference of a score over all rows.</summary>
    /// <param name="onnx">The exported graph, which takes raw rows.</param>
    /// <param name="network">The trained network.</param>
    /// <param name="test">Raw rows.</param>
    /// <param name="encoded">The same rows encoded.</param>
    /// <param name="expected">The network's score of each.</param>
    /// <exception cref="CommandException">The graph scores a row differently.</exception>
    internal static double RequireSameScores(byte[] onnx, DenseNetwork<float> network, Dataset test, EncodedDataset encoded, float[] expected)
    {
        using var scorer = new OnnxScorer(onnx);
        var scored = new float[test.Rows];
        scorer.Score(test.Raw, test.Rows, scored);
        var rounding = Rounding(network, encoded);
        var (worst, isSame) = (0.0, true);
        for (var i = 0; i < scored.Length; i++)
        {
            var difference = Math.Abs((double)scored[i] - expected[i]);
            worst = Math.Max(worst, difference);
            isSame &= difference <= Tolerance + rounding[i];   // NaN is not the same
        }

        return isSame ? worst
            : throw new CommandException($"The exported graph scores differently from the trained network, by up to {worst:g3} on the test rows; nothing was written.");
    }

    /// <summary>What two orders of summation in single precision may differ by, as a score.</summary>
    /// <remarks>
    /// Unit roundoff times the root of the number of terms (Higham and Mary, SIAM J. Sci. Comput. 41(5), 2019) times the sum of all terms' sizes, which is the
    /// same network with every weight made positive; a sigmoid's slope is at most one quarter. Weights grow large where noise drowns the gradients.
    /// </remarks>
    private static double[] Rounding(DenseNetwork<float> network, EncodedDataset rows)
    {
        var sizes = network.ToDouble();
        foreach (ref var weight in sizes.Parameters)
            weight = Math.Abs(weight);
        var sums = new double[rows.Rows];
        sizes.Forward(Array.ConvertAll(rows.Features, value => (double)value), rows.Rows, sums);
        var terms = network.Shape.Inputs + network.Shape.Hidden.Sum() + network.Shape.Hidden.Count + 1;
        var unit = 0.25 * Math.Sqrt(terms) * Math.Pow(2, -24);
        return Array.ConvertAll(sums, sum => unit * sum);
    }
}
