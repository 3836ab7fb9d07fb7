using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class TransactionSimulatorTests
{
    private static readonly SimulationOptions Small = new() { Customers = 300, Terminals = 600, Days = 60, Seed = 7 };
    private static readonly Table Payments = Simulate(Small);

    [Fact]
    public void The_columns_are_those_promised() => Assert.Equal(TransactionSimulator.ColumnNames, Payments.Columns.Select(column => column.Name));

    [Fact]
    public void One_seed_gives_one_table_and_another_seed_another()
    {
        var again = Simulate(Small);
        Assert.All(Payments.Columns, column => Assert.True(Enumerable.Range(0, Payments.Rows).All(row => column.Text(row) == again[column.Name].Text(row))));
        Assert.NotEqual(Payments.Numbers("amount")[..50], Simulate(Small with { Seed = 8 }).Numbers("amount")[..50]);
    }

    [Fact]
    public void A_known_seed_gives_these_rows_on_every_machine()
    {
        Assert.Equal("time,customer_id,terminal_id,amount,card_number", string.Join(',', Fields(-1)));
        Assert.Equal(Expected, Enumerable.Range(0, 3).Select(row => string.Join(',', Fields(row))));
        static IEnumerable<string?> Fields(int row) => new[] { "time", "customer_id", "terminal_id", "amount", "card_number" }
            .Select(name => row < 0 ? name : Payments[name].Text(row));
    }

    private static readonly string[] Expected =
    [
        "2018-04-01T00:01:20Z,188,93,104.52,4044556245258885",
        "2018-04-01T00:02:35Z,3,387,37.9,5134419864206461",
        "2018-04-01T00:13:30Z,185,92,68.78,4883785259891547",
    ];

    [Fact]
    public void Rows_are_in_order_of_time_and_inside_the_days_asked_for()
    {
        var times = Payments.Times("time");
        Assert.Equal(times.Order(), times);
        var start = (long)(new DateTime(2018, 4, 1, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).TotalMicroseconds;
        Assert.InRange(times[0], start, start + TimeColumn.Day);
        Assert.InRange(times[^1], start + 59 * TimeColumn.Day, start + 60 * TimeColumn.Day);
    }

    [Fact]
    public void Rows_and_fraud_are_about_as_many_as_the_published_simulator_makes()
    {
        var perCustomerDay = (double)Payments.Rows / (Small.Customers * Small.Days);
        Assert.InRange(perCustomerDay, 1.7, 2.2);
        Assert.InRange(Payments.Numbers("is_fraud").Average(), 0.004, 0.02);
        Assert.Equal([0, 1, 2, 3], Payments.Numbers("fraud_scenario").Distinct().Order());
    }

    [Fact]
    public void Honest_amounts_stay_at_or_below_220_and_every_fraud_has_a_scenario()
    {
        var (amount, fraud, scenario) = (Payments.Numbers("amount"), Payments.Numbers("is_fraud"), Payments.Numbers("fraud_scenario"));
        for (var i = 0; i < Payments.Rows; i++)
        {
            Assert.Equal(scenario[i] > 0, fraud[i] == 1);
            Assert.True(amount[i] <= 220 || fraud[i] == 1);
        }
    }

    [Fact]
    public void A_terminal_once_compromised_is_only_fraud_for_28_days()
    {
        var (day, terminal, scenario) = (Days(), Payments.Numbers("terminal_id"), Payments.Numbers("fraud_scenario"));
        var first = Enumerable.Range(0, Payments.Rows).First(i => scenario[i] == 2);
        var row = Enumerable.Range(0, Payments.Rows).Where(i => terminal[i] == terminal[first] && day[i] >= day[first] && day[i] < day[first] + 14);
        Assert.All(row, i => Assert.NotEqual(0, scenario[i]));
    }

    [Fact]
    public void A_person_keeps_one_card_and_it_passes_Luhn()
    {
        var cards = ((TextColumn)Payments["card_number"]).Values;
        var customer = Payments.Numbers("customer_id");
        Assert.All(cards.Zip(customer).GroupBy(pair => pair.Second), group => Assert.Single(group.Select(pair => pair.First).Distinct()));
        Assert.All(cards.Distinct(), card => Assert.True(LuhnCheck.Holds(card) && card!.Length == 16));
    }

    [Fact]
    public void As_many_rows_as_asked_for_come_out()
    {
        foreach (var rows in new[] { 1, 500, 20_000 })
            Assert.Equal(rows, Simulate(SimulationOptions.ForRows(rows, days: 40)).Rows);
    }

    [Fact]
    public void Impossible_worlds_are_refused_with_every_fault()
    {
        var fault = Assert.Throws<ArgumentException>(() => Simulate(new() { Customers = 0, Days = 0 }));
        Assert.Contains("Customers", fault.Message);
        Assert.Contains("Days", fault.Message);
    }

    [Fact]
    public void The_own_logarithm_agrees_with_the_platform()
    {
        for (var x = 1e-12; x < 1e6; x *= 1.37)
            Assert.Equal(Math.Log(x), RandomStream.Logarithm(x), 1e-13 * Math.Max(1, Math.Abs(Math.Log(x))));
    }

    [Fact]
    public void The_generator_draws_what_it_says()
    {
        var random = new RandomStream(1, 2, 3);
        double sum = 0, squares = 0, arrivals = 0;
        const int Draws = 200_000;
        for (var i = 0; i < Draws; i++)
        {
            var normal = random.Normal(3, 2);
            (sum, squares) = (sum + normal, squares + (normal - 3) * (normal - 3));
            arrivals += random.Poisson(2.5);
            Assert.InRange(random.Below(7), 0, 6);
        }

        Assert.Equal(3, sum / Draws, 0.02);
        Assert.Equal(4, squares / Draws, 0.06);
        Assert.Equal(2.5, arrivals / Draws, 0.02);
    }

    [Fact]
    public void The_generator_is_xoshiro256_star_star()
    {
        // The reference implementation with state 1, 2, 3, 4.
        var random = RandomStream.FromState(1, 2, 3, 4);
        Assert.Equal([11520UL, 0, 1509978240, 1215971899390074240], new[] { random.Bits(), random.Bits(), random.Bits(), random.Bits() });
    }

    private static Table Simulate(SimulationOptions options) => TransactionSimulator.Simulate(options, null, TestContext.Current.CancellationToken);

    private static long[] Days() => [.. Payments.Times("time").Select(time => time / TimeColumn.Day)];
}
