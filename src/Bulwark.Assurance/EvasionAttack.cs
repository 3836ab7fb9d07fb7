namespace Bulwark.Assurance;

/// <summary>Perturbs encoded rows.</summary>
internal delegate void EncodedAttack(ReadOnlySpan<float> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<float> adversarial);

/// <summary>One attack of an evaluation: by gradients at a strength, or by queries when <paramref name="Gradient"/> is null.</summary>
internal sealed record EvasionAttack(string Name, Func<double, EncodedAttack>? Gradient)
{
    internal const string Query = "query";
}

/// <summary>Which rows one attack made the model get wrong at one strength; rows that were wrong at the start included.</summary>
internal sealed record EvasionRun(string Attack, double Strength, bool[] Wrong, double MeanQueries)
{
    internal int WrongCount => Wrong.Count(true);

    /// <summary>Shape (rows, width): the raw rows that were sent.</summary>
    internal float[] Sent { get; init; } = [];
}
