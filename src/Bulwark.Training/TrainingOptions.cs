using Bulwark.Networks;

namespace Bulwark.Training;

/// <summary>What one training run does. The defaults are meant to be good untouched, for plain, private and robust runs alike.</summary>
public sealed record TrainingOptions
{
    private const int MostMembers = 50;

    /// <summary>Widths of the hidden layers; empty makes a logistic regression.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [64, 32];

    /// <summary>Convolutions in front of the hidden layers, for images; null where rows are no images.</summary>
    public ConvolutionStack? Convolutions { get; init; }

    /// <summary>Number of classes: 2 makes one logit for the positive class, more make one logit each.</summary>
    public int Classes { get; init; } = 2;

    /// <summary>An additive model over public bins in place of a network; <see cref="Hidden"/> must be empty. Null for a network.</summary>
    public AdditiveOptions? Additive { get; init; }

    /// <summary>Passes over the data (in expectation, when private); null chooses: 20 plain or robust (more for a regression on few rows), 40 private, 200 private without hidden layers.</summary>
    public int? Epochs { get; init; }

    /// <summary>Rows of a plain or robust step.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Largest learning rate of the schedule; null chooses by model and by whether the run is private.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Pull of each weight towards 0, a share of the learning rate; null chooses.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>What a positive row's loss counts against a negative one's. A declared constant: it is never computed from labels.</summary>
    public double PositiveWeight { get; init; } = 1;

    /// <summary>
    /// About how many rows are positive, a share between 0 and 1 that is known beforehand: the network starts from it instead of from one half. Rare positives
    /// need it when private, for otherwise the budget goes into learning that they are rare. Declared, never computed from labels; null for one half.
    /// </summary>
    public double? BaseRate { get; init; }

    /// <summary>Names the draws of initial weights, batches and attack starts. Privacy noise and private batches cannot be seeded.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Keeps the epoch with the best validation PR-AUC, with more classes accuracy; under attack too when robust. Never done when private: the choice would be an unpaid release.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>Differential privacy; null for none.</summary>
    public PrivacyOptions? Private { get; init; }

    /// <summary>Private choice of hyper-parameters, within the ε of <see cref="Private"/>; null for one run of these options.</summary>
    public SelectionOptions? Selection { get; init; }

    /// <summary>Adversarial training; null for none.</summary>
    public RobustOptions? Robust { get; init; }

    /// <summary>Networks that are trained, each from other initial weights, and joined into one whose logits are the mean of theirs; 1 for a single network.</summary>
    public int Members { get; init; } = 1;

    /// <summary>
    /// What the past counts in an exponential moving average of the parameters, from step to step, for example 0.995: the average is what is judged on validation rows, chosen by
    /// epoch and returned. 0 returns the parameters themselves. A private run has its own: <see cref="PrivacyOptions.Average"/>.
    /// </summary>
    public double WeightAverage { get; init; }

    /// <summary>Standard deviation of Gaussian noise on every value of every row that is learnt, anew in each epoch: what randomized smoothing with the same noise asks for. 0 for none.</summary>
    public double InputNoise { get; init; }

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Hidden.Any(width => width < 1))
            yield return "A hidden layer's width must be above 0.";
        if (Epochs < 1)
            yield return $"{nameof(Epochs)} is {Epochs}; it must be above 0.";
        if (BatchSize < 1)
            yield return $"{nameof(BatchSize)} is {BatchSize}; it must be above 0.";
        if (LearningRate is not null and not (> 0 and < double.PositiveInfinity))
            yield return $"{nameof(LearningRate)} is {LearningRate}; it must be finite and above 0.";
        if (WeightDecay is not null and not (>= 0 and < double.PositiveInfinity))
            yield return $"{nameof(WeightDecay)} is {WeightDecay}; it must be finite and at least 0.";
        if (!(PositiveWeight > 0) || !double.IsFinite(PositiveWeight))
            yield return $"{nameof(PositiveWeight)} is {PositiveWeight}; it must be finite and above 0.";
        if (BaseRate is not null and not (> 0 and < 1))
            yield return $"{nameof(BaseRate)} is {BaseRate}; it must lie between 0 and 1.";
        if (!(InputNoise >= 0) || !double.IsFinite(InputNoise))
            yield return $"{nameof(InputNoise)} is {InputNoise}; it must be finite and at least 0.";
        if (InputNoise > 0 && (Private is not null || Additive is not null || Robust is not null))
            yield return "Noise on rows is for plain networks: a private or robust run draws its own, and an additive model sees bins.";
        if (!(WeightAverage is >= 0 and < 1))
            yield return $"{nameof(WeightAverage)} is {WeightAverage}; it must be at least 0 and below 1.";
        if (WeightAverage > 0 && (Private is not null || Additive is not null))
            yield return $"{nameof(WeightAverage)} is for plain and robust networks: a private run averages by {nameof(PrivacyOptions)}.{nameof(PrivacyOptions.Average)}, and an additive model has no steps to average.";
        if (Members is < 1 or > MostMembers)
            yield return $"{nameof(Members)} is {Members}; 1 to {MostMembers}.";
        if (Members > 1 && (Private is not null || Additive is not null || Convolutions is not null))
            yield return "Several members are joined from plain or robust dense networks: a private run would pay for each of them, and an additive model is one curve a feature.";
        foreach (var fault in Convolutions?.Faults() ?? [])
            yield return fault;
        if (Classes < 2)
            yield return $"{nameof(Classes)} is {Classes}; at least 2.";
        if ((Convolutions is not null || Classes > 2) && (Private is not null || Additive is not null))
            yield return "Images and more than two classes train neither privately nor additively: gradients of single rows are clipped for dense networks with one logit.";
        if (Classes > 2 && (PositiveWeight != 1 || BaseRate is not null || Robust is { OnlyPositives: true }))
            yield return "With more than two classes there are no positives: no weight or share of them, and every row is attacked.";
        if (Private is not null && Robust is { Method: not (RobustMethod.ProjectedGradient or RobustMethod.RandomStartFgsm or RobustMethod.NoisyFgsm) })
            yield return $"A private run clips the loss of each row alone; {Robust.Method} is not built for it. Use projected gradients.";
        if (Private is not null && Robust is { WeightPerturbation: > 0 })
            yield return "A private run's weights move by noisy gradients only: no weight perturbation.";
        if (Private is not null && Robust is { CleanWeight: not 1 })
            yield return "A private run shares the clipping norm between a clean and a moved part: CleanWeight must be 1.";
        if (Additive is not null && (Hidden.Count > 0 || Robust is not null || PositiveWeight != 1))
            yield return "An additive model has no hidden layers, no adversarial training and no weights of positive rows.";
        if (Selection is not null && (Private is null || Additive is not null || LearningRate is not null))
            yield return "Private selection chooses the steps of a private regression or network: it needs privacy, no additive model and no learning rate of your own.";
        if (Private is { ObjectivePerturbation: true } && (Hidden.Count > 0 || Additive is not null || Selection is not null || Robust is not null))
            yield return "Objective perturbation is for a plain regression: no hidden layers, no additive model, no selection and no adversarial training.";
        foreach (var fault in Selection?.Faults() ?? [])
            yield return fault;
        foreach (var fault in Additive?.Faults() ?? [])
            yield return fault;
        foreach (var fault in (Private?.Faults() ?? []).Concat(Robust?.Faults() ?? []))
            yield return fault;
    }
}
