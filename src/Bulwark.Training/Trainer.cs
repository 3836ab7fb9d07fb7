using System.Diagnostics;
using Bulwark.Networks;
using Bulwark.Privacy;
using Bulwark.Training.Loop;

namespace Bulwark.Training;

/// <summary>Where a private run's cost is booked.</summary>
/// <param name="Ledger">The ledger.</param>
/// <param name="Dataset">The data set's commitment: its name in the ledger.</param>
public sealed record PrivacyAccount(PrivacyLedger Ledger, string Dataset);

/// <summary>Trains networks: one loop, plain, private, robust, or both.</summary>
public static class Trainer
{
    private const double HeldOut = 0.1;
    private const int FewestHeldOutFrom = 500;

    /// <summary>Trains a network with one logit, or with one a class where there are more than two.</summary>
    /// <param name="train">Rows in [0, 1] with labels from 0.</param>
    /// <param name="validation">Rows for choosing the epoch; null holds out a tenth of <paramref name="train"/>. Not looked at when private.</param>
    /// <param name="options">What to do.</param>
    /// <param name="account">Where the cost is booked, before any noise is drawn; required when private.</param>
    /// <param name="progress">Told often.</param>
    /// <param name="cancel">Stops between steps. A private run that was stopped has still spent its budget.</param>
    /// <exception cref="ArgumentException">The options have faults, or no account was given for a private run.</exception>
    /// <exception cref="PrivacyBudgetException">The ledger refuses; nothing was trained.</exception>
    public static TrainedNetwork Train(
        EncodedDataset train, EncodedDataset? validation, TrainingOptions options, PrivacyAccount? account = null,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(options);
        var faults = Faults(train, options, account).ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        var started = Stopwatch.GetTimestamp();
        if (options.Additive is not null)
            return new AdditiveLoop(options, new BinnedRows(train)).Run(account, started, progress, cancel);
        if (options.Private is { ObjectivePerturbation: true })
            return new ObjectiveLoop(options).Run(train, account!, started, progress, cancel);
        if (options.Selection is not null)
            return new SelectionLoop(options).Run(train, account!, started, progress, cancel);
        var network = NewNetwork(train, options);
        if (options.Private is not null)
            return new PrivateLoop(network, options).Run(train, account!, started, progress, cancel);
        if (validation is null && options.KeepBest && train.Rows >= FewestHeldOutFrom)
            (train, validation) = HoldOut(train, options.Seed);
        if (options.Members > 1)
            return EnsembleLoop.Run(options, train, validation, started, progress, cancel);
        return new PlainLoop(network, options).Run(train, validation, started, progress, cancel);
    }

    /// <summary>A network before training: weights by the seed, the last bias by the declared base rate.</summary>
    internal static DenseNetwork<float> NewNetwork(EncodedDataset train, TrainingOptions options)
    {
        var shape = new NetworkShape(train.Width, options.Hidden, options.Classes == 2 ? 1 : options.Classes) { Convolutions = options.Convolutions };
        var network = DenseNetwork<float>.Create(shape, options.Seed);
        if (options.BaseRate is { } rate)
            network.Biases(options.Hidden.Count)[0] = (float)Math.Log(options.PositiveWeight * rate / (1 - rate));
        return network;
    }

    /// <summary>What a private run of these options will release; known before it starts, and the same whatever the rows are.</summary>
    /// <param name="options">Private options, sound ones.</param>
    /// <param name="features">Number of features, which an additive model's releases go by; of no meaning for the others.</param>
    /// <exception cref="ArgumentException">The options are not private or have faults.</exception>
    public static PrivacyEvent Cost(TrainingOptions options, int features)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Private is null || options.Faults().Any())
            throw new ArgumentException("Only a private run of sound options has a cost.", nameof(options));
        if (options.Private.ObjectivePerturbation)
            return ObjectivePlan.Of(options).Event;
        return options.Selection is { } selection ? SelectionLoop.Booked(selection, SelectionLoop.Plan(options).Event)
            : options.Additive is null ? PrivatePlan.Of(options).Event : AdditivePlan.Of(options, features).Event;
    }

    /// <summary>Probabilities of the positive class.</summary>
    /// <param name="network">A network with one logit.</param>
    /// <param name="rows">Encoded rows.</param>
    public static float[] Score(DenseNetwork<float> network, EncodedDataset rows)
    {
        var scores = new float[rows.Rows];
        network.Forward(rows.Features, rows.Rows, scores);
        System.Numerics.Tensors.TensorPrimitives.Sigmoid(scores, scores);
        return scores;
    }

    private static IEnumerable<string> Faults(EncodedDataset train, TrainingOptions options, PrivacyAccount? account)
    {
        foreach (var fault in options.Faults())
            yield return fault;
        if (train.Rows == 0)
            yield return "There are no rows to train on.";
        if (options.Private is not null && account is null)
            yield return "A private run books its cost before it starts: give the ledger and the data set's commitment.";
        if (options.Additive is not null && (train.Sources.Count == 0 || train.Quantities.Contains(true)))
            yield return "An additive model needs every number in bins: declare them, or give a number of bins.";
        if (train.Labels.Any(label => label < 0 || label >= options.Classes))
            yield return $"A label names none of {options.Classes} classes.";
        if (options.Convolutions is { } stack && stack.Image.Values != train.Width)
            yield return $"Rows of {train.Width} are no images {stack.Image}.";
        if (options.Robust is { Costs.Count: > 0 } priced && priced.Costs.Count != train.Width)
            yield return $"There are {priced.Costs.Count} costs for rows of {train.Width}.";
        if (options.Robust is { Units.Count: > 0 } whole && whole.Units.Count != train.Width)
            yield return $"There are {whole.Units.Count} units for rows of {train.Width}.";
        if (options.Robust is { Mutable.Count: > 0 } robust && robust.Mutable.Count != train.Width)
            yield return $"The mutable mask has {robust.Mutable.Count} values for rows of {train.Width}.";
    }

    private static (EncodedDataset Train, EncodedDataset Validation) HoldOut(EncodedDataset all, ulong seed)
    {
        var order = Enumerable.Range(0, all.Rows).ToArray();
        new Random(unchecked((int)seed) ^ 0x5EED).Shuffle(order);
        var held = (int)(all.Rows * HeldOut);
        return (Pick(all, order[held..]), Pick(all, order[..held]));
    }

    private static EncodedDataset Pick(EncodedDataset all, int[] rows)
    {
        var batch = new Batch(rows.Length, all.Width);
        batch.Load(all, rows);
        return new EncodedDataset(batch.Features, all.Width, batch.Labels, all.Quantities, all.Sources);
    }
}
