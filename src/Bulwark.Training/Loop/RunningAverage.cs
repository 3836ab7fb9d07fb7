using System.Numerics.Tensors;

namespace Bulwark.Training.Loop;

/// <summary>The model out of the iterates.</summary>
/// <param name="kind">Which of them count.</param>
/// <param name="parameters">Their length.</param>
/// <param name="newest">What the newest counts in an exponential average.</param>
internal sealed class RunningAverage(IterateAverage kind, int parameters, float newest = 0.05f)
{
    private readonly float[] _mean = new float[parameters];
    private int _count;

    internal void Add(ReadOnlySpan<float> iterate, double done)
    {
        if (kind == IterateAverage.SecondHalf && done < 0.5)
            return;
        _count++;
        var weight = kind switch
        {
            IterateAverage.SecondHalf => 1f / _count,
            IterateAverage.Exponential => Math.Max(newest, 1f / _count),
            _ => 1,
        };
        TensorPrimitives.Lerp(_mean, iterate, weight, _mean);
    }

    internal void CopyTo(Span<float> network)
    {
        if (_count > 0)
            _mean.CopyTo(network);
    }
}
