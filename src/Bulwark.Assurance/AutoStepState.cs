using System.Numerics;
using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>One batch on its way through <see cref="AutoProjectedGradientDescent"/>.</summary>
internal sealed class AutoStepState<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AutoProjectedGradientDescent _attack;
    private readonly IDifferentiableModel<T> _model;
    private readonly ClimbingRows<T> _climbing;
    private readonly SparseSteps<T>? _sparse;
    private readonly IPointRules<T>? _rules;
    private readonly T[] _original;
    private readonly int[] _labels;
    private readonly bool _aimed;
    private readonly bool[] _mutable;
    private readonly T[] _point;
    private readonly T[] _previous;
    private readonly T[] _best;
    private readonly T[] _bestGradient;
    private readonly T[] _broken;
    private readonly T[] _gradient;
    private readonly T[] _losses;
    private readonly T[] _lastLosses;
    private readonly T[] _stepSizes;
    private readonly T[] _bestAtLastCheck;
    private readonly bool[] _reducedLastCheck;
    private readonly bool[] _brokenNow;
    private readonly bool[] _bestIsBroken;
    private readonly bool[] _over;
    private readonly int[] _gains;

    internal AutoStepState(AutoProjectedGradientDescent attack, IDifferentiableModel<T> model, T[] original, int[] labels, int[] targets, bool[] mutable, IPointRules<T>? rules = null)
    {
        (_attack, _model, _original, _labels, _aimed, _mutable) = (attack, model, original, labels, targets.Length > 0, mutable);
        (_climbing, _rules) = (new(model, new(attack.Loss, attack.Rescaled), labels, targets), rules);
        _sparse = attack.Norm == PerturbationNorm.L1 ? new(labels.Length, model.Inputs, T.CreateTruncating(attack.Epsilon)) : null;
        (_point, _previous, _best, _bestGradient, _broken) = ([.. original], [.. original], [.. original], new T[original.Length], [.. original]);
        _gradient = new T[original.Length];
        (_losses, _lastLosses, BestLosses, _bestAtLastCheck) = (new T[labels.Length], new T[labels.Length], new T[labels.Length], new T[labels.Length]);
        _stepSizes = new T[labels.Length];
        (_brokenNow, _bestIsBroken, _over) = (new bool[labels.Length], new bool[labels.Length], new bool[labels.Length]);
        (_reducedLastCheck, Broken, RuledOut, _gains) = (new bool[labels.Length], new bool[labels.Length], new bool[labels.Length], new int[labels.Length]);
    }

    internal T[] BestLosses { get; }

    internal bool[] Broken { get; }

    /// <summary>Rows whose climb ended because the target seemed out of reach.</summary>
    internal bool[] RuledOut { get; }

    internal T[] BestPoints => _best;

    private PerturbationBall<T> Ball => new(_attack.Norm, T.CreateTruncating(_attack.Epsilon), _mutable);

    internal void Run()
    {
        if (_attack.RandomStart)
        {
            RandomStarts.Scatter(Ball, _original, _point, _model.Inputs, _attack.Seed);
            _point.CopyTo(_previous, 0);
            _point.CopyTo(_best, 0);
        }

        if (Evaluate())
            return;
        _losses.CopyTo(BestLosses, 0);
        _losses.CopyTo(_bestAtLastCheck, 0);
        _brokenNow.CopyTo(_bestIsBroken, 0);
        _gradient.CopyTo(_bestGradient, 0);
        _climbing.Leave(_over);
        _stepSizes.AsSpan().Fill(T.CreateTruncating(_attack.Norm == PerturbationNorm.L1 ? _attack.Epsilon : 2 * _attack.Epsilon));
        _reducedLastCheck.AsSpan().Fill(true);
        using var periods = _attack.Periods().GetEnumerator();
        periods.MoveNext();
        var sinceCheck = 0;
        for (var step = 0; step < _attack.Steps && _climbing.Rows.Length > 0; step++)
        {
            Move(step == 0 ? T.One : T.CreateTruncating(0.75));
            if (step > 0)
                _losses.CopyTo(_lastLosses, 0);   // at the first step 0 stands for the start's loss, as in the authors' code
            if (Evaluate())
                return;
            Remember();
            _climbing.Leave(_over);
            if (++sinceCheck != periods.Current)
                continue;
            Check(periods.Current);
            _climbing.Leave(_over);
            sinceCheck = 0;
            periods.MoveNext();
        }
    }

    internal void CopyStrongest(Span<T> adversarial)
    {
        for (var row = 0; row < _labels.Length; row++)
            Row(Broken[row] && !_bestIsBroken[row] ? _broken : _best, row).CopyTo(adversarial[(row * _model.Inputs)..]);
    }

    /// <summary>Loss and gradient at the points; the latest misclassified point is kept. True when the rules say that nothing is left to do.</summary>
    private bool Evaluate()
    {
        var outputs = _model.Outputs;
        var logits = _climbing.Forward(_point, _losses);
        for (var i = 0; i < _climbing.Rows.Length; i++)
        {
            var row = _climbing.Rows[i];
            var one = logits.Slice(i * outputs, outputs);
            _brokenNow[row] = LossFunction.Predict(one) != _labels[row];
            if (!_brokenNow[row])
                continue;
            Broken[row] = true;
            Row(_point, row).CopyTo(Row(_broken, row));
            _rules?.Visit(row, Row(_point, row));
            _over[row] = _attack.VerdictOnly && _rules is null && ClimbEnds.ClearlyWrong(one, _labels[row]);
        }

        _climbing.Backward(_gradient);
        if (_rules is null)
            return false;
        foreach (var row in _climbing.Rows)
            _rules.Penalise(row, Row(_point, row), ref _losses[row], Row(_gradient, row));
        return _rules.Settle();
    }

    private void Move(T momentum)
    {
        var ball = Ball;
        Span<T> ahead = new T[_model.Inputs];
        foreach (var row in _climbing.Rows)
        {
            var original = Row(_original, row);
            var point = Row(_point, row);
            var previous = Row(_previous, row);
            var gradient = Row(_gradient, row);
            ball.Mask(gradient);
            point.CopyTo(ahead);
            Step(row, gradient, ahead);
            ball.Project(original, ahead);
            if (_attack.Norm != PerturbationNorm.L1)
            {
                StepKernels.Lean(point, previous, momentum, ahead);
                ball.Project(original, ahead);
            }

            _rules?.Repair(row, ahead);
            point.CopyTo(previous);
            ahead.CopyTo(point);
        }
    }

    private void Step(int row, ReadOnlySpan<T> gradient, Span<T> ahead)
    {
        switch (_attack.Norm)
        {
            case PerturbationNorm.Linf:
                StepKernels.AddSigns(gradient, _stepSizes[row], ahead);
                break;
            case PerturbationNorm.L2:
                TensorPrimitives.MultiplyAdd(gradient, _stepSizes[row] / (TensorPrimitives.Norm(gradient) + T.CreateTruncating(1e-12)), ahead, ahead);
                break;
            default:
                _sparse!.Step(row, gradient, _stepSizes[row], ahead);
                break;
        }
    }

    private void Remember()
    {
        foreach (var row in _climbing.Rows)
        {
            if (_losses[row] > _lastLosses[row])
                _gains[row]++;
            if (!_over[row] && !(_losses[row] > BestLosses[row]))
                continue;
            BestLosses[row] = T.Max(_losses[row], BestLosses[row]);
            _bestIsBroken[row] = _brokenNow[row];
            Row(_point, row).CopyTo(Row(_best, row));
            Row(_gradient, row).CopyTo(Row(_bestGradient, row));
        }
    }

    /// <summary>Algorithm 1, conditions 1 and 2: too few gains, or nothing gained at an unchanged step size. In L1 the sparsity decides instead.</summary>
    private void Check(int period)
    {
        foreach (var row in _climbing.Rows)
        {
            if (_sparse is not null)
            {
                if (_sparse.Adapt(row, Row(_original, row), Row(_best, row), ref _stepSizes[row]))
                    Restart(row);
                continue;
            }

            var fewGains = _gains[row] <= period * _attack.Rho;
            var stuck = !_reducedLastCheck[row] && _bestAtLastCheck[row] >= BestLosses[row];
            var reduce = fewGains || stuck;
            _reducedLastCheck[row] = reduce;
            _bestAtLastCheck[row] = BestLosses[row];
            _gains[row] = 0;
            _over[row] = RuledOut[row] = _attack.VerdictOnly && _aimed && _rules is null && ClimbEnds.Hopeless(BestLosses[row], Row(_bestGradient, row), Ball, Row(_original, row), Row(_best, row));
            if (!reduce)
                continue;
            _stepSizes[row] /= T.CreateTruncating(2);
            Restart(row);
        }
    }

    private void Restart(int row)
    {
        Row(_best, row).CopyTo(Row(_point, row));
        Row(_bestGradient, row).CopyTo(Row(_gradient, row));
    }

    private Span<T> Row(T[] matrix, int row) => matrix.AsSpan(row * _model.Inputs, _model.Inputs);
}
