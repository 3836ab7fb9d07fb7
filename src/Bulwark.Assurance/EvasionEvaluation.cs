namespace Bulwark.Assurance;

/// <summary>Attacks a binary model at several strengths and counts what holds.</summary>
/// <remarks>
/// The attacker knows the model: gradients where there are any, always queries. Worst case per row over all attacks
/// (Carlini et al., "On Evaluating Adversarial Robustness", 2019, arXiv:1902.06705).
/// </remarks>
public static class EvasionEvaluation
{
    /// <summary>Runs every attack that the target allows.</summary>
    /// <param name="target">The model.</param>
    /// <param name="raw">Raw rows of the data set, row-major.</param>
    /// <param name="labels">Their classes, 0 or 1; both must occur.</param>
    /// <param name="options">How hard.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancel">Stops between attacks.</param>
    /// <exception cref="ArgumentException">The options have faults, a length does not fit, or a class is missing.</exception>
    public static EvasionReport Run(
        EvasionTarget target, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, EvasionOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        if (string.Join(' ', options.Faults()) is { Length: > 0 } faults)
            throw new ArgumentException(faults, nameof(options));
        if (raw.Length != (long)labels.Length * target.Encoder.Width)
            throw new ArgumentException($"{raw.Length} values are not {labels.Length} rows of {target.Encoder.Width}.", nameof(raw));
        if (!labels.Contains(0) || !labels.Contains(1))
            throw new ArgumentException("Evasion is measured on both classes; the data hold one only.", nameof(labels));
        var sample = EvasionSample.Draw(target, raw, labels, options);
        double[] strengths = [.. options.Strengths.Append(0).Distinct().Order()];
        var attacks = Attacks(target, options);
        var runs = new List<EvasionRun>();
        foreach (var strength in strengths)
        {
            foreach (var attack in attacks)
            {
                cancel.ThrowIfCancellationRequested();
                runs.Add(sample.Attack(attack, strength));
                progress?.Report((double)runs.Count / (strengths.Length * attacks.Count));
            }
        }

        return sample.Report([.. runs], EvasionChecks.Find(target, sample, runs));
    }

    private static List<EvasionAttack> Attacks(EvasionTarget target, EvasionOptions options)
    {
        var attacks = new List<EvasionAttack>();
        if (target.Network is { } network)
        {
            attacks.Add(new("fgsm", strength => (inputs, labels, mutable, result) =>
                FastGradientSign.Run(network, inputs, labels, (float)strength, mutable, result)));
            attacks.Add(new("pgd", strength => (inputs, labels, mutable, result) =>
                new ProjectedGradientDescent { Epsilon = strength, Steps = options.Steps, Restarts = options.Restarts, Seed = options.Seed }.Run(network, inputs, labels, mutable, result)));
            attacks.Add(new("apgd", strength => (inputs, labels, mutable, result) =>
                new AutoProjectedGradientDescent { Epsilon = strength, Steps = 2 * options.Steps }.Run(network, inputs, labels, mutable, result)));
        }

        attacks.Add(new(EvasionAttack.Query, null));
        return attacks;
    }
}
