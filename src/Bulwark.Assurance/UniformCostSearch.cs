using System.Runtime.InteropServices;

namespace Bulwark.Assurance;

/// <summary>Rows in the order of what they cost: the first that is misread is the cheapest of all that single changes lead to.</summary>
/// <remarks>
/// Source: Kireev et al., "Adversarial Robustness for Tabular Data through Cost and Utility Awareness", NDSS 2023, section 4 (arXiv:2208.13058): uniform-cost graph
/// search, by answers alone. Where the questions run out nothing is said of what is dearer. Deterministic. Immutable and thread-safe.
/// </remarks>
internal sealed record UniformCostSearch
{
    private const int Batch = 32;
    private const double Alike = 1e-3;

    /// <summary>How far a row may go; its budget is what may be spent.</summary>
    internal required TabularReach Reach { get; init; }

    /// <summary>Questions that a row may cost.</summary>
    internal int Queries { get; init; } = 10_000;

    /// <inheritdoc cref="PriceSearch.Run"/>
    internal bool[] Run(RowModel model, TabularSpace space, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, Span<float> adversarial, Span<int> spent = default) =>
        RowByRow.Run(space.Encoder.Width, raw, labels, adversarial, spent, (original, label) => Cheapest(model, space, original, label));

    private (float[]? Found, int Asked) Cheapest(RowModel model, TabularSpace space, float[] original, int label)
    {
        var (changes, ahead, known, asked) = (new SingleChanges(space, Reach, original), new PriorityQueue<float[], double>(), new HashSet<string>(), 0);
        ahead.Enqueue(original, 0);
        known.Add(Name(original));
        while (ahead.Count > 0 && asked < Queries)
        {
            // Rows of as good as the same price are asked together, none before its turn.
            var batch = new List<float[]>();
            ahead.TryPeek(out _, out var cheapest);
            while (batch.Count < int.Min(Batch, Queries - asked) && ahead.TryPeek(out var next, out var price) && price <= cheapest + Math.Max(cheapest * Alike, 1e-9))
            {
                batch.Add(next);
                ahead.Dequeue();
            }

            var leads = new float[batch.Count];
            model.Lead(batch.SelectMany(row => row).ToArray(), batch.Count, leads);
            asked += batch.Count;
            for (var i = 0; i < batch.Count; i++)
            {
                if (RowModel.IsWrong(leads[i], label))
                    return (batch[i], asked);
            }

            foreach (var row in batch)
            {
                var paid = space.Constraints.Cost(row, original);
                foreach (var (child, price) in changes.Of(row))
                {
                    if (price >= paid && ahead.Count < Queries * 8 && known.Add(Name(child)))
                        ahead.Enqueue(child, price);
                }
            }
        }

        return (null, asked);
    }

    private static string Name(float[] row) => Convert.ToBase64String(MemoryMarshal.AsBytes<float>(row));
}
