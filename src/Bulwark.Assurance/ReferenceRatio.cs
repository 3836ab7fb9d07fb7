namespace Bulwark.Assurance;

/// <summary>The relative membership attack, offline: in how many comparisons with rows of the population a row gains more from the attacked model than from reference models.</summary>
/// <remarks>Source: Zarifzadeh, Liu, Shokri, "Low-Cost High-Power Membership Inference Attacks", ICML 2024, equations 2 and 10 (arXiv:2312.03262).</remarks>
public static class ReferenceRatio
{
    /// <summary>One score a row, a share from 0 to 1; larger means more likely a member.</summary>
    /// <param name="target">The attacked model's probability of each row's own class.</param>
    /// <param name="references">For each row, the same by reference models that were not trained on it.</param>
    /// <param name="populationTarget">The attacked model's, of rows of the population.</param>
    /// <param name="populationReferences">The reference models', of those.</param>
    /// <param name="offline">a: how reference models without a row stand for the average over all models, 0 to 1; 1 takes them as they are.</param>
    /// <exception cref="ArgumentException">Lengths differ, or there is nothing to compare with.</exception>
    public static double[] Scores(double[] target, double[][] references, double[] populationTarget, double[][] populationReferences, double offline)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(references);
        ArgumentNullException.ThrowIfNull(populationTarget);
        ArgumentNullException.ThrowIfNull(populationReferences);
        if (target.Length != references.Length || populationTarget.Length != populationReferences.Length || populationTarget.Length == 0)
            throw new ArgumentException("Each row needs its reference models' probabilities, and the population at least one row.", nameof(references));
        if (references.Concat(populationReferences).Any(row => row.Length == 0))
            throw new ArgumentException("A row is in every reference model's training set.", nameof(references));
        double[] gains = [.. populationTarget.Select((probability, row) => Gain(probability, populationReferences[row], offline)).Order()];
        return [.. target.Select((probability, row) => (double)Below(gains, Gain(probability, references[row], offline)) / gains.Length)];
    }

    private static double Gain(double probability, double[] references, double offline) =>
        Math.Max(probability, 1e-30) / ((((1 + offline) / 2) * references.Average()) + ((1 - offline) / 2));

    /// <summary>How many of the population's gains this one is more than one times as large as.</summary>
    private static int Below(double[] sorted, double gain)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (gain / sorted[middle] > 1)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
