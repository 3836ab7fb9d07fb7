using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

public class BackdoorTests
{
    [Fact]
    public void Planted_rows_stand_out_and_form_the_smaller_group()
    {
        var draws = new SeededDraws(2);
        double[] rows = [.. Enumerable.Range(0, 100).SelectMany(row => Enumerable.Range(0, 8).Select(j => draws.Normal() + (row < 10 && j < 2 ? 6 : 0)))];
        var scores = new double[100];
        BackdoorScores.Spectral(rows, 8, scores);
        Assert.Equal(Enumerable.Range(0, 10), Enumerable.Range(0, 100).OrderByDescending(row => scores[row]).Take(10).Order());
        var groups = BackdoorScores.TwoGroups(rows, 8, directions: 2);
        Assert.Equal(Enumerable.Range(0, 10), Enumerable.Range(0, 100).Where(row => groups[row] == 1));
        Assert.True(BackdoorScores.Silhouette(rows, 8, groups) > 0.3);
        Assert.Equal([3], BackdoorScores.AnomalyIndex([50, 52, 49, 8, 51, 53]).Select((index, k) => (index, k)).Where(pair => pair.index > 2).Select(pair => pair.k));
    }

    [Fact]
    public void Values_that_make_no_rows_are_refused() => Assert.Throws<ArgumentException>(() => BackdoorScores.Spectral([1, 2, 3], 2, new double[1]));
}
