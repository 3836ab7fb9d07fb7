using System.Security.Cryptography;
using Bulwark.Assurance.Audit;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Privacy;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance;

/// <summary>How hard to audit.</summary>
public sealed record AuditOptions
{
    /// <summary>Canaries of each kind; more make tighter bounds.</summary>
    public int Canaries { get; init; } = 1000;

    /// <summary>Chance that a bound errs.</summary>
    public double Error { get; init; } = 0.05;

    /// <summary>Ordinary rows beside the canaries.</summary>
    public int Rows { get; init; } = 1000;

    /// <summary>Names the ordinary rows; the canaries' coins are cryptographic.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Canaries is < 100 or > 20_000)
            yield return $"{nameof(Canaries)} is {Canaries}; it must lie between 100 and 20,000.";
        if (!(Error is > 0 and < 0.5))
            yield return $"{nameof(Error)} is {Error}; it must lie between 0 and 0.5.";
        if (Rows is < 100 or > 100_000)
            yield return $"{nameof(Rows)} is {Rows}; it must lie between 100 and 100,000.";
    }
}

/// <summary>Audits private training as it is: the production loop trains on rows made up from the schema, with canaries among them, by the options of a model.</summary>
/// <remarks>
/// The privacy of a training does not depend on what its rows hold, so made-up rows serve and nothing private is spent. Two kinds of canaries: gradients in places of their own, read off every
/// release (white-box), and rows with labels at random, read off the finished model's scores (black-box). Beside the bounds, the parts that the guarantee rests on are checked one by one.
/// That nothing is refuted is no proof.
/// </remarks>
public static class PrivateTrainingAudit
{
    /// <summary>Runs the audit.</summary>
    /// <param name="schema">The model's schema.</param>
    /// <param name="options">Its training options; private.</param>
    /// <param name="audit">How hard.</param>
    /// <param name="progress">Told often, from 0 to 1.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="ArgumentException">Options have faults, or are not private.</exception>
    public static AuditReport Run(FeatureSchema schema, TrainingOptions options, AuditOptions audit, IProgress<double>? progress = null, CancellationToken cancel = default) =>
        Run(schema, options, audit, new AuditedParts(), progress, cancel);

    internal static AuditReport Run(FeatureSchema schema, TrainingOptions options, AuditOptions audit, AuditedParts parts, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(schema);
        var faults = options.Faults().Concat(audit.Faults()).ToList();
        if (options.Private is null)
            faults.Add("Only private training has a claim to audit.");
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        if (options.Additive is not null || options.Private!.ObjectivePerturbation)
            return FinishedModelAudit.Run(schema, options, audit, parts, progress, cancel);
        options = options with { Robust = null, Private = options.Private! with { PublicRows = null } };   // an attack in training is post-processing of a row; its steps would only take time
        var plan = options.Selection is null ? PrivatePlan.Of(options) : SelectionLoop.Plan(options);   // one run of a selection
        var claimed = PldAccountant.Epsilon(plan.Event, options.Private!.Delta).Upper;
        var encoder = new FeatureEncoder(schema);
        var made = MadeUpRows.Of(schema, audit.Rows, audit.Seed, options.BaseRate ?? 0.5);
        var rows = new EncodedDataset(parts.Encode(encoder, made.Raw), encoder.EncodedWidth, made.Labels, [.. encoder.Columns.Select(column => column.Role == EncodedRole.Value)]);
        var checks = new List<AuditCheck> { Preprocessing(schema, encoder, made.Raw, parts) };
        checks.AddRange(new PartProbes(options, plan, parts.Create).Run(rows));
        progress?.Report(0.1);

        var (whiteBox, runChecks) = WhiteBox(rows, options, plan, claimed, audit, parts, new Part(progress, 0.1, 0.6), cancel);
        var blackBox = BlackBox(schema, encoder, rows, options, plan, audit, parts, new Part(progress, 0.6, 1), cancel);
        checks.AddRange(runChecks);
        AuditBound[] bounds = [.. whiteBox, blackBox];
        checks.Add(new("claim", bounds.All(bound => bound.EpsilonLower <= claimed), FormattableString.Invariant($"largest lower bound {bounds.Max(bound => bound.EpsilonLower):f3}, claimed {claimed:f3}")));
        return new AuditReport
        {
            Verdict = checks.All(check => check.Holds) ? AuditVerdict.NotRefuted : AuditVerdict.Violated,
            EpsilonClaimed = claimed,
            Delta = options.Private.Delta,
            Error = audit.Error,
            Canaries = audit.Canaries,
            Bounds = bounds,
            Checks = checks,
        };
    }

    /// <summary>A row must be encoded the same whatever other rows are there.</summary>
    internal static AuditCheck Preprocessing(FeatureSchema schema, FeatureEncoder encoder, float[] raw, AuditedParts parts)
    {
        if (schema.InferredFeatures() is { Count: > 0 } inferred)
            return new("preprocessing", false, $"bounds or categories were read off the rows: {string.Join(", ", inferred)}");
        float[] joined = [.. raw, .. Enumerable.Repeat(1e6f, schema.Width)];
        var (alone, together) = (parts.Encode(encoder, raw), parts.Encode(encoder, joined));
        var same = alone.AsSpan().SequenceEqual(together.AsSpan(0, alone.Length));
        return new("preprocessing", same, same ? "rows are encoded each by itself" : "one more row changes how the others are encoded");
    }

    private static (AuditBound[] Bounds, List<AuditCheck> Checks) WhiteBox(
        EncodedDataset rows, TrainingOptions options, PrivatePlan plan, double claimed, AuditOptions audit, AuditedParts parts, IProgress<double> progress, CancellationToken cancel)
    {
        var coins = Coins(audit.Canaries);
        var (planted, canary) = CanaryWatch.Plant(rows, coins);
        var network = DenseNetwork<float>.Create(new NetworkShape(planted.Width, options.Hidden, 1), 11);
        var watch = new CanaryWatch(network, canary, coins);
        using (var steps = parts.Create())
            new PrivateLoop(network, options, steps, watch).Descend(planted, plan, steps, new Steps(progress), cancel);

        var (delta, error) = (options.Private!.Delta, audit.Error);
        var (plain, gaussian, independent) = (OneRunAudit.Best(watch.Scores, coins, delta, error), OneRunGaussianAudit.Best(watch.Scores, coins, delta, error), OneRunGaussianAudit.OfIndependent(watch.Scores, coins, delta, error));
        AuditBound[] bounds =
        [
            Bound("white-box, one run", plain, "nothing"),
            Bound("white-box, one run, f-DP", gaussian, "a Gaussian trade-off curve"),
            Bound("white-box, canaries as repeats", independent, "a Gaussian trade-off curve, independent canaries"),
        ];
        var off = ((watch.NoiseSquares / Math.Max(1, watch.NoiseValues)) - 1) * Math.Sqrt(watch.NoiseValues / 2.0);
        var done = PldAccountant.Epsilon(Executed(watch, plan), delta).Upper;
        List<AuditCheck> checks =
        [
            new("noise in the run", Math.Abs(off) < 6, FormattableString.Invariant($"off by {off:f1} standard errors where no canary was, over {watch.NoiseValues} values")),
            new("divisor", watch.Divisors.Distinct().Count() <= 1, watch.Divisors.Distinct().Count() <= 1 ? "the same in every step" : "follows the batch's size, which is private"),
            new("steps booked", done <= claimed * 1.0001, FormattableString.Invariant($"{watch.Steps} steps done cost epsilon {done:f4}, {plan.Steps} booked cost {claimed:f4}")),
        ];
        return (bounds, checks);
    }

    /// <summary>What the run did, by what was seen: each step's noise, and the booked probability.</summary>
    private static ComposedEvent Executed(CanaryWatch watch, PrivatePlan plan)
    {
        var events = watch.Multipliers.GroupBy(noise => Math.Round(noise, 9)).Select(group => plan.Batches.Event(new GaussianEvent(group.Key), group.Count())).ToList();
        if (plan.RowNoise is { } noise)
            events.Add(new GaussianEvent(noise));
        if (plan.Phases.Any(phase => phase.CountNoise is not null))
            return new([plan.Event, .. watch.Steps > plan.Steps ? events : []]);
        return new(events);
    }

    /// <summary>Rows at random with labels at random, each in or out by a coin; the finished model's loss tells.</summary>
    private static AuditBound BlackBox(
        FeatureSchema schema, FeatureEncoder encoder, EncodedDataset rows, TrainingOptions options, PrivatePlan plan, AuditOptions audit, AuditedParts parts, IProgress<double> progress, CancellationToken cancel)
    {
        return BlackBox(schema, encoder, rows, options.Private!.Delta, audit, train =>
        {
            var network = DenseNetwork<float>.Create(new NetworkShape(rows.Width, options.Hidden, 1), 12);
            using var steps = parts.Create();
            new PrivateLoop(network, options, steps).Descend(train, plan, steps, new Steps(progress), cancel);
            return network;
        });
    }

    /// <summary>The same for whatever trains.</summary>
    internal static AuditBound BlackBox(FeatureSchema schema, FeatureEncoder encoder, EncodedDataset rows, double delta, AuditOptions audit, Func<EncodedDataset, DenseNetwork<float>> trained)
    {
        var coins = Coins(audit.Canaries);
        var made = MadeUpRows.Of(schema, coins.Length, audit.Seed + 1, 0.5);
        var encoded = new EncodedDataset(encoder.Encode(made.Raw), encoder.EncodedWidth, made.Labels);
        int[] kept = [.. Enumerable.Range(0, coins.Length).Where(row => coins[row])];
        float[] features = [.. rows.Features, .. kept.SelectMany(row => encoded.Row(row).ToArray())];
        var network = trained(new EncodedDataset(features, rows.Width, [.. rows.Labels, .. kept.Select(row => encoded.Labels[row])], rows.Quantities, rows.Sources));
        var scores = Trainer.Score(network, encoded).Select((score, row) => encoded.Labels[row] == 1 ? (double)score : 1 - score);
        return Bound("black-box, one run", OneRunAudit.Best([.. scores.Select(score => double.IsNaN(score) ? 0 : score)], coins, delta, audit.Error), "nothing");
    }

    private static AuditBound Bound(string name, OneRunBound bound, string assumes) => new(name, bound.EpsilonLower, bound.Guesses, bound.Right, assumes);

    private static bool[] Coins(int count) => [.. RandomNumberGenerator.GetBytes(count).Select(value => (value & 1) == 1)];

    private sealed class Part(IProgress<double>? whole, double from, double to) : IProgress<double>
    {
        public void Report(double value) => whole?.Report(from + ((to - from) * value));
    }

    private sealed class Steps(IProgress<double> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(value.Fraction);
    }
}
