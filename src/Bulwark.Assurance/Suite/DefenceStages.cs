using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Noise on every value. A draw adds the same noise to every row: a row's answer does not depend on its place in a batch.</summary>
/// <param name="width">Numbers in a row.</param>
/// <param name="deviation">Standard deviation, in encoded units.</param>
internal sealed class NoiseStage(int width, double deviation) : IInputStage<float>
{
    public void Forward(ReadOnlySpan<float> points, ulong draw, Span<float> output)
    {
        var draws = new SeededDraws(draw);
        float[] noise = [.. Enumerable.Range(0, width).Select(_ => (float)(deviation * draws.Normal()))];
        for (var i = 0; i < points.Length; i++)
            output[i] = points[i] + noise[i % width];
    }
}

/// <summary>Values rounded to so many levels: no derivative anywhere but the one that stands in for it.</summary>
/// <param name="levels">At least 2.</param>
/// <param name="standIn">Whether the identity stands in for the derivative; else attacks see the true one, which is 0.</param>
internal sealed class LevelStage(int levels, bool standIn) : IInputStage<float>
{
    public void Forward(ReadOnlySpan<float> points, ulong draw, Span<float> output)
    {
        for (var i = 0; i < points.Length; i++)
            output[i] = MathF.Round(points[i] * (levels - 1)) / (levels - 1);
    }

    public void Backward(ReadOnlySpan<float> points, ReadOnlySpan<float> outputGradient, Span<float> inputGradient)
    {
        if (standIn)
            outputGradient.CopyTo(inputGradient);
        else
            inputGradient.Clear();
    }
}

/// <summary>A network behind a stage, as the defender would serve it: what attacks on the network alone would not see.</summary>
/// <remarks>Averaged over draws an answer is always the same; with one draw every question is answered with noise of its own.</remarks>
internal sealed class StagedScorer : IScorer
{
    private readonly Lock _lock = new();
    private readonly FeatureEncoder _encoder;
    private readonly IDifferentiableModel<float> _inner;
    private readonly IInputStage<float> _stage;
    private readonly int _draws;
    private ulong _question;

    /// <param name="encoder">Turns raw rows into the network's.</param>
    /// <param name="inner">The network, with one logit or two.</param>
    /// <param name="stage">What stands before it.</param>
    /// <param name="draws">Draws that an answer is the mean of.</param>
    internal StagedScorer(FeatureEncoder encoder, IDifferentiableModel<float> inner, IInputStage<float> stage, int draws)
    {
        (_encoder, _inner, _stage, _draws) = (encoder, inner, stage, draws);
        Gradients = new StagedModel<float>(inner, stage, draws);
    }

    public int Width => _encoder.Width;

    public int Classes => 1;

    /// <summary>What attacks climb: the mean of the same draws, the stage's stand-in backwards.</summary>
    internal IDifferentiableModel<float> Gradients { get; }

    public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
    {
        lock (_lock)
        {
            var answering = _draws > 1 ? Gradients : new StagedModel<float>(_inner, _stage, 1, ++_question);
            for (var at = 0; at < rows; at += _inner.MaxRows)
            {
                var count = int.Min(_inner.MaxRows, rows - at);
                var points = new float[count * _encoder.EncodedWidth];
                _encoder.Encode(rawRows.Slice(at * Width, count * Width), count, points);
                var logits = answering.Forward(points, count);
                for (var row = 0; row < count; row++)
                {
                    var lead = _inner.Outputs == 1 ? logits[row] : logits[(row * 2) + 1] - logits[row * 2];
                    probabilities[at + row] = (float)(1 / (1 + Math.Exp(-(double)lead)));
                }
            }
        }
    }

    public void Dispose()
    {
    }
}
