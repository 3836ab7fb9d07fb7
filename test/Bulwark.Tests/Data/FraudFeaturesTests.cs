using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class FraudFeaturesTests
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 40, Terminals = 30, Days = 60, Seed = 3, PersonalData = false });

    private static Table Tiny(params (double Day, int Customer, int Terminal, double Amount, int Fraud)[] rows) => new([
        new TimeColumn("time", [.. rows.Select(row => (long)(row.Day * TimeColumn.Day))]),
        new NumberColumn("customer_id", [.. rows.Select(row => (double)row.Customer)]),
        new NumberColumn("terminal_id", [.. rows.Select(row => (double)row.Terminal)]),
        new NumberColumn("amount", [.. rows.Select(row => row.Amount)]),
        new NumberColumn("is_fraud", [.. rows.Select(row => (double)row.Fraud)])]);

    [Fact]
    public void There_are_fifteen_features_beside_time_and_label()
    {
        Assert.Equal(15, FraudFeatures.Names.Count);
        Assert.Equal(["time", .. FraudFeatures.Names, "is_fraud"], FraudFeatures.Compute(Payments).Columns.Select(column => column.Name));
    }

    [Fact]
    public void Small_windows_come_out_as_by_hand()
    {
        // 1970-01-01 was a Thursday.
        var features = FraudFeatures.Compute(Tiny((0.5, 1, 9, 10, 1), (1.0, 1, 9, 20, 0), (1.5, 1, 8, 30, 0), (2.25, 2, 9, 5, 0), (8.0, 1, 9, 40, 0), (9.5, 1, 9, 50, 0)));
        Assert.Equal([1, 2, 2, 1, 1, 1], features.Numbers("customer_count_1d"));       // (0.5, 1.5] leaves 0.5 out
        Assert.Equal([10, 15, 25, 5, 40, 50], features.Numbers("customer_mean_amount_1d"));
        Assert.Equal([1, 2, 3, 1, 2, 2], features.Numbers("customer_count_7d"));       // (1, 8] leaves day 1 out; (2.5, 9.5] too
        Assert.Equal([0, 0, 0, 0, 2, 1], features.Numbers("terminal_count_1d"));       // (0, 1] and (1.5, 2.5] of terminal 9
        Assert.Equal([0, 0, 0, 0, 0.5, 1 / 3d], features.Numbers("terminal_risk_7d"));
    }

    [Fact]
    public void Night_is_until_the_seventh_hour_and_weekend_is_saturday_and_sunday()
    {
        var features = FraudFeatures.Compute(Tiny((0.29, 1, 1, 1, 0), (0.3, 1, 1, 1, 0), (1.99, 1, 1, 1, 0), (2.0, 1, 1, 1, 0), (3.99, 1, 1, 1, 0), (4.0, 1, 1, 1, 0)));
        Assert.Equal([1, 0, 0, 1, 0, 1], features.Numbers("is_night"));
        Assert.Equal([0, 0, 0, 1, 1, 0], features.Numbers("is_weekend"));
    }

    [Fact]
    public void Windows_agree_with_a_search_through_all_rows()
    {
        var features = FraudFeatures.Compute(Payments);
        var (time, customer, terminal, amount, fraud) = (Payments.Times("time"), Payments.Numbers("customer_id"), Payments.Numbers("terminal_id"), Payments.Numbers("amount"), Payments.Numbers("is_fraud"));
        for (var i = 0; i < Payments.Rows; i += 37)
        {
            foreach (var days in new[] { 1, 7, 30 })
            {
                var own = Enumerable.Range(0, i + 1).Where(k => customer[k] == customer[i] && time[k] > time[i] - days * TimeColumn.Day).ToArray();
                Assert.Equal(own.Length, features.Numbers($"customer_count_{days}d")[i]);
                Assert.Equal(own.Average(k => amount[k]), features.Numbers($"customer_mean_amount_{days}d")[i], 9);
                var known = time[i] - 7 * TimeColumn.Day;
                var old = Enumerable.Range(0, i).Where(k => terminal[k] == terminal[i] && time[k] <= known && time[k] > known - days * TimeColumn.Day).ToArray();
                Assert.Equal(old.Length, features.Numbers($"terminal_count_{days}d")[i]);
                Assert.Equal(old.Length == 0 ? 0 : old.Average(k => fraud[k]), features.Numbers($"terminal_risk_{days}d")[i], 9);
            }
        }
    }

    [Fact]
    public void Changing_a_later_row_changes_no_earlier_feature()
    {
        var before = FraudFeatures.Compute(Payments);
        var cut = Payments.Rows / 2;
        var changed = Copy(Payments);
        for (var i = cut; i < Payments.Rows; i++)
        {
            changed.Numbers("amount")[i] = 9999;
            changed.Numbers("is_fraud")[i] = 1 - changed.Numbers("is_fraud")[i];
            changed.Numbers("terminal_id")[i] = 0;
            changed.Numbers("customer_id")[i] = 0;
        }

        var after = FraudFeatures.Compute(changed);
        Assert.All(FraudFeatures.Names, name => Assert.Equal(before.Numbers(name)[..cut], after.Numbers(name)[..cut]));
    }

    [Fact]
    public void A_label_younger_than_the_delay_changes_no_feature()
    {
        var time = Payments.Times("time");
        var judged = Payments.Rows - 1;
        var changed = Copy(Payments);
        for (var i = 0; i < Payments.Rows; i++)
        {
            if (time[i] > time[judged] - 7 * TimeColumn.Day)
                changed.Numbers("is_fraud")[i] = 1 - changed.Numbers("is_fraud")[i];
        }

        var (before, after) = (FraudFeatures.Compute(Payments), FraudFeatures.Compute(changed));
        Assert.All(FraudFeatures.Names, name => Assert.Equal(before.Numbers(name), after.Numbers(name)));
    }

    [Fact]
    public void Rows_in_another_order_get_the_same_features()
    {
        var backwards = Enumerable.Range(0, Payments.Rows).Reverse().ToArray();
        var (forth, back) = (FraudFeatures.Compute(Payments), FraudFeatures.Compute(Payments.Take(backwards)));
        for (var i = 0; i < Payments.Rows; i++)
            Assert.Equal(forth.Numbers("terminal_risk_30d")[i], back.Numbers("terminal_risk_30d")[Payments.Rows - 1 - i]);
    }

    [Fact]
    public void A_payment_without_an_amount_is_refused_by_row()
    {
        var broken = Copy(Payments);
        broken.Numbers("amount")[4] = double.NaN;
        Assert.Contains("Row 5 of column 'amount'", Assert.Throws<ArgumentException>(() => FraudFeatures.Compute(broken)).Message);
    }

    [Fact]
    public void A_split_by_time_leaves_the_gap_out_of_every_part()
    {
        var times = Payments.Times("time");
        var parts = TimeSplit.Rows(times, [0.6, 0.2, 0.2], TimeSpan.FromDays(2));
        Assert.Equal(3, parts.Count);
        for (var k = 1; k < 3; k++)
            Assert.True(parts[k].Min(i => times[i]) - parts[k - 1].Max(i => times[i]) > 2 * TimeColumn.Day);
        Assert.InRange(parts[0].Length, 0.59 * times.Length, 0.61 * times.Length);
    }

    [Fact]
    public void A_split_that_leaves_a_part_empty_is_refused() =>
        Assert.Contains("Part 2", Assert.Throws<ArgumentException>(() => TimeSplit.Rows(Payments.Times("time"), [0.5, 0.5], TimeSpan.FromDays(100))).Message);

    private static Table Copy(Table table) => table.Take([.. Enumerable.Range(0, table.Rows)]);
}
