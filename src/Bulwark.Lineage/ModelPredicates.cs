using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A model was measured on a data set; the subject is the model's file.</summary>
public sealed record ModelEvaluated : IPredicate<ModelEvaluated>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Evaluation;

    /// <summary>Root of the data set it was measured on.</summary>
    public required Digest Dataset { get; init; }

    /// <summary>Rows of it.</summary>
    public long? Rows { get; init; }

    /// <summary>Measured figures by name, for example <c>auc</c>.</summary>
    public required IReadOnlyDictionary<string, double> Figures { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Figures.Count == 0 ? "'figures' is empty." : null, Rows < 1 ? $"'rows' is {Rows}." : null);
}

/// <summary>A model was attacked; the subject is the model's file or package.</summary>
public sealed record ModelAttacked : IPredicate<ModelAttacked>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.AttackReport;

    /// <summary>Which, for example <c>evasion</c> or <c>membership</c>.</summary>
    public required string Attack { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The attack's own report: settings, figures, warnings. No row of it.</summary>
    public required JsonElement Report { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Predicates.Empty(Attack, "attack"), Predicates.NotObject(Report, "report"));
}

/// <summary>One file of a sealed model, in plain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Digest">Its SHA-256.</param>
public sealed record SealedFileFact(string Name, long Bytes, Digest Digest);

/// <summary>A model was sealed; the subject is the package.</summary>
public sealed record ModelSealed : IPredicate<ModelSealed>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.SealedModel;

    /// <summary>What the model is called.</summary>
    public required string Name { get; init; }

    /// <summary>Which version.</summary>
    public required string Version { get; init; }

    /// <summary>Whose signature the package bears.</summary>
    public required VerificationKey Signer { get; init; }

    /// <summary>Size of the package.</summary>
    public required long PackageBytes { get; init; }

    /// <summary>The files inside, in plain; a training run's subject is among them.</summary>
    public required IReadOnlyList<SealedFileFact> Files { get; init; }

    /// <summary>Root of the data it was trained on; null where that is unknown.</summary>
    public Digest? Dataset { get; init; }

    /// <summary>What the package claims to have cost in privacy.</summary>
    public double? Epsilon { get; init; }

    /// <summary>δ that belongs to it.</summary>
    public double? Delta { get; init; }

    /// <summary>Share of test rows scored right.</summary>
    public double? Accuracy { get; init; }

    /// <summary>The same under the strongest attack that was run.</summary>
    public double? RobustAccuracy { get; init; }

    /// <summary>Root of the OpenSSF signature over the plain files, where the package holds one.</summary>
    public Digest? PlainRoot { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Name, "name"), Predicates.Empty(Version, "version"),
        Files.Count == 0 || Files.Contains(null!) ? "'files' is empty or holds null." : null,
        Epsilon is null == Delta is null ? null : "'epsilon' and 'delta' belong together.");
}

/// <summary>One condition of a promotion.</summary>
/// <param name="Name">What was asked.</param>
/// <param name="Passed">Whether it held.</param>
/// <param name="Detail">What was found.</param>
public sealed record GateFact(string Name, bool Passed, string Detail);

/// <summary>A sealed model was moved to a stage, or was not allowed to; the subject is the package.</summary>
public sealed record ModelPromoted : IPredicate<ModelPromoted>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Promotion;

    /// <summary>Where to, for example <c>production</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>Whether it was moved.</summary>
    public required bool Promoted { get; init; }

    /// <summary>What was asked of it.</summary>
    public required IReadOnlyList<GateFact> Gates { get; init; }

    /// <summary>The package that it takes the place of.</summary>
    public Digest? Replaces { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Stage, "stage"),
        Gates.Contains(null!) ? "A gate is null." : null,
        Promoted && Gates.Any(gate => gate is { Passed: false }) ? "It was promoted although a gate failed." : null);
}

/// <summary>A run of the making line was finished; the subjects are all files it left, by their paths in its folder.</summary>
public sealed record RunFinished : IPredicate<RunFinished>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Run;

    /// <summary>The pipeline's name.</summary>
    public required string Pipeline { get; init; }

    /// <summary>Its steps, in order.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Predicates.Empty(Pipeline, "pipeline"));
}
