using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training;

/// <summary>What training came to.</summary>
/// <param name="Network">The network; one logit for the positive class.</param>
/// <param name="Privacy">What ε covers; null when the run was not private.</param>
/// <param name="Epochs">Validation after each epoch, of several members one after the other; empty when private or without validation rows.</param>
/// <param name="BestEpoch">The epoch that was kept, from 1; null when the last parameters were, or their average, and of several members.</param>
/// <param name="Steps">Optimiser steps.</param>
/// <param name="Seconds">Time of the loop.</param>
public sealed record TrainedNetwork(
    DenseNetwork<float> Network, PrivacyStatement? Privacy, IReadOnlyList<EpochReport> Epochs, int? BestEpoch, long Steps, double Seconds);

/// <summary>One epoch of a run that is not private.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="TrainingLoss">Mean weighted loss of its steps.</param>
/// <param name="ValidationPrAuc">Average precision on the validation rows; NaN when there are none, and with more than two classes.</param>
public sealed record EpochReport(int Epoch, double TrainingLoss, double ValidationPrAuc)
{
    /// <summary>Accuracy on validation rows that ten small steps moved; null where it was not measured.</summary>
    public double? RobustAccuracy { get; init; }

    /// <summary>Whether robustness fell in this epoch: the best parameters came back and training went on with two steps.</summary>
    public bool GuardTripped { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Fraction">From 0 to 1.</param>
/// <param name="Phase">What it does, in a few words; no figure of private data.</param>
public readonly record struct TrainingProgress(double Fraction, string Phase);

/// <summary>What a private run guarantees, in figures and in words.</summary>
public sealed record PrivacyStatement
{
    /// <summary>Certified upper bound on ε of all that the run released.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Certified lower bound on the same.</summary>
    public required double EpsilonLower { get; init; }

    /// <summary>δ.</summary>
    public required double Delta { get; init; }

    /// <summary>Who is indistinguishable from whom.</summary>
    public string Adjacency { get; init; } = "add or remove one record";

    /// <summary>Whose privacy is counted.</summary>
    public string Unit { get; init; } = "one row of the training data";

    /// <summary>How batches were drawn.</summary>
    public string Sampling { get; init; } = "Poisson, operating-system-seeded AES-256-CTR";

    /// <summary>Chance of each row to be in a batch.</summary>
    public required double SamplingProbability { get; init; }

    /// <summary>Noise standard deviation over clipping norm.</summary>
    public required double NoiseMultiplier { get; init; }

    /// <summary>Number of steps.</summary>
    public required long Steps { get; init; }

    /// <summary>Largest gradient length of a row.</summary>
    public required double ClippingNorm { get; init; }

    /// <summary>Everything that was released, for any accountant to count again.</summary>
    public required PrivacyEvent Event { get; init; }

    /// <summary>What the figures do not cover.</summary>
    public IReadOnlyList<string> Notes { get; init; } =
    [
        "Noise is drawn on a grid, wider than booked by what rounding can add; the proof is in docs/privacy.md.",
        "Other runs on the same data add to it: see the ledger.",
    ];

    /// <summary>The accountant.</summary>
    public string Accountant { get; init; } = "privacy loss distribution, certified upper bound";
}
