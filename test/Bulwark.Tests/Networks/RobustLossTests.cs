using Bulwark.Networks;

namespace Bulwark.Tests.Networks;

public class RobustLossTests
{
    public static TheoryData<bool, int> LossesAndOutputs() => new() { { true, 1 }, { true, 2 }, { true, 4 }, { false, 1 }, { false, 3 } };

    [Theory]
    [MemberData(nameof(LossesAndOutputs))]
    public void Derivatives_by_both_sides_are_difference_quotients(bool trades, int outputs)
    {
        var random = new Random(3);
        double[] clean = [.. Enumerable.Range(0, 5 * outputs).Select(_ => (random.NextDouble() * 4) - 2)], moved = [.. clean.Select(value => value + random.NextDouble() - 0.5)];
        int[] labels = [.. Enumerable.Range(0, 5).Select(_ => random.Next(Math.Max(2, outputs)))];
        var (byClean, byMoved) = (new double[clean.Length], new double[clean.Length]);
        Value(trades, clean, moved, labels, outputs, byClean, byMoved);
        for (var i = 0; i < clean.Length; i++)
        {
            Assert.Equal(Quotient(trades, clean, moved, labels, outputs, clean, i), byClean[i], 1e-7);
            Assert.Equal(Quotient(trades, clean, moved, labels, outputs, moved, i), byMoved[i], 1e-7);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_logit_is_the_second_of_two(bool trades)
    {
        double[] clean = [0.3, -1.2], moved = [0.9, 0.4];
        int[] labels = [1, 0];
        double[] two = [0, 0.3, 0, -1.2], movedTwo = [0, 0.9, 0, 0.4];
        var (byClean, byMoved, byTwo, byMovedTwo) = (new double[2], new double[2], new double[4], new double[4]);
        Assert.Equal(Value(trades, two, movedTwo, labels, 2, byTwo, byMovedTwo), Value(trades, clean, moved, labels, 1, byClean, byMoved), 1e-14);
        Assert.Equal([byTwo[1], byTwo[3]], byClean);
        Assert.Equal([byMovedTwo[1], byMovedTwo[3]], byMoved);
    }

    [Fact]
    public void An_unmoved_row_diverges_by_nothing()
    {
        double[] logits = [1, -2, 0.5], losses = [7], slopes = [7, 7, 7];
        RobustLoss.Divergence(logits, logits, 3, losses, slopes);
        Assert.Equal([0], losses);
        Assert.Equal([0, 0, 0], slopes);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => RobustLoss.Trades(new double[4], new double[3], [0, 1], 2, 1, new double[4], new double[4]));
        Assert.Throws<ArgumentException>(() => RobustLoss.Mart(new double[4], new double[4], [0, 2], 2, 1, new double[4], new double[4]));
        Assert.Throws<ArgumentException>(() => RobustLoss.Trades<double>([], [], [], 2, 1, [], []));
    }

    private static double Value(bool trades, double[] clean, double[] moved, int[] labels, int outputs, double[] byClean, double[] byMoved) => trades
        ? RobustLoss.Trades(clean, moved, labels, outputs, 3, byClean, byMoved)
        : RobustLoss.Mart(clean, moved, labels, outputs, 3, byClean, byMoved);

    private static double Quotient(bool trades, double[] clean, double[] moved, int[] labels, int outputs, double[] values, int i)
    {
        const double Step = 1e-6;
        var (kept, unused) = (values[i], new double[clean.Length]);
        values[i] = kept + Step;
        var above = Value(trades, clean, moved, labels, outputs, unused, new double[clean.Length]);
        values[i] = kept - Step;
        var below = Value(trades, clean, moved, labels, outputs, unused, new double[clean.Length]);
        values[i] = kept;
        return (above - below) / (2 * Step);
    }
}
