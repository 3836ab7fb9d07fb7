using System.Numerics.Tensors;

namespace Bulwark.Training.Loop;

/// <summary>Finds the minimum of a smooth, strongly convex function to a gradient of a given length.</summary>
/// <remarks>Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", Mathematical Programming 45, 1989; steps are halved until the value falls.</remarks>
/// <param name="evaluate">Value at a place; overwrites the gradient.</param>
internal sealed class LimitedMemoryMinimiser(Func<double[], double[], double> evaluate)
{
    private const int Memory = 12;
    private const int Most = 20_000;
    private readonly List<(double[] Step, double[] Change, double Product)> _pairs = [];

    /// <exception cref="InvalidOperationException">The gradient did not get short enough: rounding stands in the way.</exception>
    internal void Run(double[] place, double tolerance, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var gradient = new double[place.Length];
        var value = evaluate(place, gradient);
        var first = TensorPrimitives.Norm<double>(gradient);
        for (var step = 0; step < Most; step++)
        {
            cancel.ThrowIfCancellationRequested();
            var length = TensorPrimitives.Norm<double>(gradient);
            if (length <= tolerance)
                return;
            progress?.Report(new TrainingProgress(Math.Clamp(Math.Log(first / length) / Math.Log(first / tolerance), 0, 1), "minimising the perturbed objective"));
            var direction = Direction(gradient);
            var slope = TensorPrimitives.Dot<double>(direction, gradient);
            var (next, nextGradient) = (new double[place.Length], new double[place.Length]);
            double nextValue;
            var factor = _pairs.Count == 0 ? 1 / length : 1;
            for (; ; factor /= 2)
            {
                TensorPrimitives.MultiplyAdd(direction, factor, place, next);
                nextValue = evaluate(next, nextGradient);
                // Near the end the value stands still in its last bits: there a shorter gradient decides.
                if (nextValue <= value + (1e-4 * factor * slope) || (nextValue <= value + (1e-12 * Math.Abs(value)) && TensorPrimitives.Norm<double>(nextGradient) < length))
                    break;
                if (factor < 1e-12)
                    throw new InvalidOperationException($"The minimum was not found: the gradient's length is {length:g3}, and at most {tolerance:g3} is granted.");
            }

            Remember(place, next, gradient, nextGradient);
            (value, gradient) = (nextValue, nextGradient);
            next.CopyTo(place, 0);
        }

        throw new InvalidOperationException($"The minimum was not found in {Most} steps.");
    }

    private void Remember(double[] place, double[] next, double[] gradient, double[] nextGradient)
    {
        var (step, change) = (new double[place.Length], new double[place.Length]);
        TensorPrimitives.Subtract<double>(next, place, step);
        TensorPrimitives.Subtract<double>(nextGradient, gradient, change);
        var product = TensorPrimitives.Dot<double>(step, change);
        if (!(product > 0))
            return;
        _pairs.Add((step, change, product));
        if (_pairs.Count > Memory)
            _pairs.RemoveAt(0);
    }

    private double[] Direction(double[] gradient)
    {
        var (direction, factors) = (gradient.ToArray(), new double[_pairs.Count]);
        for (var i = _pairs.Count - 1; i >= 0; i--)
        {
            factors[i] = TensorPrimitives.Dot<double>(_pairs[i].Step, direction) / _pairs[i].Product;
            TensorPrimitives.MultiplyAdd(_pairs[i].Change, -factors[i], direction, direction);
        }

        if (_pairs.Count > 0)
            TensorPrimitives.Multiply(direction, _pairs[^1].Product / TensorPrimitives.SumOfSquares<double>(_pairs[^1].Change), direction);
        for (var i = 0; i < _pairs.Count; i++)
            TensorPrimitives.MultiplyAdd(_pairs[i].Step, factors[i] - (TensorPrimitives.Dot<double>(_pairs[i].Change, direction) / _pairs[i].Product), direction, direction);
        TensorPrimitives.Negate<double>(direction, direction);
        return direction;
    }
}
