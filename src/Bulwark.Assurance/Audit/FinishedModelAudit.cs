using Bulwark.Models;
using Bulwark.Privacy;
using Bulwark.Training;

namespace Bulwark.Assurance.Audit;

/// <summary>The audit of what does not step by clipped gradients: additive models and objective perturbation. Finished scores alone, and the noise that both draw.</summary>
/// <remarks>There are no releases to look into one by one, so the lower bound is that of an attacker who sees the model only: looser than the white-box bounds.</remarks>
internal static class FinishedModelAudit
{
    internal static AuditReport Run(FeatureSchema schema, TrainingOptions options, AuditOptions audit, AuditedParts parts, IProgress<double>? progress, CancellationToken cancel)
    {
        var encoder = new FeatureEncoder(schema);
        var made = MadeUpRows.Of(schema, audit.Rows, audit.Seed, options.BaseRate ?? 0.5);
        var rows = new EncodedDataset(
            parts.Encode(encoder, made.Raw), encoder.EncodedWidth, made.Labels, [.. encoder.Columns.Select(column => column.Role == EncodedRole.Value && schema.Features[column.Feature].Kind != FeatureKind.Binary)],
            [.. encoder.Columns.Select(column => column.Feature)]);
        var claimed = PldAccountant.Epsilon(Trainer.Cost(options, schema.Width), options.Private!.Delta).Upper;
        progress?.Report(0.1);
        var bound = PrivateTrainingAudit.BlackBox(schema, encoder, rows, options.Private.Delta, audit, train => RecipeRun.Train(train, options, 12, cancel));
        progress?.Report(1);
        AuditCheck[] checks =
        [
            PrivateTrainingAudit.Preprocessing(schema, encoder, made.Raw, parts),
            new("claim", bound.EpsilonLower <= claimed, FormattableString.Invariant($"lower bound {bound.EpsilonLower:f3}, claimed {claimed:f3}")),
        ];
        return new AuditReport
        {
            Verdict = checks.All(check => check.Holds) ? AuditVerdict.NotRefuted : AuditVerdict.Violated,
            EpsilonClaimed = claimed,
            Delta = options.Private.Delta,
            Error = audit.Error,
            Canaries = audit.Canaries,
            Bounds = [bound],
            Checks = checks,
        };
    }
}
