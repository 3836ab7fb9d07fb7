using Bulwark.Assurance;
using Bulwark.Assurance.Audit;
using Bulwark.Models;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Assurance;

/// <summary>Sound training is not accused; each of the planted defects is. The defects live here and nowhere else.</summary>
public class PrivateTrainingAuditTests
{
    private static readonly FeatureSchema s_schema = new()
    {
        Label = "y",
        Features = [.. Enumerable.Range(0, 4).Select(i => new Feature { Name = $"x{i}", Minimum = 0, Maximum = 10 }), new Feature { Name = "k", Kind = FeatureKind.Categorical, Categories = ["a", "b", "c"] }],
    };

    private static readonly TrainingOptions s_regression = new() { Hidden = [], Epochs = 30, Private = new PrivacyOptions { Epsilon = 4 } };
    private static readonly TrainingOptions s_network = new() { Hidden = [6], Epochs = 12, Private = new PrivacyOptions { Epsilon = 4, SamplingProbability = 0.2 } };
    private static readonly AuditOptions s_audit = new() { Canaries = 1000, Rows = 200 };

    public static TheoryData<string, string> Defects => new()
    {
        { "no clipping", "sensitivity" },
        { "the batch is clipped, not the row", "sensitivity" },
        { "each layer gets the whole norm", "sensitivity" },
        { "two augmented copies clipped one by one", "sensitivity" },
        { "the norm is the largest row's", "sensitivity" },
        { "rows are normalised by their batch", "sensitivity" },
        { "noise halved", "noise" },
        { "one draw for all values", "fresh noise" },
        { "noise drawn anew from the same seed after a restart", "fresh noise" },
        { "the sum is divided by the batch's own size", "divisor" },
        { "shuffled batches counted as Poisson", "sampling" },
        { "two batches accumulated, one counted", "sampling" },
        { "empty batches are skipped", "sampling" },
        { "steps not counted", "steps booked" },
        { "a scaler fitted to the rows", "preprocessing" },
    };

    [Theory]
    [InlineData("regression", 4000, 0.25)]
    [InlineData("network", 1000, 0.02)]   // few canaries: its bound moves from run to run
    [InlineData("by layer", 1000, 0)]   // a canary there has a share of the norm only
    public void Sound_training_is_not_accused_and_much_of_its_epsilon_is_seen(string kind, int canaries, double share)
    {
        var options = kind switch
        {
            "regression" => s_regression,
            "network" => s_network,
            _ => s_network with { Private = s_network.Private! with { Clipping = Bulwark.Networks.ClippingStyle.PerLayer } },
        };
        var report = PrivateTrainingAudit.Run(s_schema, options, s_audit with { Canaries = canaries }, cancel: TestContext.Current.CancellationToken);
        Assert.True(report.Verdict == AuditVerdict.NotRefuted, string.Join("\n", report.Checks));
        Assert.InRange(report.EpsilonLower, share * report.EpsilonClaimed, report.EpsilonClaimed);
    }

    [Theory]
    [InlineData("additive")]
    [InlineData("objective")]
    public void What_has_no_steps_is_audited_by_its_scores(string kind)
    {
        var (schema, options) = kind == "additive"
            ? (s_schema.WithEqualBins(6), new TrainingOptions { Hidden = [], Additive = new AdditiveOptions(), Private = new PrivacyOptions { Epsilon = 4 } })
            : (s_schema, new TrainingOptions { Hidden = [], Private = new PrivacyOptions { Epsilon = 4, ObjectivePerturbation = true } });
        var report = PrivateTrainingAudit.Run(schema, options, s_audit with { Canaries = 400 }, cancel: TestContext.Current.CancellationToken);
        Assert.True(report.Verdict == AuditVerdict.NotRefuted, string.Join("\n", report.Checks));
        Assert.InRange(report.EpsilonClaimed, 3.9, 4);
        Assert.Equal("black-box, one run", Assert.Single(report.Bounds).Name);
    }

    [Theory]
    [MemberData(nameof(Defects))]
    public void Each_planted_defect_is_caught_by_the_check_that_is_meant_for_it(string defect, string check)
    {
        var options = defect switch
        {
            "each layer gets the whole norm" => s_network with { Private = s_network.Private! with { Clipping = Bulwark.Networks.ClippingStyle.PerLayer } },
            "empty batches are skipped" => s_network with { Private = s_network.Private! with { SamplingProbability = 0.004 }, Epochs = 1 },
            _ => s_network,
        };
        var report = PrivateTrainingAudit.Run(s_schema, options, s_audit with { Canaries = 200 }, new Defective(defect), cancel: TestContext.Current.CancellationToken);
        Assert.Equal(AuditVerdict.Violated, report.Verdict);
        Assert.Contains(report.Checks, found => found.Name == check && !found.Holds);
    }

    [Theory]
    [InlineData("no clipping")]
    [InlineData("noise halved")]
    public void Statistics_alone_refute_a_claim_that_is_far_off(string defect)
    {
        var report = PrivateTrainingAudit.Run(s_schema, s_regression, s_audit with { Canaries = 2000 }, new Defective(defect), cancel: TestContext.Current.CancellationToken);
        Assert.False(report.Checks.Single(check => check.Name == "claim").Holds, string.Join("\n", report.Bounds));
    }

    private sealed class Defective(string defect) : AuditedParts
    {
        internal override PrivateParts Create() => new Parts(defect);

        internal override float[] Encode(FeatureEncoder encoder, float[] raw)
        {
            var encoded = base.Encode(encoder, raw);
            if (defect != "a scaler fitted to the rows")
                return encoded;
            var largest = raw.Max();
            return [.. encoded.Select(value => value * 10 / largest)];
        }
    }

    private sealed class Parts(string defect) : PrivateParts(1)
    {
        private readonly Random _seeded = new(5);
        private int[] _order = [];
        private int _next;

        internal override long Steps(PlannedPhase phase) => defect == "steps not counted" ? 3 * phase.Steps : base.Steps(phase);

        internal override void Draw(PoissonBatches batches, int rows, List<int> batch)
        {
            base.Draw(batches, rows, batch);
            switch (defect)
            {
                case "shuffled batches counted as Poisson":
                    batch.Clear();
                    for (var i = 0; i < (int)(batches.Probability * rows); i++)
                        batch.Add(NextShuffled(rows));
                    break;
                case "two batches accumulated, one counted":
                    var second = new List<int>();
                    base.Draw(batches, rows, second);
                    batch.AddRange(second.Except(batch).ToList());
                    break;
                case "empty batches are skipped":
                    while (batch.Count == 0)
                        base.Draw(batches, rows, batch);
                    break;
            }
        }

        internal override int AddClipped(ClippedGradients gradients, EncodedDataset train, ReadOnlySpan<int> batch, float clipping, Span<double> sum)
        {
            switch (defect)
            {
                case "no clipping":
                    return gradients.Add(train, batch, 1e9f, sum);
                case "each layer gets the whole norm":
                    return gradients.Add(train, batch, clipping * MathF.Sqrt(2), sum);
                case "the norm is the largest row's":
                    var largest = batch.IsEmpty ? 1 : batch.ToArray().Max(row => System.Numerics.Tensors.TensorPrimitives.Norm(train.Row(row)));
                    return gradients.Add(train, batch, float.IsFinite(largest) ? Math.Max(clipping, largest) : 1e6f, sum);
                case "two augmented copies clipped one by one":
                    gradients.Add(Changed(train, value => 1 - value), batch, clipping, sum);
                    return gradients.Add(train, batch, clipping, sum);
                case "rows are normalised by their batch":
                    var peak = batch.IsEmpty ? 1 : batch.ToArray().Max(row => train.Row(row).ToArray().Max(value => float.IsFinite(value) ? Math.Abs(value) : 1e9f));
                    return gradients.Add(Changed(train, value => value / peak), batch, clipping, sum);
                case "the batch is clipped, not the row":
                    var whole = new double[sum.Length];
                    gradients.Add(train, batch, 1e9f, whole);
                    var length = System.Numerics.Tensors.TensorPrimitives.Norm<double>(whole);
                    for (var i = 0; i < whole.Length; i++)
                        sum[i] += whole[i] * batch.Length * Math.Min(1, clipping / length);
                    return batch.Length;
                default:
                    return base.AddClipped(gradients, train, batch, clipping, sum);
            }
        }

        internal override void AddNoise(double[] sum, double deviation)
        {
            switch (defect)
            {
                case "noise halved":
                    base.AddNoise(sum, deviation / 2);
                    break;
                case "one draw for all values":
                    var shared = Noisy(0, deviation);
                    for (var i = 0; i < sum.Length; i++)
                        sum[i] += shared;
                    break;
                case "noise drawn anew from the same seed after a restart":
                    for (var i = 0; i < sum.Length; i++)
                        sum[i] += deviation * Math.Sqrt(-2 * Math.Log(1 - _seeded.NextDouble())) * Math.Cos(2 * Math.PI * _seeded.NextDouble());
                    break;
                default:
                    base.AddNoise(sum, deviation);
                    break;
            }
        }

        internal override double Divisor(double expectedBatch, int batch) => defect == "the sum is divided by the batch's own size" ? Math.Max(1, batch) : expectedBatch;

        private int NextShuffled(int rows)
        {
            if (_order.Length != rows || _next == rows)
            {
                _order = [.. Enumerable.Range(0, rows)];
                _seeded.Shuffle(_order);
                _next = 0;
            }

            return _order[_next++];
        }

        private static EncodedDataset Changed(EncodedDataset data, Func<float, float> change) => new([.. data.Features.Select(change)], data.Width, data.Labels, data.Quantities);
    }
}
