using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance;

/// <summary>Trains by a recipe once more, private ones without a ledger: for rows that are made up, and for shadow models, which an attacker keeps to himself.</summary>
internal static class RecipeRun
{
    internal static DenseNetwork<float> Train(EncodedDataset rows, TrainingOptions options, ulong seed, CancellationToken cancel)
    {
        options = options with { Seed = seed };
        if (options.Private is null)
            return Trainer.Train(rows, null, options, cancel: cancel).Network;
        if (options.Additive is not null)
        {
            var binned = new BinnedRows(rows);
            return new AdditiveLoop(options, binned).Descend(AdditivePlan.Of(options, binned.Features), null, cancel);
        }

        if (options.Private.ObjectivePerturbation)
            return new ObjectiveLoop(options).Minimise(rows, ObjectivePlan.Of(options), null, cancel).Network;
        var network = Trainer.NewNetwork(rows, options);
        using var parts = new PrivateParts(Environment.ProcessorCount);
        new PrivateLoop(network, options).Descend(rows, options.Selection is null ? PrivatePlan.Of(options) : SelectionLoop.Plan(options), parts, null, cancel);
        return network;
    }
}
