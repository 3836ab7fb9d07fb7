using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Evasion by asking the model for scores only: random changes of feature groups, kept when they lower the score of the row's class.</summary>
/// <remarks>
/// Source: Andriushchenko et al., "Square Attack", ECCV 2020 (arXiv:1912.00049), its square replaced by a random group of features;
/// every other proposal takes the group's values from a row of the other class, which finds what corners of the ball miss on discrete features.
/// Works on any scorer. Binary models. Immutable and thread-safe.
/// </remarks>
public sealed record QueryAttack
{
    /// <summary>Largest change of a value, in encoded units.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Queries that a row may cost.</summary>
    public int Queries { get; init; } = 300;

    /// <summary>Probability from which the model says "positive".</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>Names the proposals.</summary>
    public ulong Seed { get; init; }

    /// <summary>Perturbs raw rows.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="encoder">What the rows hold and which values may move.</param>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="labels">Shape (rows): 0 or 1.</param>
    /// <param name="adversarial">Shape (rows, Width); overwritten with the row that the model scored worst; each could really be sent.</param>
    /// <returns>Queries spent on each row; a row that is misclassified from the start costs one.</returns>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public int[] Run(IScorer scorer, FeatureEncoder encoder, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, Span<float> adversarial)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(encoder);
        if (raw.Length != labels.Length * encoder.Width || adversarial.Length != raw.Length)
            throw new ArgumentException($"{raw.Length} and {adversarial.Length} values are not {labels.Length} rows of {encoder.Width}.", nameof(raw));
        var search = new QuerySearch(this, scorer, encoder, raw.ToArray(), labels.ToArray());
        search.Run();
        search.Best.CopyTo(adversarial);
        return search.Spent;
    }

    /// <summary>Share of mutable columns that a proposal changes, after that part of the budget.</summary>
    internal static double GroupShare(double spentShare) => spentShare switch
    {
        < 0.02 => 1.0,
        < 0.1 => 0.5,
        < 0.3 => 0.25,
        < 0.6 => 0.12,
        _ => 0.06,
    };
}
