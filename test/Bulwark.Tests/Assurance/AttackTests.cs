using Bulwark.Assurance;
using Bulwark.Networks;
using Bulwark.Tests.Networks;

namespace Bulwark.Tests.Assurance;

public class AttackTests
{
    private static readonly NetworkShape s_shape = new(12, [16], 2);
    private static readonly bool[] s_mutable = [.. Enumerable.Range(0, 12).Select(column => column % 3 != 0)];
    private static readonly double[] s_inputs = [.. Samples.Inputs(s_shape, 700).Select(value => (value + 1) / 2)];
    private static readonly DenseNetwork<double> s_network = Balanced();
    private static readonly int[] s_labels = [.. Enumerable.Range(0, 700).Select(row => LossFunction.Predict<double>(Samples.Logits(s_network, s_inputs[(row * 12)..((row + 1) * 12)])))];

    [Theory]
    [InlineData(PerturbationNorm.Linf)]
    [InlineData(PerturbationNorm.L2)]
    [InlineData(PerturbationNorm.L1)]
    public void Points_stay_in_the_ball_in_the_box_and_where_they_may_not_move(PerturbationNorm norm)
    {
        var adversarial = new double[s_inputs.Length];
        new ProjectedGradientDescent { Norm = norm, Epsilon = 0.1, RandomStart = true, Restarts = 2 }.Run(s_network, s_inputs, s_labels, s_mutable, adversarial);
        AssertReachable(adversarial, norm, 0.1);
        Assert.NotEqual(s_inputs, adversarial);
        new AutoProjectedGradientDescent { Norm = norm, Epsilon = 0.1, Steps = 20, RandomStart = true }.Run(s_network, s_inputs, s_labels, s_mutable, adversarial);
        AssertReachable(adversarial, norm, 0.1);
    }

    [Fact]
    public void Stronger_attacks_break_more()
    {
        var fgsm = new double[s_inputs.Length];
        FastGradientSign.Run(s_network, s_inputs, s_labels, 0.1, s_mutable, fgsm);
        var pgd = new double[s_inputs.Length];
        new ProjectedGradientDescent { Epsilon = 0.1, Restarts = 3 }.Run(s_network, s_inputs, s_labels, s_mutable, pgd);
        var apgd = new double[s_inputs.Length];
        var broken = new bool[s_labels.Length];
        new AutoProjectedGradientDescent { Epsilon = 0.1 }.Run(s_network, s_inputs, s_labels, s_mutable, apgd, default, broken);
        AssertReachable(fgsm, PerturbationNorm.Linf, 0.1);
        AssertReachable(apgd, PerturbationNorm.Linf, 0.1);
        Assert.True(Wrong(fgsm) > 0);
        Assert.True(Wrong(pgd) >= Wrong(fgsm));
        Assert.True(Wrong(apgd) >= Wrong(fgsm));
        Assert.Equal(broken.Count(true), Wrong(apgd));
    }

    [Fact]
    public void No_room_means_no_change()
    {
        var adversarial = new double[s_inputs.Length];
        new ProjectedGradientDescent { Epsilon = 0, RandomStart = true, Restarts = 2 }.Run(s_network, s_inputs, s_labels, [], adversarial);
        Assert.Equal(s_inputs, adversarial);
        new AutoProjectedGradientDescent { Epsilon = 0 }.Run(s_network, s_inputs, s_labels, [], adversarial);
        Assert.Equal(s_inputs, adversarial);
    }

    [Fact]
    public void A_distance_that_is_no_distance_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProjectedGradientDescent { Epsilon = double.NaN }.Run(s_network, s_inputs, s_labels, [], new double[s_inputs.Length]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProjectedGradientDescent { Epsilon = -1 }.Run(s_network, s_inputs, s_labels, [], new double[s_inputs.Length]));
        Assert.Throws<ArgumentException>(() => new ProjectedGradientDescent { Epsilon = 1 }.Run(s_network, s_inputs, s_labels, [true], new double[s_inputs.Length]));
    }

    [Fact]
    public void Queried_rows_can_really_be_sent()
    {
        var (raw, labels) = Victims.Rows();
        var adversarial = new float[raw.Length];
        foreach (var epsilon in (double[])[0.03, 0.12, 1])
        {
            new QueryAttack { Epsilon = epsilon, Queries = 50 }.Run(Victims.Scorer(), Victims.Encoder, raw, labels, adversarial);
            var (before, after) = (Victims.Encoder.Encode(raw), Victims.Encoder.Encode(adversarial));
            for (var i = 0; i < raw.Length; i++)
            {
                Assert.True(Math.Abs(before[i] - after[i]) <= epsilon + 1e-5);
                if (i % 3 == 1)
                    Assert.Equal(Math.Round(adversarial[i]), adversarial[i]);
                if (i % 3 == 2)
                    Assert.Equal(raw[i], adversarial[i]);
                Assert.InRange(adversarial[i], 0, 1000);
            }
        }
    }

    [Fact]
    public void A_query_attack_keeps_to_its_budget()
    {
        var (raw, labels) = Victims.Rows();
        var asked = 0;
        var counting = new BentScorer(Victims.Scorer(), (_, scores) =>
        {
            asked += scores.Length;
            return scores;
        });
        var spent = new QueryAttack { Epsilon = 0.05, Queries = 25 }.Run(counting, Victims.Encoder, raw, labels, new float[raw.Length]);
        Assert.All(spent, queries => Assert.InRange(queries, 1, 25));
        Assert.Equal(asked, spent.Sum());
    }

    /// <summary>A network whose boundary runs through the middle of the rows.</summary>
    private static DenseNetwork<double> Balanced()
    {
        var network = Samples.Network(s_shape);
        var leads = Samples.Logits(network, s_inputs).Chunk(2).Select(pair => pair[1] - pair[0]).Order().ToArray();
        network.Biases(1)[0] += leads[leads.Length / 2];
        return network;
    }

    private static int Wrong(double[] points) =>
        Enumerable.Range(0, s_labels.Length).Count(row => LossFunction.Predict<double>(Samples.Logits(s_network, points[(row * 12)..((row + 1) * 12)])) != s_labels[row]);

    private static void AssertReachable(double[] points, PerturbationNorm norm, double epsilon)
    {
        for (var row = 0; row < s_labels.Length; row++)
        {
            double[] moves = [.. Enumerable.Range(row * 12, 12).Select(i => Math.Abs(points[i] - s_inputs[i]))];
            var distance = norm switch
            {
                PerturbationNorm.Linf => moves.Max(),
                PerturbationNorm.L2 => Math.Sqrt(moves.Sum(move => move * move)),
                _ => moves.Sum(),
            };
            Assert.True(distance <= epsilon + 1e-12);
            for (var column = 0; column < 12; column += 3)
                Assert.Equal(0, moves[column]);
        }

        Assert.All(points, value => Assert.InRange(value, 0, 1));
    }
}
