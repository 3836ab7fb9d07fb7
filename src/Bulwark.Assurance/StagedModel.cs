using System.Numerics;

namespace Bulwark.Assurance;

/// <summary>A stage before the network: a filter, a quantiser, noise.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
public interface IInputStage<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>What the stage makes of rows.</summary>
    /// <param name="points">Shape (rows, inputs).</param>
    /// <param name="draw">Names the draws of a random stage: the same number, the same noise.</param>
    /// <param name="output">As <paramref name="points"/>; overwritten.</param>
    void Forward(ReadOnlySpan<T> points, ulong draw, Span<T> output);

    /// <summary>The derivative that attacks use in its place: the stage's own, or of a smooth stand-in; the identity where the stage nearly leaves rows as they are.</summary>
    /// <param name="points">Shape (rows, inputs).</param>
    /// <param name="outputGradient">By the stage's output.</param>
    /// <param name="inputGradient">Overwritten.</param>
    void Backward(ReadOnlySpan<T> points, ReadOnlySpan<T> outputGradient, Span<T> inputGradient) => outputGradient.CopyTo(inputGradient);
}

/// <summary>A defended model as an attack must see it: true stages forwards, their stand-ins backwards, and the mean over draws of what is random.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <remarks>
/// Source: Athalye, Carlini and Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, sections 4.1 (BPDA) and 4.2 (EOT)
/// (arXiv:1802.00420). The logits are the mean over the draws; the gradient is of that mean. Holds one thread's working memory.
/// </remarks>
public sealed class StagedModel<T> : IDifferentiableModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly IDifferentiableModel<T> _inner;
    private readonly IInputStage<T> _stage;
    private readonly int _draws;
    private readonly ulong _seed;
    private T[] _points = [];
    private T[] _staged = [];
    private T[] _logits = [];
    private T[] _gradient = [];
    private int _rows;

    /// <param name="inner">The model behind the stage.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="draws">Draws that are averaged: 1 for a stage that is not random, at least 20 for one that is.</param>
    /// <param name="seed">Names the draws.</param>
    public StagedModel(IDifferentiableModel<T> inner, IInputStage<T> stage, int draws = 1, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(stage);
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        (_inner, _stage, _draws, _seed) = (inner, stage, draws, seed);
    }

    /// <inheritdoc/>
    public int Inputs => _inner.Inputs;

    /// <inheritdoc/>
    public int Outputs => _inner.Outputs;

    /// <inheritdoc/>
    public int MaxRows => _inner.MaxRows;

    /// <inheritdoc/>
    public ReadOnlySpan<T> Forward(ReadOnlySpan<T> points, int rows)
    {
        (_rows, _points, _staged, _logits) = (rows, points.ToArray(), new T[points.Length], new T[rows * Outputs]);
        for (var draw = 0; draw < _draws; draw++)
        {
            _stage.Forward(_points, _seed + (ulong)draw, _staged);
            var logits = _inner.Forward(_staged, rows);
            for (var k = 0; k < _logits.Length; k++)
                _logits[k] += logits[k] / T.CreateTruncating(_draws);
        }

        return _logits;
    }

    /// <inheritdoc/>
    public void Backward(ReadOnlySpan<T> outputGradient, Span<T> inputGradient)
    {
        inputGradient.Clear();
        if (_gradient.Length != inputGradient.Length)
            _gradient = new T[inputGradient.Length];
        Span<T> through = new T[inputGradient.Length];
        for (var draw = 0; draw < _draws; draw++)
        {
            if (_draws > 1)
            {
                _stage.Forward(_points, _seed + (ulong)draw, _staged);
                _inner.Forward(_staged, _rows);
            }

            _inner.Backward(outputGradient, _gradient);
            _stage.Backward(_points, _gradient, through);
            for (var j = 0; j < through.Length; j++)
                inputGradient[j] += through[j] / T.CreateTruncating(_draws);
        }
    }
}
