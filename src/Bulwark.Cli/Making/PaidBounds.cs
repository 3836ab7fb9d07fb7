using Bulwark.Models;
using Bulwark.Privacy;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>Replaces bounds that were read off private rows by bounds that were paid for from the ledger.</summary>
internal static class PaidBounds
{
    /// <summary>Pays for each numeric feature without declared bounds.</summary>
    /// <param name="train">Training rows.</param>
    /// <param name="test">Test rows; they get the same schema.</param>
    /// <param name="options">Private options; what is spent here is taken into their ε.</param>
    /// <param name="epsilon">ε for all bounds together; below the run's.</param>
    /// <param name="budget">The data set's budget if it has none.</param>
    /// <param name="dataset">The data set's name in the ledger.</param>
    /// <param name="workspace">Holds the ledger.</param>
    /// <exception cref="CommandException">A feature cannot be paid for (categories), or nothing was found for it.</exception>
    internal static (Dataset Train, Dataset Test, TrainingOptions Options) Apply(
        Dataset train, Dataset test, TrainingOptions options, double epsilon, double? budget, string dataset, Workspace? workspace)
    {
        var names = train.Schema.InferredFeatures();
        if (names.Count == 0)
            return (train, test, options);
        if (workspace is null)
            throw new CommandException("Paid-for bounds are booked in a workspace's ledger; there is no workspace.", "bulwark init");
        var settings = options.Private!;
        if (!(epsilon > 0 && epsilon < settings.Epsilon))
            throw new CommandException($"--bounds-epsilon is {epsilon}; it must be above 0 and below the run's epsilon {settings.Epsilon}.");
        var unpayable = train.Schema.Features.Where(feature => feature.Inferred && feature.Kind is FeatureKind.Categorical or FeatureKind.Binary && feature.Inferred).Select(feature => feature.Name).ToList();
        if (unpayable.Count > 0)
            throw new CommandException($"Kinds and categories read off private rows cannot be paid for: {string.Join(", ", unpayable)}.", "declare them with --schema FILE");

        using var ledger = workspace.OpenLedger();
        if (ledger.BudgetOf(dataset) is null)
            ledger.SetBudget(dataset, new PrivacyBudget(budget ?? settings.Epsilon, settings.Delta));
        var noise = GaussianMechanism.NoiseMultiplier(epsilon, settings.Delta) * Math.Sqrt(names.Count);
        var features = train.Schema.Features.Select((feature, index) => !feature.Inferred ? feature : Bounded(feature, Column(train, index), noise, ledger, dataset)).ToList();
        var schema = train.Schema with { Features = features };
        var spent = new SelfComposedEvent(PrivateBounds.Cost(noise), names.Count);
        return (train.WithSchema(schema), test.WithSchema(schema), options with { Private = settings with { Also = spent } });
    }

    private static Feature Bounded(Feature feature, double[] values, double noise, PrivacyLedger ledger, string dataset)
    {
        var bounds = PrivateBounds.Release(values, noise, ledger, dataset, feature.Name)
            ?? throw new CommandException($"No bounds of {feature.Name} stand out of the noise.", "declare them with --schema FILE");
        var maximum = bounds.Maximum > bounds.Minimum ? bounds.Maximum : bounds.Minimum + 1;
        return feature with { Kind = FeatureKind.Numeric, Minimum = bounds.Minimum, Maximum = maximum, Inferred = false };
    }

    private static double[] Column(Dataset data, int index)
    {
        var values = new double[data.Rows];
        for (var row = 0; row < values.Length; row++)
            values[row] = data.Row(row)[index];
        return values;
    }
}
