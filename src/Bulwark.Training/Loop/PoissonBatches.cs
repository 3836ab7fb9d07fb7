using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>Poisson batches and their account in one type: who draws by it is accounted by it, with the same probability.</summary>
/// <param name="Probability">Chance of each row to be in a batch, independently; above 0, at most 1.</param>
internal readonly record struct PoissonBatches(double Probability)
{
    /// <summary>What so many steps cost, each one query on its own fresh batch, empty ones included.</summary>
    internal PrivacyEvent Event(PrivacyEvent query, long steps) => new SelfComposedEvent(new PoissonSampledEvent(Probability, query), steps);

    /// <summary>One fresh batch; may be empty.</summary>
    internal void Draw(int rows, SecureRandom random, List<int> batch) => random.PoissonSample(rows, Probability, batch);

    /// <summary>The public number that sums are divided by; the batch's own size would be one more release.</summary>
    internal double ExpectedSize(double rows) => Probability * rows;
}
