using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Monitoring;

namespace Bulwark.Tests.Monitoring;

public class InputScreenTests
{
    private static readonly ScreenField[] Fields =
    [
        new() { Name = "amount", Kind = ScreenFieldKind.Numeric, Minimum = 0, Maximum = 1000 },
        new() { Name = "age", Kind = ScreenFieldKind.Integer, Minimum = 18, Maximum = 120 },
        new() { Name = "online", Kind = ScreenFieldKind.Binary },
        new() { Name = "country", Kind = ScreenFieldKind.Categorical, Categories = 3 },
    ];

    [Fact]
    public void A_verdict_that_nobody_gave_refuses()
    {
        Assert.False(default(ScreenVerdict).IsAccepted);
        Assert.Equal("unchecked", default(ScreenVerdict).Reason);
    }

    [Theory]
    [InlineData(new[] { 10f, 30, 1, 2 }, ScreenOutcome.Accepted, -1)]
    [InlineData(new[] { 0f, 18, 0, 0 }, ScreenOutcome.Accepted, -1)]
    [InlineData(new[] { 10f, 30, 1 }, ScreenOutcome.WrongWidth, -1)]
    [InlineData(new[] { 10f, 30, 1, 2, 0 }, ScreenOutcome.WrongWidth, -1)]
    [InlineData(new float[0], ScreenOutcome.WrongWidth, -1)]
    [InlineData(new[] { float.NaN, 30, 1, 2 }, ScreenOutcome.NotFinite, 0)]
    [InlineData(new[] { 10f, float.PositiveInfinity, 1, 2 }, ScreenOutcome.NotFinite, 1)]
    [InlineData(new[] { 10f, 30, float.NegativeInfinity, 2 }, ScreenOutcome.NotFinite, 2)]
    [InlineData(new[] { -0.001f, 30, 1, 2 }, ScreenOutcome.OutOfBounds, 0)]
    [InlineData(new[] { 1000.1f, 30, 1, 2 }, ScreenOutcome.OutOfBounds, 0)]
    [InlineData(new[] { 10f, 17, 1, 2 }, ScreenOutcome.OutOfBounds, 1)]
    [InlineData(new[] { 10f, 30.5f, 1, 2 }, ScreenOutcome.NotInteger, 1)]
    [InlineData(new[] { 10f, 30, 2, 2 }, ScreenOutcome.NotInteger, 2)]
    [InlineData(new[] { 10f, 30, 1, 3 }, ScreenOutcome.UnknownCategory, 3)]
    [InlineData(new[] { 10f, 30, 1, 0.5f }, ScreenOutcome.UnknownCategory, 3)]
    [InlineData(new[] { 10f, 30, 1, -1 }, ScreenOutcome.UnknownCategory, 3)]
    public void The_contract_names_what_is_wrong_and_where(float[] row, ScreenOutcome expected, int field)
    {
        var verdict = InputScreen.OfContract(Fields).CheckContract(row);
        Assert.Equal((expected, field), (verdict.Outcome, verdict.Field));
    }

    [Fact]
    public void A_missing_value_passes_only_where_the_model_knows_missing_values()
    {
        ScreenField[] fields =
        [
            new() { Name = "income", Kind = ScreenFieldKind.Numeric, AllowMissing = true },
            new() { Name = "work", Kind = ScreenFieldKind.Categorical, Categories = 2, AllowMissing = true },
        ];
        var screen = InputScreen.OfContract(fields);
        Assert.True(screen.CheckContract([float.NaN, -1]).IsAccepted);
        Assert.Equal(ScreenOutcome.UnknownCategory, screen.CheckContract([1, -2]).Outcome);
        Assert.Equal(ScreenOutcome.NotFinite, screen.CheckContract([float.PositiveInfinity, 0]).Outcome);
    }

    [Fact]
    public void The_distance_is_the_textbook_one()
    {
        // Inverse of [[4, 1.2], [1.2, 1]] is [[1, -1.2], [-1.2, 4]] / 2.56, so d(2, 1) squared is (4 - 4.8 + 4) / 2.56.
        var screen = InputScreen.Fit(Fields[..2], [1, 1], [4, 1.2, 1.2, 1], new() { Shrinkage = 0, Ridge = 1e-12 });
        Assert.Equal(Math.Sqrt(3.2 / 2.56), screen.Distance([3, 2]), 1e-5);
        Assert.Equal(0, screen.Distance([1, 1]));
    }

    [Fact]
    public void A_fitted_screen_refuses_all_rows_until_it_has_a_threshold()
    {
        var screen = InputScreen.Fit(Fields[..2], [0.5, 0.5], [0.01, 0, 0, 0.01]);
        Assert.Equal(ScreenOutcome.Outlier, screen.Check([10, 30], [0.5f, 0.51f]).Outcome);
        Assert.True(screen.WithThreshold(1).Check([10, 30], [0.5f, 0.51f]).IsAccepted);
    }

    [Fact]
    public void Values_that_are_allowed_one_by_one_but_not_together_are_an_outlier()
    {
        var (encoded, screen) = Correlated();
        var calibrated = screen.Calibrate(encoded, falsePositiveRate: 0.01);
        Assert.True(calibrated.Check([900, 110], [0.9f, 0.9f]).IsAccepted);
        var verdict = calibrated.Check([900, 30], [0.9f, 0.1f]);
        Assert.Equal(ScreenOutcome.Outlier, verdict.Outcome);
        Assert.True(verdict.Distance > calibrated.Threshold);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.01)]
    [InlineData(0.1)]
    public void Calibration_refuses_no_more_than_the_share_asked_for(double rate)
    {
        var (encoded, screen) = Correlated();
        var calibrated = screen.Calibrate(encoded, rate);
        var distances = new float[encoded.Length / 2];
        calibrated.Distances(encoded, distances);
        var beyond = distances.Count(d => d > calibrated.Threshold) / (double)distances.Length;
        Assert.InRange(beyond, rate - (1.5 / distances.Length), rate);
        Assert.Equal(new ScreenCalibration(distances.Length, beyond), calibrated.Calibration);
    }

    /// <summary>Rows whose distances have a long tail; the largest ones lie where a float ends.</summary>
    [Theory, InlineData(1f), InlineData(3e36f)]
    public void The_extended_tail_stays_finite_and_within_twice_the_largest_distance(float unit)
    {
        var screen = InputScreen.Fit(Fields[..1], [0], [1], new() { Shrinkage = 0, Ridge = 1e-9 });
        var encoded = Enumerable.Range(1, 400).Select(i => unit / MathF.Sqrt(i / 400f) / 20).ToArray();
        encoded[0] = 100 * unit;
        var distances = new float[encoded.Length];
        screen.Distances(encoded, distances);
        if (!distances.All(float.IsFinite))
        {
            Assert.Throws<ArgumentException>(() => screen.Calibrate(encoded, 1e-9));
            return;
        }

        var threshold = screen.Calibrate(encoded, 1e-9).Threshold;
        Assert.InRange(threshold, distances.Max(), Math.Min(float.MaxValue, 2 * distances.Max()));
    }

    [Fact]
    public void A_rate_that_no_row_shows_is_marked_as_extrapolated_and_read_back()
    {
        var (encoded, screen) = Correlated();
        var calibrated = screen.Calibrate(encoded, 0.0001);
        Assert.Equal(new(1000, 0.0001, Extrapolated: true), calibrated.Calibration);
        Assert.True(calibrated.Threshold >= screen.Calibrate(encoded, 0).Threshold);
        Assert.Equal(calibrated.Calibration, InputScreen.FromJson(calibrated.ToJson()).Calibration);
        // Too few rows for a tail: the furthest one sets the threshold, and nothing says otherwise. Written as it always was.
        var few = screen.Calibrate(encoded.AsSpan(0, 2 * 199), 0.0001);
        Assert.Equal(new(199, 0), few.Calibration);
        Assert.Equal(screen.Calibrate(encoded.AsSpan(0, 2 * 199), 0).Threshold, few.Threshold);
        Assert.Contains("\"calibration\":{\"rows\":199,\"falsePositiveRate\":0}", Encoding.UTF8.GetString(few.ToJson()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_nan_in_an_encoded_row_is_an_outlier_and_not_a_pass()
    {
        var (encoded, screen) = Correlated();
        Assert.Equal(ScreenOutcome.Outlier, screen.Calibrate(encoded, 0).Check([1, 20], [float.NaN, 0.5f]).Outcome);
    }

    [Fact]
    public void Noise_that_makes_the_covariance_indefinite_is_mended_by_a_larger_ridge()
    {
        var screen = InputScreen.Fit(Fields[..3], [0.5, 0.5, 0.5], [0.01, 0.5, 0, 0.5, 0.01, 0, 0, 0, -0.2], new() { Shrinkage = 0 });
        Assert.True(screen.Ridge > 0.4, $"ridge {screen.Ridge}");
        Assert.True(float.IsFinite(screen.Distance([0, 1, 0])));
    }

    [Fact]
    public void Moments_of_rows_are_their_mean_and_covariance()
    {
        var (mean, covariance) = InputScreen.Moments([0, 1, 1, 1, 0.5f, 0.25f, 0.5f, 0.75f], width: 2);
        Assert.Equal([0.5, 0.75], mean);
        Assert.Equal([0.125, 0, 0, 0.09375], covariance, (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void A_screen_reads_back_as_it_was_written()
    {
        var (encoded, screen) = Correlated();
        var calibrated = screen.Calibrate(encoded, 0.05);
        var read = InputScreen.FromJson(calibrated.ToJson());
        Assert.Equal(calibrated.ToJson(), read.ToJson());
        Assert.Equal(calibrated.Threshold, read.Threshold);
        Assert.Equal(calibrated.Fields, read.Fields);
        Assert.Equal(calibrated.Distance([0.2f, 0.7f]), read.Distance([0.2f, 0.7f]));
    }

    [Theory]
    [InlineData("format", "\"v0\"", "format")]
    [InlineData("threshold", "-1", "threshold")]
    [InlineData("threshold", "\"NaN\"", "threshold")]
    [InlineData("mean", "[0.5]", "whitening")]
    [InlineData("whitening", "[1, 0, -1]", "diagonal")]
    [InlineData("fields", "[]", "no field")]
    [InlineData("fields", "[{\"name\":\"a\",\"kind\":\"categorical\"}]", "categor")]
    [InlineData("fields", "[{\"name\":\"a\",\"kind\":\"numeric\",\"minimum\":2,\"maximum\":1}]", "minimum")]
    [InlineData("fields", "[{\"name\":\"a\",\"kind\":1}]", "kind")]
    [InlineData("extra", "1", "extra")]
    public void A_document_that_was_meddled_with_is_refused(string member, string value, string reason)
    {
        var document = JsonNode.Parse(Correlated().Screen.ToJson())!.AsObject();
        document[member] = JsonNode.Parse(value);
        var failure = Assert.Throws<InvalidDataException>(() => InputScreen.FromJson(Encoding.UTF8.GetBytes(document.ToJsonString())));
        Assert.Contains(reason, failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_document_with_a_member_twice_or_left_out_is_refused()
    {
        var text = Encoding.UTF8.GetString(Correlated().Screen.ToJson());
        Assert.Throws<InvalidDataException>(() => InputScreen.FromJson(Encoding.UTF8.GetBytes(text.Replace("{\"format\"", "{\"threshold\":9,\"format\"", StringComparison.Ordinal))));
        Assert.Throws<InvalidDataException>(() => InputScreen.FromJson(Encoding.UTF8.GetBytes(text.Replace("\"ridge\"", "\"threshold2\"", StringComparison.Ordinal))));
        Assert.Throws<InvalidDataException>(() => InputScreen.FromJson("null"u8));
    }

    [Fact]
    public void Checking_a_row_allocates_nothing()
    {
        var (encoded, screen) = Correlated();
        var calibrated = screen.Calibrate(encoded, 0.01);
        float[] raw = [100, 30], row = [0.3f, 0.3f];
        calibrated.Check(raw, row);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            calibrated.Check(raw, row);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Two encoded columns that move together.</summary>
    private static (float[] Encoded, InputScreen Screen) Correlated()
    {
        var random = new Random(7);
        var encoded = new float[2000];
        for (var i = 0; i < encoded.Length; i += 2)
        {
            encoded[i] = random.NextSingle();
            encoded[i + 1] = encoded[i] + (0.1f * (random.NextSingle() - 0.5f));
        }

        var (mean, covariance) = InputScreen.Moments(encoded, 2);
        return (encoded, InputScreen.Fit(Fields[..2], mean, covariance));
    }
}
