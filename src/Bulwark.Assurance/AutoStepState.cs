using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>One batch on its way through <see cref="AutoProjectedGradientDescent"/>.</summary>
internal sealed class AutoStepState<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AutoProjectedGradientDescent _attack;
    private readonly NetworkGradients<T> _gradients;
    private readonly NetworkShape _shape;
    private readonly Loss _loss;
    private readonly T[] _original;
    private readonly int[] _labels;
    private readonly bool[] _mutable;
    private readonly T[] _point;
    private readonly T[] _previous;
    private readonly T[] _best;
    private readonly T[] _bestGradient;
    private readonly T[] _broken;
    private readonly T[] _gradient;
    private readonly T[] _outputGradient;
    private readonly T[] _losses;
    private readonly T[] _lastLosses;
    private readonly T[] _stepSizes;
    private readonly T[] _bestAtLastCheck;
    private readonly bool[] _reducedLastCheck;
    private readonly bool[] _brokenNow;
    private readonly bool[] _bestIsBroken;
    private readonly int[] _gains;

    internal AutoStepState(AutoProjectedGradientDescent attack, NetworkGradients<T> gradients, NetworkShape shape, T[] original, int[] labels, bool[] mutable)
    {
        (_attack, _gradients, _shape, _original, _labels, _mutable) = (attack, gradients, shape, original, labels, mutable);
        _loss = attack.Loss ?? LossFunction.LogLoss(shape.Outputs);
        (_point, _previous, _best, _bestGradient, _broken) = ([.. original], [.. original], [.. original], new T[original.Length], [.. original]);
        (_gradient, _outputGradient) = (new T[original.Length], new T[labels.Length * shape.Outputs]);
        (_losses, _lastLosses, BestLosses, _bestAtLastCheck) = (new T[labels.Length], new T[labels.Length], new T[labels.Length], new T[labels.Length]);
        _stepSizes = new T[labels.Length];
        (_brokenNow, _bestIsBroken) = (new bool[labels.Length], new bool[labels.Length]);
        (_reducedLastCheck, Broken, _gains) = (new bool[labels.Length], new bool[labels.Length], new int[labels.Length]);
    }

    internal T[] BestLosses { get; }

    internal bool[] Broken { get; }

    internal T[] BestPoints => _best;

    internal void Run()
    {
        Evaluate();
        _losses.CopyTo(BestLosses, 0);
        _losses.CopyTo(_bestAtLastCheck, 0);
        _brokenNow.CopyTo(_bestIsBroken, 0);
        _gradient.CopyTo(_bestGradient, 0);
        _stepSizes.AsSpan().Fill(T.CreateTruncating(2 * _attack.Epsilon));
        _reducedLastCheck.AsSpan().Fill(true);
        using var periods = _attack.Periods().GetEnumerator();
        periods.MoveNext();
        var sinceCheck = 0;
        for (var step = 0; step < _attack.Steps; step++)
        {
            Move(step == 0 ? T.One : T.CreateTruncating(0.75));
            if (step > 0)
                _losses.CopyTo(_lastLosses, 0);   // at the first step 0 stands for the start's loss, as in the authors' code
            Evaluate();
            Remember();
            if (++sinceCheck != periods.Current)
                continue;
            Check(periods.Current);
            sinceCheck = 0;
            periods.MoveNext();
        }
    }

    internal void CopyStrongest(Span<T> adversarial)
    {
        for (var row = 0; row < _labels.Length; row++)
            Row(Broken[row] && !_bestIsBroken[row] ? _broken : _best, row).CopyTo(adversarial[(row * _shape.Inputs)..]);
    }

    /// <summary>Loss and gradient at the points; the latest misclassified point is kept.</summary>
    private void Evaluate()
    {
        var logits = _gradients.Forward(_point, _labels.Length);
        LossFunction.Evaluate(_loss, logits, _labels, _shape.Outputs, _losses, _outputGradient);
        for (var row = 0; row < _labels.Length; row++)
        {
            _brokenNow[row] = LossFunction.Predict(logits.Slice(row * _shape.Outputs, _shape.Outputs)) != _labels[row];
            if (!_brokenNow[row])
                continue;
            Broken[row] = true;
            Row(_point, row).CopyTo(Row(_broken, row));
        }

        _gradients.BackwardToInputs(_outputGradient, _gradient);
    }

    private void Move(T momentum)
    {
        var ball = new PerturbationBall<T>(PerturbationNorm.Linf, T.CreateTruncating(_attack.Epsilon), _mutable);
        Span<T> ahead = new T[_shape.Inputs];
        for (var row = 0; row < _labels.Length; row++)
        {
            var original = Row(_original, row);
            var point = Row(_point, row);
            var previous = Row(_previous, row);
            var gradient = Row(_gradient, row);
            ball.Mask(gradient);
            for (var j = 0; j < ahead.Length; j++)
                ahead[j] = point[j] + (_stepSizes[row] * (gradient[j] > T.Zero ? T.One : gradient[j] < T.Zero ? -T.One : T.Zero));
            ball.Project(original, ahead);
            for (var j = 0; j < ahead.Length; j++)
                ahead[j] = point[j] + ((ahead[j] - point[j]) * momentum) + ((point[j] - previous[j]) * (T.One - momentum));
            ball.Project(original, ahead);
            point.CopyTo(previous);
            ahead.CopyTo(point);
        }
    }

    private void Remember()
    {
        for (var row = 0; row < _labels.Length; row++)
        {
            if (_losses[row] > _lastLosses[row])
                _gains[row]++;
            if (!(_losses[row] > BestLosses[row]))
                continue;
            BestLosses[row] = _losses[row];
            _bestIsBroken[row] = _brokenNow[row];
            Row(_point, row).CopyTo(Row(_best, row));
            Row(_gradient, row).CopyTo(Row(_bestGradient, row));
        }
    }

    /// <summary>Algorithm 1, conditions 1 and 2: too few gains, or nothing gained at an unchanged step size.</summary>
    private void Check(int period)
    {
        for (var row = 0; row < _labels.Length; row++)
        {
            var fewGains = _gains[row] <= period * _attack.Rho;
            var stuck = !_reducedLastCheck[row] && _bestAtLastCheck[row] >= BestLosses[row];
            var reduce = fewGains || stuck;
            _reducedLastCheck[row] = reduce;
            _bestAtLastCheck[row] = BestLosses[row];
            _gains[row] = 0;
            if (!reduce)
                continue;
            _stepSizes[row] /= T.CreateTruncating(2);
            Row(_best, row).CopyTo(Row(_point, row));
            Row(_bestGradient, row).CopyTo(Row(_gradient, row));
        }
    }

    private Span<T> Row(T[] matrix, int row) => matrix.AsSpan(row * _shape.Inputs, _shape.Inputs);
}
