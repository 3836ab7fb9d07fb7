using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>A binary model asked about raw rows: how far each is on the positive side.</summary>
internal abstract class RowModel
{
    /// <summary>Numbers in a raw row.</summary>
    internal abstract int Width { get; }

    /// <summary>Log odds minus the threshold's, a row: at or above 0 is positive; NaN is no decision.</summary>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="rows">How many.</param>
    /// <param name="leads">Shape (rows); overwritten.</param>
    internal abstract void Lead(ReadOnlySpan<float> raw, int rows, Span<float> leads);

    /// <summary>How far a lead is on the wrong side of a label: above 0 when misclassified, or when there is no decision.</summary>
    internal static float Against(float lead, int label) => float.IsNaN(lead) ? float.PositiveInfinity : label == 1 ? (lead >= 0 ? -lead : float.Max(-lead, float.Epsilon)) : lead >= 0 ? float.Max(lead, float.Epsilon) : lead;

    internal static bool IsWrong(float lead, int label) => float.IsNaN(lead) || (lead >= 0) != (label == 1);
}

/// <summary>Any scorer: probabilities, as it answers.</summary>
internal sealed class ScoredRows(IScorer scorer, double threshold) : RowModel
{
    private readonly float _offset = (float)Math.Log(threshold / (1 - threshold));

    internal override int Width => scorer.Width;

    internal override void Lead(ReadOnlySpan<float> raw, int rows, Span<float> leads)
    {
        scorer.Score(raw, rows, leads);
        for (var row = 0; row < rows; row++)
        {
            // The decision is the probability's; the logarithm only spreads what saturates.
            var (probability, positive) = ((double)leads[row], leads[row] >= threshold);
            if (double.IsNaN(probability))
                continue;
            var lead = (float)(Math.Log(Math.Max(probability, 1e-30) / Math.Max(1 - probability, 1e-30)) - _offset);
            leads[row] = positive ? float.Max(lead, 0) : float.Min(lead, -float.Epsilon);
        }
    }
}

/// <summary>A network behind its encoder: logits, which do not saturate.</summary>
internal sealed class NetworkRows(FeatureEncoder encoder, IDifferentiableModel<float> model, double threshold) : RowModel
{
    private readonly float _offset = (float)Math.Log(threshold / (1 - threshold));
    private float[] _encoded = [];

    internal override int Width => encoder.Width;

    internal override void Lead(ReadOnlySpan<float> raw, int rows, Span<float> leads)
    {
        for (var at = 0; at < rows; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, rows - at);
            if (_encoded.Length < count * encoder.EncodedWidth)
                _encoded = new float[count * encoder.EncodedWidth];
            var encoded = _encoded.AsSpan(0, count * encoder.EncodedWidth);
            encoder.Encode(raw.Slice(at * Width, count * Width), count, encoded);
            var logits = model.Forward(encoded, count);
            for (var row = 0; row < count; row++)
                leads[at + row] = (model.Outputs == 1 ? logits[row] : logits[(row * 2) + 1] - logits[row * 2]) - _offset;
        }
    }
}

/// <summary>A binary network whose logits are moved so that its decision falls at another probability than one half.</summary>
internal sealed class ThresholdModel(IDifferentiableModel<float> inner, double threshold) : IDifferentiableModel<float>
{
    private readonly float _offset = (float)Math.Log(threshold / (1 - threshold));
    private float[] _logits = [];

    public int Inputs => inner.Inputs;

    public int Outputs => inner.Outputs;

    public int MaxRows => inner.MaxRows;

    public ReadOnlySpan<float> Forward(ReadOnlySpan<float> points, int rows)
    {
        var logits = inner.Forward(points, rows);
        if (_offset == 0)
            return logits;
        if (_logits.Length < logits.Length)
            _logits = new float[MaxRows * Outputs];
        logits.CopyTo(_logits);
        for (var row = 0; row < rows; row++)
            _logits[(row * Outputs) + Outputs - 1] -= _offset;
        return _logits.AsSpan(0, logits.Length);
    }

    public void Backward(ReadOnlySpan<float> outputGradient, Span<float> inputGradient) => inner.Backward(outputGradient, inputGradient);
}
