using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>The nearest misclassified point in L2, by Adam on distance plus a weighted margin, the weight found by bisection for each row.</summary>
/// <remarks>
/// Source: Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", IEEE S&amp;P 2017, section V.B (arXiv:1608.04644): box by the hyperbolic tangent, confidence 0. Values that may not
/// move stay. Deterministic. Immutable and thread-safe.
/// </remarks>
internal sealed record CarliniWagner
{
    private const float Beta1 = 0.9f, Beta2 = 0.999f;

    /// <summary>Steps for each weight.</summary>
    internal int Steps { get; init; } = 100;

    /// <summary>Weights tried.</summary>
    internal int Weights { get; init; } = 6;

    internal float Rate { get; init; } = 0.05f;

    internal double FirstWeight { get; init; } = 1;

    /// <summary>Perturbs each row; <paramref name="points"/> receives the nearest misclassified point met, or the row.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inputs">Shape (rows, Inputs), in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="mutable">Shape (Inputs); empty for all.</param>
    /// <param name="points">Shape (rows, Inputs); overwritten.</param>
    internal void Run(IDifferentiableModel<float> model, float[] inputs, int[] labels, bool[] mutable, float[] points)
    {
        inputs.CopyTo(points, 0);
        var width = model.Inputs;
        for (var at = 0; at < labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, labels.Length - at);
            new Descent(this, model, inputs[(at * width)..((at + count) * width)], labels[at..(at + count)], mutable).Run(points.AsSpan(at * width, count * width));
        }
    }

    /// <summary>One batch.</summary>
    private sealed class Descent(CarliniWagner attack, IDifferentiableModel<float> model, float[] inputs, int[] labels, bool[] mutable)
    {
        private readonly int _width = model.Inputs;
        private readonly double[] _nearest = [.. Enumerable.Repeat(double.PositiveInfinity, labels.Length)];

        internal void Run(Span<float> best)
        {
            var rows = labels.Length;
            var (low, high, weight) = (new double[rows], Enumerable.Repeat(double.PositiveInfinity, rows).ToArray(), Enumerable.Repeat(attack.FirstWeight, rows).ToArray());
            for (var trial = 0; trial < attack.Weights; trial++)
            {
                var won = Descend(weight, best);
                for (var row = 0; row < rows; row++)
                {
                    (low[row], high[row]) = won[row] ? (low[row], Math.Min(high[row], weight[row])) : (Math.Max(low[row], weight[row]), high[row]);
                    weight[row] = double.IsPositiveInfinity(high[row]) ? weight[row] * 10 : (low[row] + high[row]) / 2;
                }
            }
        }

        private bool[] Descend(double[] weight, Span<float> best)
        {
            var (rows, won) = (labels.Length, new bool[labels.Length]);
            float[] w = [.. inputs.Select(value => MathF.Atanh(float.Clamp((2 * value) - 1, -0.999999f, 0.999999f)))];
            var (points, first, second) = (new float[w.Length], new float[w.Length], new float[w.Length]);
            var (gradient, slopes, losses) = (new float[w.Length], new float[rows * model.Outputs], new float[rows]);
            for (var step = 1; step <= attack.Steps; step++)
            {
                for (var i = 0; i < w.Length; i++)
                    points[i] = MayMove(i) ? (MathF.Tanh(w[i]) + 1) / 2 : inputs[i];
                LossFunction.Evaluate(Loss.Margin, model.Forward(points, rows), labels, model.Outputs, losses, slopes);
                for (var row = 0; row < rows; row++)
                {
                    Keep(row, losses[row], points, best, won);
                    for (var k = 0; k < model.Outputs; k++)   // past the boundary only the distance counts
                        slopes[(row * model.Outputs) + k] = losses[row] > 0 ? 0 : (float)-weight[row] * slopes[(row * model.Outputs) + k];
                }

                model.Backward(slopes, gradient);
                for (var i = 0; i < w.Length; i++)
                {
                    if (!MayMove(i))
                        continue;
                    var tanh = MathF.Tanh(w[i]);
                    var slope = (gradient[i] + (2 * (points[i] - inputs[i]))) * (1 - (tanh * tanh)) / 2;
                    first[i] = (Beta1 * first[i]) + ((1 - Beta1) * slope);
                    second[i] = (Beta2 * second[i]) + ((1 - Beta2) * slope * slope);
                    w[i] -= attack.Rate * (first[i] / (1 - MathF.Pow(Beta1, step))) / (MathF.Sqrt(second[i] / (1 - MathF.Pow(Beta2, step))) + 1e-8f);
                }
            }

            return won;
        }

        private bool MayMove(int at) => mutable.Length == 0 || mutable[at % _width];

        private void Keep(int row, float margin, float[] points, Span<float> best, bool[] won)
        {
            if (!(margin > 0))
                return;
            won[row] = true;
            var point = points.AsSpan(row * _width, _width);
            double distance = PerturbationBall<float>.Distance(PerturbationNorm.L2, point, inputs.AsSpan(row * _width, _width));
            if (distance >= _nearest[row])
                return;
            _nearest[row] = distance;
            point.CopyTo(best[(row * _width)..]);
        }
    }
}
