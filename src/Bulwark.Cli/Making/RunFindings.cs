using Bulwark.Cli.Serving;

namespace Bulwark.Cli.Making;

/// <summary>All that one run found: what the report is made of. Parts that a run did not do are null.</summary>
internal sealed record RunFindings
{
    public required PipelineFile Pipeline { get; init; }

    /// <summary>The command line that made this run.</summary>
    public required string Command { get; init; }

    /// <summary>The run's folder, as commands name it.</summary>
    public required string Folder { get; init; }

    /// <summary>The workspace, as commands name it.</summary>
    public required string Workspace { get; init; }

    public required int TrainingRows { get; init; }
    public required int TestRows { get; init; }
    public StepRecord<SimulationFinding>? Simulation { get; init; }
    public StepRecord<ScanFinding>? Scan { get; init; }
    public StepRecord<ProtectionFinding>? Protection { get; init; }
    public StepRecord<FeatureFinding>? Features { get; init; }
    public required IReadOnlyList<StepRecord<VariantFinding>> Variants { get; init; }
    public required IReadOnlyList<StepRecord<EvasionFinding>> Evasion { get; init; }
    public required IReadOnlyList<StepRecord<MembershipFinding>> Membership { get; init; }
    public StepRecord<SealFinding>? Seal { get; init; }
    public StepRecord<ServingFinding>? Serving { get; init; }
    public StepRecord<PlanFinding>? Plan { get; init; }
    public StepRecord<DeploymentFinding>? Deployment { get; init; }
    /// <summary>Features of which some rows hold a text that is none of the categories.</summary>
    public IReadOnlyCollection<string> UnknownCategories { get; init; } = [];

    /// <summary>ε of all that was ever released of the training data, by the ledger; null when nothing private was.</summary>
    public double? SpentOnData { get; init; }
    public required double Seconds { get; init; }

    /// <summary>The undefended model that every safeguard is compared with: neither private nor robust.</summary>
    internal StepRecord<VariantFinding>? Baseline => Variant(isPrivate: false, isRobust: false);

    internal StepRecord<VariantFinding>? Variant(bool isPrivate, bool isRobust) =>
        Variants.FirstOrDefault(variant => variant.Result.Report.Privacy is not null == isPrivate && variant.Result.Report.Options.Robust is not null == isRobust);

    internal EvasionFinding? EvasionOf(StepRecord<VariantFinding>? variant) =>
        Evasion.FirstOrDefault(evasion => evasion.Result.Variant == variant?.Result.Name)?.Result;
}

/// <summary>Which safeguards the planner takes under a budget, beside the greedy rule.</summary>
internal sealed record PlanFinding(decimal Budget, IReadOnlyList<string> Chosen, double Residual, bool Proven, IReadOnlyList<string> GreedyChosen, double GreedyResidual, string MeasuresFile);

/// <summary>The manifests that were generated, and what the checker says of them.</summary>
internal sealed record DeploymentFinding(string Folder, int Files, int Findings);
