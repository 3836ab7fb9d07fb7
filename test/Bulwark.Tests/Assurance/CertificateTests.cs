using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

public class CertificateTests
{
    /// <summary>For a linear decision the true radius of the smoothed model is the distance to the boundary.</summary>
    [Fact]
    public void A_certified_radius_is_below_the_true_one_and_near_it()
    {
        var smoothing = new RandomizedSmoothing { Sigma = 0.25, Draws = 20_000, Alpha = 1e-9 };
        foreach (var distance in (float[])[0.1f, 0.3f, 0.5f])
        {
            var certificate = smoothing.Certify(new HalfSpace(), [0.5f + distance, 0.7f]);
            Assert.Equal((SmoothingVerdict.Certified, 1), (certificate.Verdict, certificate.Class));
            Assert.InRange(certificate.Radius, distance * 0.75, distance);   // above the truth: with a chance of 1e-9 at most
        }
    }

    [Fact]
    public void On_the_boundary_it_abstains()
    {
        var smoothing = new RandomizedSmoothing { Sigma = 0.25, Draws = 2000, Alpha = 1e-9 };
        Assert.Equal(SmoothingVerdict.Abstained, smoothing.Certify(new HalfSpace(), [0.5f, 0.2f]).Verdict);
        Assert.Null(smoothing.Predict(new HalfSpace(), [0.5f, 0.2f]));
        Assert.Equal(0, smoothing.Predict(new HalfSpace(), [0.1f, 0.2f]));
        Assert.Equal(SmoothingVerdict.Abstained, default(SmoothedCertificate).Verdict);
    }

    [Fact]
    public void A_model_whose_scores_are_no_numbers_gets_no_certificate() =>
        Assert.Equal(SmoothingVerdict.Abstained, new RandomizedSmoothing { Sigma = 1, Draws = 500 }.Certify(new NoNumbers(), [0.5f, 0.2f]).Verdict);

    [Fact]
    public void Settings_and_rows_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new RandomizedSmoothing { Sigma = 0 }.Certify(new HalfSpace(), [0, 0]));
        Assert.Throws<ArgumentException>(() => new RandomizedSmoothing { Sigma = 1, Alpha = 1 }.Predict(new HalfSpace(), [0, 0]));
        Assert.Throws<ArgumentException>(() => new RandomizedSmoothing { Sigma = 1 }.Certify(new HalfSpace(), [0]));
    }

    [Theory]
    [InlineData(new[] { 7, 2 }, 0, 2)]
    [InlineData(new[] { 2, 7 }, 1, 2)]
    [InlineData(new[] { 2, 6 }, 1, 1)]
    [InlineData(new[] { 6, 2 }, 0, 2)]
    [InlineData(new[] { 4, 4 }, 0, 0)]
    [InlineData(new[] { 3, 1, 9 }, 2, 2)]
    public void A_vote_withstands_what_cannot_turn_it(int[] votes, int winner, int rows)
    {
        Assert.Equal((winner, rows), PartitionVote.Certify(votes));
        Assert.True(AllTurned(votes, rows).All(turned => Winner(turned) == winner), "so many changed votes keep the winner");
        Assert.Contains(AllTurned(votes, rows + 1), turned => Winner(turned) != winner);
    }

    [Fact]
    public void Parts_are_disjoint_and_do_not_depend_on_the_order_of_rows()
    {
        var random = new Random(1);
        float[] features = [.. Enumerable.Range(0, 300).Select(_ => random.NextSingle())];
        int[] labels = [.. Enumerable.Range(0, 100).Select(_ => random.Next(2))], order = [.. Enumerable.Range(0, 100).Reverse()];
        var parts = PartitionVote.Parts(features, 3, labels, 7);
        Assert.Equal(Enumerable.Range(0, 100), parts.SelectMany(part => part).Order());
        Assert.All(parts.SelectMany((part, index) => part.Select(row => (row, index))), member =>
            Assert.Equal(member.index, PartitionVote.PartOf(features.AsSpan(member.row * 3, 3), labels[member.row], 7)));
        var turned = PartitionVote.Parts(order.SelectMany(row => features[(row * 3)..((row + 1) * 3)]).ToArray(), 3, order.Select(row => labels[row]).ToArray(), 7);
        for (var part = 0; part < 7; part++)
            Assert.Equal(parts[part], turned[part].Select(row => order[row]));
    }

    [Fact]
    public void Interval_bounds_hold_against_search_and_are_exact_for_one_layer()
    {
        var network = DenseNetwork<double>.Create(new(4, [12, 8], 3), 5);
        double[] row = [0.2, 0.9, 0.5, 0.05];
        bool[] mutable = [true, true, false, true];
        var bound = IntervalBounds.Margin(network, row, 1, 0.1, mutable);
        var random = new Random(3);
        var logits = new double[3];
        for (var probe = 0; probe < 5000; probe++)
        {
            double[] moved = [.. row.Select((value, i) => mutable[i] ? Math.Clamp(value + ((random.Next(3) - 1) * 0.1), 0, 1) : value)];
            network.Forward(moved, 1, logits);
            Assert.True(logits[1] - Math.Max(logits[0], logits[2]) >= bound - 1e-12);
        }

        var linear = DenseNetwork<double>.Create(new(4, [], 1), 6);
        linear.Forward(row.Select((value, i) => Math.Clamp(value - (0.1 * Math.Sign(linear.Weights(0)[i])), 0, 1)).ToArray(), 1, logits.AsSpan(0, 1));
        Assert.Equal(logits[0], IntervalBounds.Margin(linear, row, 1, 0.1), 1e-12);
        Assert.Throws<NotSupportedException>(() => IntervalBounds.Margin(DenseNetwork<double>.Create(NetworkShape.OfImages(new(new(1, 2, 2), [new(1, 1)]), [], 1), 1), row, 0, 0.1));
    }

    private static int Winner(int[] votes) => Array.IndexOf(votes, votes.Max());

    /// <summary>All outcomes after so many votes went from anyone to anyone.</summary>
    private static IEnumerable<int[]> AllTurned(int[] votes, int count)
    {
        if (count == 0)
            return [votes];
        return from before in AllTurned(votes, count - 1)
               from loser in Enumerable.Range(0, votes.Length)
               where before[loser] > 0
               from gainer in Enumerable.Range(0, votes.Length)
               select before.Select((value, k) => value - (k == loser ? 1 : 0) + (k == gainer ? 1 : 0)).ToArray();
    }

    private sealed class HalfSpace : IQueriedModel
    {
        public int Inputs => 2;

        public int Classes => 2;

        public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores)
        {
            for (var row = 0; row < rows; row++)
                (scores[row * 2], scores[(row * 2) + 1]) = (0, points[row * 2] - 0.5f);
        }
    }

    private sealed class NoNumbers : IQueriedModel
    {
        public int Inputs => 2;

        public int Classes => 2;

        public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores) => scores.Fill(float.NaN);
    }
}
