using Bulwark.Models;

namespace Bulwark.Tests.Models;

public class OutputHardeningTests
{
    private static readonly string s_key = Convert.ToBase64String(new byte[32]);

    [Theory]
    [InlineData(0.8734f, 2, 0.87f)]
    [InlineData(0.503f, 1, 0.6f)]      // 0.5 would read as the other decision
    [InlineData(0.4999f, 2, 0.5f)]
    [InlineData(0.999f, 0, 1f)]
    public void A_score_keeps_its_decimals_and_its_decision(float score, int decimals, float told)
    {
        float[] scores = [score];
        new OutputHardening { Decimals = decimals }.Apply([1f], 1, scores);
        Assert.Equal(told, scores[0], 1e-6f);
    }

    [Fact]
    public void Only_the_decision_is_told()
    {
        float[] scores = [0.7f, 0.2f];
        new OutputHardening { LabelOnly = true }.Apply([1f, 2f], 2, scores);
        Assert.Equal([1f, 0f], scores);
        float[] classes = [0.2f, 0.5f, 0.3f];
        new OutputHardening { LabelOnly = true }.Apply([1f], 1, classes);
        Assert.Equal([0f, 1f, 0f], classes);
    }

    [Fact]
    public void The_largest_classes_are_told()
    {
        float[] classes = [0.2f, 0.5f, 0.3f];
        new OutputHardening { TopClasses = 2 }.Apply([1f], 1, classes);
        Assert.Equal([0f, 0.5f, 0.3f], classes);
    }

    [Fact]
    public void Noise_is_the_same_for_the_same_row_and_never_changes_the_decision()
    {
        var hardening = new OutputHardening { Noise = 2, NoiseKey = s_key };
        var random = new Random(1);
        var moved = 0;
        for (var i = 0; i < 2000; i++)
        {
            float[] row = [random.NextSingle(), random.NextSingle()];
            var score = random.NextSingle();
            float[] one = [score], again = [score];
            hardening.Apply(row, 1, one);
            hardening.Apply(row, 1, again);
            Assert.Equal(one[0], again[0]);
            Assert.Equal(score > 0.5f, one[0] > 0.5f);
            moved += Math.Abs(one[0] - score) > 0.01 ? 1 : 0;
            float[] classes = [score, random.NextSingle(), random.NextSingle()];
            var label = Array.IndexOf(classes, classes.Max());
            hardening.Apply(row, 1, classes);
            Assert.Equal(label, Array.IndexOf(classes, classes.Max()));
            Assert.Equal(1, classes.Sum(), 1e-4f);
        }

        Assert.True(moved > 1000);
        float[] here = [0.3f], elsewhere = [0.3f];
        hardening.Apply([1f], 1, here);
        (hardening with { NoiseKey = Convert.ToBase64String([1, .. new byte[31]]) }).Apply([1f], 1, elsewhere);
        Assert.NotEqual(here[0], elsewhere[0]);
    }

    [Fact]
    public void Another_writing_of_the_same_numbers_draws_no_other_noise()
    {
        var hardening = new OutputHardening { Noise = 2, NoiseKey = s_key };
        float Told(params float[] row)
        {
            float[] score = [0.7f];
            hardening.Apply(row, 1, score);
            return score[0];
        }

        Assert.Equal(Told(0f, 1f), Told(-0f, 1f));
        Assert.Equal(Told(float.NaN, 1f), Told(BitConverter.UInt32BitsToSingle(0x7FC0_1234), 1f));
        Assert.NotEqual(Told(0f, 1f), Told(1f, 0f));
    }

    [Fact]
    public void Rounding_keeps_the_label_the_order_and_goes_not_above_one()
    {
        float[] even = [0.49999997f, 0.5f, 0f];
        new OutputHardening { Decimals = 0 }.Apply([1f], 1, even);
        Assert.Equal([0f, 1f, 0f], even);
        float[] free = [0.96f, 0.97f, 0.2f];
        new OutputHardening { Decimals = 1 }.Apply([1f], 1, free);
        Assert.Equal([0.9f, 1f, 0.2f], free);
        float[] close = [0.33f, 0.33f, 0.34f];
        new OutputHardening { Decimals = 1 }.Apply([1f], 1, close);
        Assert.Equal([0.3f, 0.3f, 0.4f], close);
    }

    [Theory]
    [InlineData("""{"decimals":7}""")]
    [InlineData("""{"noise":0.5}""")]                      // no key
    [InlineData("""{"noise":-1}""")]
    [InlineData("""{"topClasses":0}""")]
    [InlineData("""{"label":true}""")]                    // no such member
    [InlineData("""{"decimals":1,"decimals":2}""")]
    [InlineData("null")]
    [InlineData("{")]
    public void What_is_no_hardening_is_refused(string json) => Assert.Throws<InvalidDataException>(() => OutputHardening.Parse(System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void What_is_written_is_read()
    {
        var hardening = new OutputHardening { Decimals = 2, TopClasses = 3, LabelOnly = true, Noise = 0.5, NoiseKey = s_key };
        Assert.Equal(hardening, OutputHardening.Parse(hardening.ToBytes()));
    }
}
