using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

/// <summary>The quick decision agrees with the exact distance, in every norm, and gives up rather than guesses.</summary>
public class TreeProofTests
{
    private static readonly TreeEnsemble s_ensemble = Grow();

    public static TheoryData<PerturbationNorm> Norms() => [PerturbationNorm.Linf, PerturbationNorm.L2, PerturbationNorm.L1];

    [Theory]
    [MemberData(nameof(Norms))]
    public void It_agrees_with_the_exact_distance(PerturbationNorm norm)
    {
        double[] units = [1, 2, 0.5];
        var (proof, exact, draws, told) = (new TreeProof(s_ensemble, units), new TreeVerifier(s_ensemble, units), new SeededDraws(8), new HashSet<TreeVerdict>());
        for (var i = 0; i < 40; i++)
        {
            float[] row = [(float)draws.Uniform(), (float)draws.Uniform(), (float)draws.Uniform()];
            var distance = exact.Distance(row, norm);
            Assert.True(distance.Exact);
            foreach (var within in (double[])[distance.Lower * 0.99, (distance.Lower * 1.01) + 1e-6])
            {
                var verdict = proof.Judge(row, norm, within, int.MaxValue);
                Assert.Equal(within < distance.Lower ? TreeVerdict.Resists : TreeVerdict.Falls, verdict);
                told.Add(verdict);
            }
        }

        Assert.Equal(2, told.Count);
    }

    [Fact]
    public void What_cannot_move_does_not()
    {
        double[] all = [1, 1, 1], none = [.. Enumerable.Repeat(double.PositiveInfinity, 3)];
        float[] row = [0.5f, 0.5f, 0.5f];
        Assert.Equal(TreeVerdict.Falls, new TreeProof(s_ensemble, all).Judge(row, PerturbationNorm.Linf, 1, int.MaxValue));
        Assert.Equal(TreeVerdict.Resists, new TreeProof(s_ensemble, none).Judge(row, PerturbationNorm.Linf, 1, int.MaxValue));
    }

    [Fact]
    public void A_search_that_was_cut_short_claims_nothing()
    {
        Assert.Equal(TreeVerdict.Unknown, default);
        Assert.Equal(TreeVerdict.Unknown, new TreeProof(s_ensemble, [1, 1, 1]).Judge([0.5f, 0.5f, 0.5f], PerturbationNorm.Linf, 1, mostSteps: 1));
    }

    /// <summary>Thirty trees of depth four on three numbers.</summary>
    private static TreeEnsemble Grow()
    {
        var draws = new SeededDraws(3);
        float[] rows = [.. Enumerable.Range(0, 600 * 3).Select(_ => (float)draws.Uniform())];
        int[] labels = [.. Enumerable.Range(0, 600).Select(row => rows[row * 3] + (0.5 * rows[(row * 3) + 1] * rows[(row * 3) + 2]) + (0.1 * draws.Normal()) > 0.6 ? 1 : 0)];
        return TreeTrainer.Train(rows, labels, 3, new() { Trees = 30, Depth = 4, LearningRate = 0.3 });
    }
}
