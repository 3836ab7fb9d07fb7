namespace Bulwark.Assurance;

/// <summary>How training rows are poisoned.</summary>
internal enum PoisonKind
{
    /// <summary>Rows of other classes are labelled as the target.</summary>
    LabelFlip = 0,

    /// <summary>Rows of other classes get the trigger and the target's label.</summary>
    Backdoor,

    /// <summary>Rows of the target class, made hard, get the trigger; every label stays right.</summary>
    CleanLabel,
}

/// <summary>Training rows of which some are planted.</summary>
/// <param name="Rows">Shape (rows, width).</param>
/// <param name="Labels">Shape (rows).</param>
/// <param name="Planted">Indices of the planted rows, ascending.</param>
internal sealed record PoisonedRows(float[] Rows, int[] Labels, IReadOnlyList<int> Planted);

/// <summary>Plants poison in training rows.</summary>
/// <remarks>
/// Sources: label flipping, Biggio et al., "Support Vector Machines Under Adversarial Label Noise", ACML 2011; backdoor, Gu et al., "BadNets", 2017 (arXiv:1708.06733);
/// clean-label, Turner et al., "Label-Consistent Backdoor Attacks", 2019, section 4.2 (arXiv:1912.02771). Gradient matching is not built.
/// </remarks>
internal static class Poison
{
    /// <param name="kind">How.</param>
    /// <param name="rows">Shape (rows, width); not changed.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="labels">Shape (rows); not changed.</param>
    /// <param name="target">The class that planted rows shall lead to.</param>
    /// <param name="share">Planted rows as a share of all; between 0 and 1.</param>
    /// <param name="trigger">The trigger; not used by flips.</param>
    /// <param name="harden">Moves rows of the target class away from it, for clean-label poison: rows and labels to rows.</param>
    /// <param name="seed">Names the choice of rows.</param>
    /// <exception cref="ArgumentException">A length does not fit, or there are no rows to plant in.</exception>
    internal static PoisonedRows Plant(PoisonKind kind, float[] rows, int width, int[] labels, int target, double share, Trigger? trigger, Func<float[], int[], float[]>? harden, ulong seed)
    {
        if (rows.Length != labels.Length * width)
            throw new ArgumentException($"{rows.Length} values are not {labels.Length} rows of {width}.", nameof(rows));
        if (!(share is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "The planted share lies between 0 and 1.");
        if (kind != PoisonKind.LabelFlip && trigger is null)
            throw new ArgumentException("A backdoor needs a trigger.", nameof(trigger));
        if (kind == PoisonKind.CleanLabel && harden is null)
            throw new ArgumentException("Clean-label poison needs rows made hard.", nameof(harden));
        int[] candidates = [.. Enumerable.Range(0, labels.Length).Where(row => labels[row] == target == (kind == PoisonKind.CleanLabel))];
        var count = int.Min(candidates.Length, (int)Math.Round(share * labels.Length));
        if (count == 0)
            throw new ArgumentException("There is no row to plant in: more rows, a larger share or another target.", nameof(share));
        Student.Shuffle(candidates, new SeededDraws(seed));
        int[] planted = [.. candidates.Take(count).Order()];
        var (poisoned, given) = ((float[])[.. rows], (int[])[.. labels]);
        if (kind == PoisonKind.CleanLabel)
        {
            var hard = harden!(AttackSuite.Pick(rows, width, planted), [.. planted.Select(row => labels[row])]);
            for (var i = 0; i < count; i++)
                hard.AsSpan(i * width, width).CopyTo(poisoned.AsSpan(planted[i] * width));
        }

        foreach (var row in planted)
        {
            given[row] = target;
            if (kind != PoisonKind.LabelFlip)
                trigger!.Mark(poisoned.AsSpan(row * width, width));
        }

        return new(poisoned, given, planted);
    }
}
