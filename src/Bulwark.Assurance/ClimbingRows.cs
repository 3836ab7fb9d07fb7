using System.Numerics;

namespace Bulwark.Assurance;

/// <summary>The rows of a batch that still climb: the model is asked about them alone.</summary>
/// <remarks>While all climb, nothing is copied.</remarks>
internal sealed class ClimbingRows<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IDifferentiableModel<T> _model;
    private readonly AttackObjective _objective;
    private readonly int[] _labels;
    private readonly int[] _targets;
    private readonly T[] _outputGradient;
    private int[] _nowLabels;
    private int[] _nowTargets;
    private T[] _points = [];
    private T[] _gradient = [];
    private T[] _losses = [];

    internal ClimbingRows(IDifferentiableModel<T> model, AttackObjective objective, int[] labels, int[] targets)
    {
        (_model, _objective, _labels, _targets, _nowLabels, _nowTargets) = (model, objective, labels, targets, labels, targets);
        _outputGradient = new T[labels.Length * model.Outputs];
        Rows = [.. Enumerable.Range(0, labels.Length)];
    }

    /// <summary>Which they are, ascending.</summary>
    internal int[] Rows { get; private set; }

    private bool All => Rows.Length == _labels.Length;

    /// <summary>Leaves out rows whose climb is over.</summary>
    internal void Leave(bool[] over)
    {
        if (!Rows.Any(row => over[row]))
            return;
        Rows = [.. Rows.Where(row => !over[row])];
        _nowLabels = [.. Rows.Select(row => _labels[row])];
        _nowTargets = _targets.Length == 0 ? [] : [.. Rows.Select(row => _targets[row])];
        if (_points.Length == 0)
            (_points, _gradient, _losses) = (new T[_labels.Length * _model.Inputs], new T[_labels.Length * _model.Inputs], new T[_labels.Length]);
    }

    /// <summary>The logits at the climbing rows' points, in their order; losses and their slopes go to the rows' places.</summary>
    internal ReadOnlySpan<T> Forward(T[] points, T[] losses)
    {
        ReadOnlySpan<T> asked = points;
        if (!All)
        {
            for (var i = 0; i < Rows.Length; i++)
                Row(points, Rows[i]).CopyTo(Row(_points, i));
            asked = _points.AsSpan(0, Rows.Length * _model.Inputs);
        }

        var logits = _model.Forward(asked, Rows.Length);
        var found = All ? losses : _losses;
        _objective.Evaluate(logits, _nowLabels, _nowTargets, _model.Outputs, found.AsSpan(0, Rows.Length), _outputGradient.AsSpan(0, Rows.Length * _model.Outputs));
        for (var i = 0; i < Rows.Length; i++)
            losses[Rows[i]] = found[i];
        return logits;
    }

    /// <summary>After <see cref="Forward"/>: the losses' gradients, to the rows' places.</summary>
    internal void Backward(T[] gradient)
    {
        var slopes = _outputGradient.AsSpan(0, Rows.Length * _model.Outputs);
        if (All)
        {
            _model.Backward(slopes, gradient);
            return;
        }

        _model.Backward(slopes, _gradient.AsSpan(0, Rows.Length * _model.Inputs));
        for (var i = 0; i < Rows.Length; i++)
            Row(_gradient, i).CopyTo(Row(gradient, Rows[i]));
    }

    private Span<T> Row(T[] matrix, int row) => matrix.AsSpan(row * _model.Inputs, _model.Inputs);
}
