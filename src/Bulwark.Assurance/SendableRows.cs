using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Turns perturbed encoded rows into raw rows that a sender could really send and that lie within the distance claimed.</summary>
internal sealed class SendableRows(FeatureEncoder encoder, double epsilon)
{
    /// <summary>Room for single-precision rounding between a raw value and its encoding.</summary>
    private const float Tolerance = 1e-5f;

    /// <summary>Decodes; a value that rounding carried out of the ball steps back towards its original, and returns to it if that is not enough.</summary>
    internal void Make(ReadOnlySpan<float> perturbed, ReadOnlySpan<float> originalEncoded, ReadOnlySpan<float> originalRaw, int rows, Span<float> raw)
    {
        encoder.Decode(perturbed, rows, originalRaw, raw);
        var again = new float[perturbed.Length];
        for (var attempt = 0; attempt <= 3; attempt++)
        {
            encoder.Encode(raw, rows, again);
            if (!StepBack(again, originalEncoded, originalRaw, raw, last: attempt == 3))
                return;
        }
    }

    private bool StepBack(ReadOnlySpan<float> again, ReadOnlySpan<float> originalEncoded, ReadOnlySpan<float> originalRaw, Span<float> raw, bool last)
    {
        var outside = false;
        for (var i = 0; i < again.Length; i++)
        {
            var (row, column) = int.DivRem(i, encoder.EncodedWidth);
            if (!encoder.MutableMask[column] || Math.Abs(again[i] - originalEncoded[i]) <= epsilon + Tolerance)
                continue;
            outside = true;
            var feature = encoder.Columns[column].Feature;
            ref var value = ref raw[(row * encoder.Width) + feature];
            var original = originalRaw[(row * encoder.Width) + feature];
            if (last)
                value = original;
            else if (encoder.Schema.Features[feature].Kind == FeatureKind.Numeric)
                value = original + ((value - original) * 0.999f);
            else
                value += Math.Sign(original - value);
        }

        return outside;
    }
}
