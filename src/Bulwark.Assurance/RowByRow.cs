namespace Bulwark.Assurance;

/// <summary>What searches that take raw rows one by one have in common.</summary>
internal static class RowByRow
{
    /// <summary>Looks for one row's way out: a row that can be sent and paid and is misread, or null; and how many questions that took.</summary>
    internal delegate (float[]? Found, int Asked) Search(float[] original, int label);

    /// <summary>Perturbs raw rows.</summary>
    /// <param name="width">Numbers in a raw row.</param>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="adversarial">Shape (rows, Width); overwritten: what was found, or the original.</param>
    /// <param name="spent">Shape (rows), or empty: questions asked for each row.</param>
    /// <param name="search">Takes a row and its label.</param>
    /// <returns>Which rows the model gets wrong.</returns>
    internal static bool[] Run(int width, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, Span<float> adversarial, Span<int> spent, Search search)
    {
        if (raw.Length != labels.Length * width || adversarial.Length != raw.Length)
            throw new ArgumentException($"{raw.Length} values do not make {labels.Length} rows of {width}.", nameof(raw));
        raw.CopyTo(adversarial);
        var wrong = new bool[labels.Length];
        for (var row = 0; row < labels.Length; row++)
        {
            var (found, asked) = search(raw.Slice(row * width, width).ToArray(), labels[row]);
            wrong[row] = found is not null;
            found?.CopyTo(adversarial[(row * width)..]);
            if (!spent.IsEmpty)
                spent[row] = asked;
        }

        return wrong;
    }
}
