using Bulwark.Cryptography;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>What to train on what, and where the model goes.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Train">Training rows.</param>
/// <param name="Test">Rows that only measure.</param>
/// <param name="Options">How.</param>
/// <param name="Output">The folder to write.</param>
internal sealed record TrainingRequest(string Name, Dataset Train, Dataset Test, TrainingOptions Options, DirectoryInfo Output)
{
    /// <summary>The model's version.</summary>
    internal string Version { get; init; } = "1";

    /// <summary>True when the log knows the training data already.</summary>
    internal bool DataCommitted { get; init; }

    /// <summary>What the training table was read of, where it is not known by its own root.</summary>
    internal IReadOnlyList<DataOrigin> MadeFrom { get; init; } = [];

    /// <summary>The same of the test table.</summary>
    internal IReadOnlyList<DataOrigin> TestMadeFrom { get; init; } = [];

    /// <summary>ε of the data set's budget, when the ledger has none for it yet; null takes this run's.</summary>
    internal double? BudgetEpsilon { get; init; }

    /// <summary>Relations that the input screen shall hold rows to.</summary>
    internal IReadOnlyList<ScreenRelation> Relations { get; init; } = [];

    /// <summary>Whether the input screen learns relations from the training rows; a private run never does.</summary>
    internal bool LearnRelations { get; init; } = true;
}

/// <summary>All that is known of a training run: the model folder's <c>report.json</c>.</summary>
internal sealed record TrainingReport
{
    internal const string FileName = "report.json";

    public string Format { get; init; } = "training-report/v1";
    public required string Name { get; init; }
    public required string Model { get; init; }
    public required string Shape { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required Digest Dataset { get; init; }
    public required Digest TestSet { get; init; }

    /// <summary>Number of training rows; null when private, for neighbours differ in it.</summary>
    public int? TrainingRows { get; init; }
    public required TrainingOptions Options { get; init; }
    public required Evaluation Evaluation { get; init; }
    public PrivacyStatement? Privacy { get; init; }
    public required IReadOnlyList<EpochReport> Epochs { get; init; }
    public int? BestEpoch { get; init; }
    public required long Steps { get; init; }
    public required double TrainingSeconds { get; init; }
    public required double LargestExportDifference { get; init; }
    public double? ScreenFalsePositiveRate { get; init; }

    /// <summary>How many relations between features the input screen holds rows to, declared and learnt.</summary>
    public int ScreenRelations { get; init; }

    /// <summary>What the learnt ones refuse of held-out rows that took no part in choosing them; null when none was learnt.</summary>
    public RelationCheck? ScreenRelationCheck { get; init; }

    /// <summary>What the whole screen refuses of the test rows.</summary>
    public ScreenRefusals? ScreenRefusals { get; init; }
    public required string CodeVersion { get; init; }
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Where the run's statement is in the log; only known after the folder is written.</summary>
    public long? LogIndex { get; init; }
}
