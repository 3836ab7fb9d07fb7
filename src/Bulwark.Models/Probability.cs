namespace Bulwark.Models;

/// <summary>Logits to probabilities, row by row.</summary>
internal static class Probability
{
    /// <param name="logits">Shape (rows, outputs).</param>
    /// <param name="outputs">1: the logistic function; 2: softmax, of which the second column is kept; more: softmax.</param>
    /// <param name="probabilities">Shape (rows, 1) for one or two outputs, else (rows, outputs).</param>
    /// <exception cref="InvalidDataException">A logit is not finite.</exception>
    internal static void FromLogits(ReadOnlySpan<float> logits, int outputs, Span<float> probabilities)
    {
        foreach (var logit in logits)
        {
            if (!float.IsFinite(logit))
                throw new InvalidDataException($"The model gives {logit}, which is no score: its weights are damaged or far too large.");
        }

        if (outputs > 2)
        {
            for (var start = 0; start < logits.Length; start += outputs)
                Softmax(logits.Slice(start, outputs), probabilities.Slice(start, outputs));
            return;
        }

        // Softmax over two logits is the logistic function of their difference.
        for (var row = 0; row < probabilities.Length; row++)
            probabilities[row] = Logistic(outputs == 1 ? logits[row] : logits[(2 * row) + 1] - logits[2 * row]);
    }

    private static float Logistic(float logit)
    {
        var small = MathF.Exp(-MathF.Abs(logit));
        return (logit < 0 ? small : 1) / (1 + small);
    }

    private static void Softmax(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        var highest = float.NegativeInfinity;
        foreach (var logit in logits)
            highest = MathF.Max(highest, logit);
        var sum = 0f;
        for (var column = 0; column < logits.Length; column++)
            sum += probabilities[column] = MathF.Exp(logits[column] - highest);
        for (var column = 0; column < logits.Length; column++)
            probabilities[column] /= sum;
    }
}
