using Bulwark.Data;
using Bulwark.Training;

namespace Bulwark.Tests.Datasets;

public class RowSplitTests
{
    [Fact]
    public void By_time_every_test_row_is_later_than_every_training_row()
    {
        var split = RowSplit.ByTime(Timed([5, 1, 4, 2, 3]), "when", 0.4);
        Assert.Equal([1, 3, 4], split.Train);
        Assert.Equal([0, 2], split.Test);
    }

    [Fact]
    public void Rows_of_one_time_stay_together() =>
        Assert.Equal([1, 2, 3], RowSplit.ByTime(Timed([1, 2, 2, 2]), "when", 0.25).Test);

    [Fact]
    public void One_time_for_all_rows_is_refused() =>
        Assert.Throws<DatasetException>(() => RowSplit.ByTime(Timed([2, 2, 2]), "when", 0.5));

    [Fact]
    public void A_missing_time_is_refused_with_its_row()
    {
        var refusal = Assert.Throws<DatasetException>(() => RowSplit.ByTime(Timed([1, TimeColumn.Missing, 2]), "when", 0.5));
        Assert.Equal(2, refusal.Row);
    }

    [Fact]
    public void By_hash_each_row_is_on_one_side_and_the_shares_are_near()
    {
        var table = Numbered(10_000);
        var split = RowSplit.ByHash(table, seed: 1, testFraction: 0.2);
        Assert.Equal(Enumerable.Range(0, 10_000), split.Train.Concat(split.Test).Order());
        Assert.InRange(split.Test.Length, 1840, 2160);   // four standard deviations of 40
        Assert.Equal(split.Test, RowSplit.ByHash(table, seed: 1, testFraction: 0.2).Test);
        Assert.NotEqual(split.Test, RowSplit.ByHash(table, seed: 2, testFraction: 0.2).Test);
    }

    [Fact]
    public void Equal_rows_share_a_side()
    {
        var table = Numbered(100);
        var twice = table.Take([.. Enumerable.Range(0, 100), .. Enumerable.Range(0, 100)]);
        var split = RowSplit.ByHash(twice, seed: 3, testFraction: 0.5);
        Assert.Empty(split.Train.Select(row => row % 100).Intersect(split.Test.Select(row => row % 100)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void A_fraction_outside_0_to_1_is_refused(double fraction) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RowSplit.ByHash(Numbered(10), 1, fraction));

    private static Table Timed(long[] times) => new([new TimeColumn("when", times)]);

    private static Table Numbered(int rows) => new([new NumberColumn("n", [.. Enumerable.Range(0, rows).Select(row => (double)row)])]);
}
