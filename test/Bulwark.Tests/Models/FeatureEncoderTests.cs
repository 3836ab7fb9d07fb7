using Bulwark.Models;

namespace Bulwark.Tests.Models;

public class FeatureEncoderTests
{
    private static readonly Feature Amount = new() { Name = "amount", Minimum = 0, Maximum = 100, Mutable = true };
    private static readonly Feature Hour = new() { Name = "hour", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 23, Mutable = true, Missing = MissingPolicy.Indicator };
    private static readonly Feature Country = new() { Name = "country", Kind = FeatureKind.Categorical, Categories = ["DE", "FR", "IT"], Missing = MissingPolicy.Indicator };

    [Theory]
    [InlineData(25f, 0.25f)]
    [InlineData(-5f, 0f)]
    [InlineData(float.PositiveInfinity, 1f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(float.NaN, 0.5f)]
    public void A_number_is_clipped_to_its_bounds_and_scaled(float raw, float expected) =>
        Assert.Equal([expected], Encoder(Amount).Encode([raw]));

    [Fact]
    public void A_logarithmic_number_keeps_its_sign()
    {
        var encoder = Encoder(new Feature { Name = "balance", Minimum = -99, Maximum = 99, Scaling = Scaling.Log, Mutable = true });
        var encoded = encoder.Encode([-99f, -9f, 0f, 9f, 99f]);
        Assert.Equal([0f, 0.25f, 0.5f, 0.75f, 1f], encoded, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void A_missing_number_with_an_indicator_gets_one_more_column()
    {
        var encoder = Encoder(Hour);
        Assert.Equal(["hour", "hour missing"], encoder.EncodedNames);
        Assert.Equal([1f, 0f, 0.5f, 1f], encoder.Encode([23f, float.NaN]));
    }

    [Theory]
    [InlineData(0f, new[] { 1f, 0f, 0f, 0f })]
    [InlineData(2f, new[] { 0f, 0f, 1f, 0f })]
    [InlineData(-1f, new[] { 0f, 0f, 0f, 1f })]
    [InlineData(3f, new[] { 0f, 0f, 0f, 1f })]
    [InlineData(0.5f, new[] { 0f, 0f, 0f, 1f })]
    [InlineData(float.NaN, new[] { 0f, 0f, 0f, 1f })]
    public void A_category_is_one_hot_and_an_unknown_one_is_missing(float code, float[] expected) =>
        Assert.Equal(expected, Encoder(Country).Encode([code]));

    [Theory]
    [InlineData(-3f, new[] { 1f, 0f, 0f })]
    [InlineData(9.999f, new[] { 1f, 0f, 0f })]
    [InlineData(10f, new[] { 0f, 1f, 0f })]
    [InlineData(30f, new[] { 0f, 0f, 1f })]
    [InlineData(float.PositiveInfinity, new[] { 0f, 0f, 1f })]
    [InlineData(float.NegativeInfinity, new[] { 1f, 0f, 0f })]
    [InlineData(float.NaN, new[] { 0f, 0f, 0f })]
    public void A_number_falls_into_one_bin_and_a_missing_one_into_none(float raw, float[] expected) =>
        Assert.Equal(expected, Encoder(Amount with { Bins = [10, 30] }).Encode([raw]));

    [Fact]
    public void Equal_bins_follow_the_scaling_and_keep_whole_numbers_whole()
    {
        Assert.Equal([25, 50, 75], Amount.WithEqualBins(4).Bins);
        Assert.Equal([9, 99, 999], (Amount with { Maximum = 9999, Scaling = Scaling.Log }).WithEqualBins(4).Bins, (a, b) => Math.Abs(a - b) < 1e-3 * a);
        Assert.Equal(23, Hour.WithEqualBins(1000).Bins.Count);
        Assert.All(Hour.WithEqualBins(7).Bins, edge => Assert.Equal(0.5, edge - Math.Floor(edge)));
    }

    [Theory]
    [InlineData(10d, 10d)]
    [InlineData(10d, 5d)]
    [InlineData(0d, 5d)]
    [InlineData(5d, 100d)]
    [InlineData(5d, double.NaN)]
    public void Bins_that_do_not_ascend_between_the_bounds_are_refused(double first, double second) =>
        Assert.Contains("bins must ascend", Assert.Single((Amount with { Bins = [first, second] }).Faults()), StringComparison.Ordinal);

    [Fact]
    public void Without_an_indicator_an_unknown_category_is_all_zeros() =>
        Assert.Equal([0f, 0f, 0f], Encoder(Country with { Missing = MissingPolicy.Neutral }).Encode([-1f]));

    [Fact]
    public void Only_quantities_of_mutable_features_may_be_moved() =>
        Assert.Equal([true, true, false, false, false, false, false], Encoder(Amount, Hour, Country with { Mutable = true }).MutableMask.ToArray());

    [Fact]
    public void A_moved_value_comes_back_rounded_clipped_and_the_rest_is_copied()
    {
        var encoder = Encoder(Amount, Hour, Country);
        float[] original = [50f, 12f, 1f];
        var encoded = encoder.Encode(original);
        encoded[0] = 1.7f;
        encoded[1] = 13.2f / 23;
        encoded[4] = 0;
        var raw = new float[3];
        encoder.Decode(encoded, 1, original, raw);
        Assert.Equal([100f, 13f, 1f], raw);
    }

    [Fact]
    public void A_value_that_was_not_moved_comes_back_exactly_even_out_of_bounds_or_missing()
    {
        var encoder = Encoder(Amount, Hour, Country);
        float[] original = [1234.5f, float.NaN, 7f];
        var encoded = encoder.Encode(original);
        encoded[1] = 0.9f;
        var raw = new float[3];
        encoder.Decode(encoded, 1, original, raw);
        Assert.Equal(original, raw);
    }

    [Fact]
    public void Random_rows_come_back_within_rounding_and_every_encoded_value_lies_in_0_to_1()
    {
        var random = new Random(7);
        var encoder = Encoder(Amount, Hour, Country, new Feature { Name = "debt", Minimum = -1000, Maximum = 1e6, Scaling = Scaling.Log, Mutable = true });
        for (var trial = 0; trial < 1000; trial++)
        {
            float[] row = [random.NextSingle() * 100, random.Next(24), random.Next(-1, 4), (random.NextSingle() * 1_001_000) - 1000];
            var encoded = encoder.Encode(row);
            Assert.All(encoded, value => Assert.InRange(value, 0, 1));
            var moved = encoded.Select((value, column) => encoder.MutableMask[column] ? MathF.BitDecrement(value) : value).ToArray();
            var raw = new float[row.Length];
            encoder.Decode(moved, 1, row, raw);
            Assert.Equal(row[0], raw[0], 1e-4f * 100);
            Assert.Equal(row[1], raw[1]);
            Assert.Equal(row[2], raw[2]);
            Assert.Equal(row[3], raw[3], 1e-4f * Math.Max(1, Math.Abs(row[3])));
        }
    }

    [Fact]
    public void Rows_of_the_wrong_width_are_refused()
    {
        var encoder = Encoder(Amount, Hour);
        Assert.Throws<ArgumentException>(() => encoder.Encode([1f, 2f, 3f]));
        Assert.Throws<ArgumentException>(() => encoder.Encode([1f, 2f], 1, new float[2]));
    }

    [Fact]
    public void A_faulty_schema_is_refused() =>
        Assert.Throws<ArgumentException>(() => Encoder(Amount, Amount));

    private static FeatureEncoder Encoder(params Feature[] features) =>
        new(new FeatureSchema { Features = features, Label = "fraud" });
}
