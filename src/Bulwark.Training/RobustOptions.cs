namespace Bulwark.Training;

/// <summary>How training meets its attacker.</summary>
public enum RobustMethod
{
    /// <summary>Projected gradient ascent of several steps from a random start. Source: Madry et al., ICLR 2018 (arXiv:1706.06083).</summary>
    ProjectedGradient,

    /// <summary>One step of 1.25·ε from a uniform start, clipped to the ball. Source: Wong, Rice and Kolter, "Fast is better than free", ICLR 2020 (arXiv:2001.03994).</summary>
    RandomStartFgsm,

    /// <summary>One step of ε from noise of up to 2ε, not clipped to the ball. Source: de Jorge et al., "Make Some Noise", NeurIPS 2022 (arXiv:2202.01181).</summary>
    NoisyFgsm,

    /// <summary>Each batch is used several times; one gradient moves the rows and the network. Source: Shafahi et al., "Adversarial Training for Free!", NeurIPS 2019 (arXiv:1904.12843).</summary>
    Free,

    /// <summary>Cross entropy of clean rows plus β times the divergence from their moved copies. Source: Zhang et al., ICML 2019 (arXiv:1901.08573).</summary>
    Trades,

    /// <summary>Boosted cross entropy of moved rows plus a divergence that counts most where clean rows are misread. Source: Wang et al., ICLR 2020.</summary>
    Mart,
}

/// <summary>How the training attacker's way is measured.</summary>
public enum RobustNorm
{
    /// <summary>The largest change of a value.</summary>
    LargestChange,

    /// <summary>The length of the change (L2).</summary>
    Length,

    /// <summary>The sum over values of change times <see cref="RobustOptions.Costs"/>: a budget of money. Source: Kireev et al., "Adversarial Robustness for Tabular Data through Cost and Utility Awareness", NDSS 2023 (arXiv:2208.13058).</summary>
    Cost,
}

/// <summary>Adversarial training: each step also learns from rows that an attacker moved.</summary>
public sealed record RobustOptions
{
    /// <summary>How training meets its attacker.</summary>
    public RobustMethod Method { get; init; }

    /// <summary>How far is measured.</summary>
    public RobustNorm Norm { get; init; }

    /// <summary>How far a row may move, by <see cref="Norm"/>, in units of encoded values in [0, 1] or of cost.</summary>
    public double Epsilon { get; init; } = 0.05;

    /// <summary>Ascent steps; for <see cref="RobustMethod.Free"/> how often a batch is used. One-step methods take one, whatever this says.</summary>
    public int Steps { get; init; } = 3;

    /// <summary>Length of one step; null for 1.25·ε/steps, for <see cref="RobustMethod.NoisyFgsm"/> and <see cref="RobustMethod.Free"/> ε.</summary>
    public double? StepSize { get; init; }

    /// <summary>λ: the loss is (c·clean + λ·adversarial) / (c + λ); β of <see cref="RobustMethod.Trades"/>, λ of <see cref="RobustMethod.Mart"/>.</summary>
    public double AdversarialWeight { get; init; } = 1;

    /// <summary>c: what the clean rows' loss counts; 0 trains on moved rows only. <see cref="RobustMethod.Trades"/>, Mart and Free do not use it.</summary>
    public double CleanWeight { get; init; } = 1;

    /// <summary>
    /// γ: before each step the weights of every layer move where they cost most, by γ of their length, the step's gradient is taken there and they move back; one more gradient a step.
    /// 0 for none. Source: Wu, Xia and Wang, "Adversarial Weight Perturbation Helps Robust Generalization", NeurIPS 2020 (arXiv:2004.05884).
    /// </summary>
    public double WeightPerturbation { get; init; }

    /// <summary>True when only positive rows are attacked: a fraudster hides fraud, nobody makes honest payments look false.</summary>
    public bool OnlyPositives { get; init; } = true;

    /// <summary>Which encoded values an attacker can move; empty for all.</summary>
    public IReadOnlyList<bool> Mutable { get; init; } = [];

    /// <summary>What it costs to move each encoded value by 1; for <see cref="RobustNorm.Cost"/>. Infinity for what cannot be moved.</summary>
    public IReadOnlyList<double> Costs { get; init; } = [];

    /// <summary>
    /// The smallest change of each encoded value, 0 where any can be made; empty when all can. With <see cref="RobustNorm.Length"/> whole numbers then move by whole units,
    /// chosen by slope, as an attacker must move them.
    /// </summary>
    public IReadOnlyList<double> Units { get; init; } = [];

    /// <summary>
    /// Watches one-step methods: after each epoch ten small steps on at most 512 validation rows; when their accuracy falls by more than so many points below the best
    /// epoch's, the best parameters come back and training goes on with two steps. 0 switches the guard off.
    /// </summary>
    public double GuardPoints { get; init; } = 10;

    /// <summary>Whether one gradient finds the moved rows, so that training may overfit to it catastrophically.</summary>
    public bool IsOneStep => Method is RobustMethod.RandomStartFgsm or RobustMethod.NoisyFgsm or RobustMethod.Free || (Method == RobustMethod.ProjectedGradient && Steps == 1);

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(Epsilon > 0) || !double.IsFinite(Epsilon) || (Norm == RobustNorm.LargestChange && Epsilon > 1))
            yield return $"{nameof(RobustOptions)}.{nameof(Epsilon)} is {Epsilon}; it must be above 0 and, as a largest change, at most 1.";
        if (Steps < 1)
            yield return $"{nameof(Steps)} is {Steps}; it must be above 0.";
        if (StepSize is not null and not (> 0 and < double.PositiveInfinity))
            yield return $"{nameof(StepSize)} is {StepSize}; it must be finite and above 0.";
        if (!(AdversarialWeight > 0) || !double.IsFinite(AdversarialWeight))
            yield return $"{nameof(AdversarialWeight)} is {AdversarialWeight}; it must be finite and above 0.";
        if (!(CleanWeight >= 0) || !double.IsFinite(CleanWeight))
            yield return $"{nameof(CleanWeight)} is {CleanWeight}; it must be finite and at least 0.";
        if (!(GuardPoints >= 0) || !double.IsFinite(GuardPoints))
            yield return $"{nameof(GuardPoints)} is {GuardPoints}; it must be finite and at least 0.";
        if (!(WeightPerturbation is >= 0 and <= 1))
            yield return $"{nameof(WeightPerturbation)} is {WeightPerturbation}; it must lie between 0 and 1.";
        if (WeightPerturbation > 0 && Method == RobustMethod.Free)
            yield return "Free training has no gradient to spare for moved weights: another method, or no weight perturbation.";
        if (Mutable.Count > 0 && !Mutable.Contains(true))
            yield return "No value is mutable: there is nothing that an attacker could move. Declare mutable features or train without --robust.";
        if ((Norm == RobustNorm.Cost) != (Costs.Count > 0))
            yield return "A budget of costs needs the cost of each value, and only that budget does.";
        if (Costs.Any(cost => !(cost > 0)) || (Costs.Count > 0 && Costs.All(double.IsPositiveInfinity)))
            yield return "Every cost must be above 0, and one of them finite.";
        if (Units.Any(unit => !(unit >= 0)) || (Units.Count > 0 && Norm != RobustNorm.Length))
            yield return "Units of change must be at least 0, and go with a bound on length.";
        if (Norm != RobustNorm.LargestChange && Method is RobustMethod.RandomStartFgsm or RobustMethod.NoisyFgsm or RobustMethod.Free)
            yield return $"{Method} is defined for the largest change only.";
    }
}
