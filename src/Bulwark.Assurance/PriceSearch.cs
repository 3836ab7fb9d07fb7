namespace Bulwark.Assurance;

/// <summary>Greedy search under a budget: of all single changes that can still be paid, the one that raises the score most for its price, until the row is misread or the money is spent.</summary>
/// <remarks>
/// After the greedy attack of Kireev et al., "Adversarial Robustness for Tabular Data through Cost and Utility Awareness", NDSS 2023 (arXiv:2208.13058), by answers alone: whole
/// numbers move by powers of two, quantities by halves of what the budget allows, categories to each other. A second pass takes the largest gain whatever its price. Deterministic. Immutable and thread-safe.
/// </remarks>
internal sealed record PriceSearch
{
    private const double Cheapest = 1e-9;

    /// <summary>How far a row may go; its budget is what may be spent.</summary>
    internal required TabularReach Reach { get; init; }

    /// <summary>Questions that a row may cost.</summary>
    internal int Queries { get; init; } = 10_000;

    /// <summary>Perturbs raw rows.</summary>
    /// <param name="model">The model.</param>
    /// <param name="space">Encoding, constraints and prices.</param>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="adversarial">Shape (rows, Width); overwritten: a row that can be sent and paid and is misread, or the original.</param>
    /// <param name="spent">Shape (rows), or empty: questions asked for each row.</param>
    /// <returns>Which rows the model gets wrong.</returns>
    internal bool[] Run(RowModel model, TabularSpace space, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, Span<float> adversarial, Span<int> spent = default) =>
        RowByRow.Run(space.Encoder.Width, raw, labels, adversarial, spent, (original, label) =>
        {
            var way = new Way(this, model, space, original, label);
            return (way.Climb(byPrice: true) || way.Climb(byPrice: false) ? way.Current : null, way.Asked);
        });

    /// <summary>One row on its way.</summary>
    private sealed class Way(PriceSearch search, RowModel model, TabularSpace space, float[] original, int label)
    {
        private readonly SingleChanges _changes = new(space, search.Reach, original);
        private readonly List<float> _candidates = [];
        private readonly List<double> _prices = [];

        internal float[] Current { get; private set; } = [.. original];

        internal int Asked { get; private set; }

        internal bool Climb(bool byPrice)
        {
            Current = [.. original];
            var against = Ask(Current, 1)[0];
            while (against <= 0 && Asked < search.Queries)
            {
                Propose();
                var count = int.Min(_prices.Count, search.Queries - Asked);
                if (count == 0)
                    return false;
                var scores = Ask(_candidates.ToArray().AsSpan(0, count * original.Length), count);
                var paid = space.Constraints.Cost(Current, original);
                var (best, value) = (-1, 0.0);
                for (var i = 0; i < count; i++)
                {
                    var gain = (double)scores[i] - against;
                    var worth = scores[i] > 0 ? double.PositiveInfinity : byPrice ? gain / Math.Max(_prices[i] - paid, Cheapest) : gain;
                    if (gain > 0 && worth > value)
                        (best, value) = (i, worth);
                }

                if (best < 0)
                    return false;
                (Current, against) = (_candidates.GetRange(best * original.Length, original.Length).ToArray(), scores[best]);
            }

            return against > 0;
        }

        private float[] Ask(ReadOnlySpan<float> rows, int count)
        {
            var leads = new float[count];
            model.Lead(rows, count, leads);
            Asked += count;
            return [.. leads.Select(lead => RowModel.Against(lead, label))];
        }

        private void Propose()
        {
            _candidates.Clear();
            _prices.Clear();
            foreach (var (candidate, price) in _changes.Of(Current))
            {
                _candidates.AddRange(candidate);
                _prices.Add(price);
            }
        }
    }
}
