namespace Bulwark.Assurance;

/// <summary>How hard a model is attacked.</summary>
public sealed record EvasionOptions
{
    /// <summary>Largest change of any mutable value, in encoded units (1 is the whole range of a feature); 0 is always added.</summary>
    public IReadOnlyList<double> Strengths { get; init; } = [0, 0.01, 0.05, 0.1];

    /// <summary>Rows attacked: half of each class, fewer where there are fewer; above 0.</summary>
    public int Samples { get; init; } = 1000;

    /// <summary>The model says "positive" from this probability on; between 0 and 1.</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>Steps of the gradient attacks; above 0.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Starts of projected gradient descent: the row, then random points; above 0.</summary>
    public int Restarts { get; init; } = 2;

    /// <summary>Queries that the query attack may spend on a row; above 0.</summary>
    public int Queries { get; init; } = 300;

    /// <summary>Names every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var strength in Strengths.Where(strength => !(strength >= 0 && strength <= 1)))
            yield return $"Strength {strength} is not between 0 and 1.";
        if (!(Threshold > 0 && Threshold < 1))
            yield return $"{nameof(Threshold)} is {Threshold}; it must lie between 0 and 1.";
        foreach (var (name, value) in ((string, int)[])[(nameof(Samples), Samples), (nameof(Steps), Steps), (nameof(Restarts), Restarts), (nameof(Queries), Queries)])
        {
            if (value < 1)
                yield return $"{name} is {value}; it must be above 0.";
        }
    }
}
