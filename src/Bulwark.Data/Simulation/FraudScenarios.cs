namespace Bulwark.Data;

/// <summary>The three published ways to cheat, laid over payments that are in order of time.</summary>
internal static class FraudScenarios
{
    private const int ObviousCents = 22_000;
    private const int TerminalDays = 28, CustomerDays = 14, AmountFactor = 5;
    private const double TerminalsPerDay = 2.0 / 10_000, CustomersPerDay = 3.0 / 5000;

    internal static void Apply(Payment[] payments, SimulationOptions options)
    {
        foreach (ref var payment in payments.AsSpan())
        {
            if (payment.Cents > ObviousCents)
                payment.Scenario = 1;
        }

        CompromiseTerminals(payments, options);
        CompromiseCustomers(payments, options);
    }

    /// <summary>Each day two terminals in 10,000 fall: every payment there is fraud for 28 days.</summary>
    private static void CompromiseTerminals(Payment[] payments, SimulationOptions options)
    {
        var random = new RandomStream(options.Seed, 4, 0);
        var until = new int[options.Terminals];
        var at = 0;
        for (var day = 0; day < options.Days; day++)
        {
            foreach (var terminal in Sample(ref random, options.Terminals, Today(TerminalsPerDay * options.Terminals, day)))
                until[terminal] = day + TerminalDays;
            for (; at < payments.Length && payments[at].Day == day; at++)
            {
                if (until[payments[at].Terminal] > day)
                    payments[at].Scenario = 2;
            }
        }
    }

    /// <summary>Each day three customers in 5,000 lose their card data: a third of their payments of 14 days is fraud, five times as large.</summary>
    private static void CompromiseCustomers(Payment[] payments, SimulationOptions options)
    {
        var random = new RandomStream(options.Seed, 5, 0);
        var byCustomer = new List<int>[options.Customers];
        for (var i = 0; i < payments.Length; i++)
            (byCustomer[payments[i].Customer] ??= []).Add(i);
        for (var day = 0; day < options.Days; day++)
        {
            foreach (var customer in Sample(ref random, options.Customers, Today(CustomersPerDay * options.Customers, day)))
            {
                var window = (byCustomer[customer] ?? []).Where(i => payments[i].Day >= day && payments[i].Day < day + CustomerDays).ToArray();
                foreach (var pick in Sample(ref random, window.Length, window.Length / 3))
                    Steal(ref payments[window[pick]]);
            }
        }
    }

    private static void Steal(ref Payment payment)
    {
        if (payment.Scenario == 3)
            return;
        payment.Cents *= AmountFactor;
        payment.Scenario = 3;
    }

    /// <summary>How many fall on <paramref name="day"/> when <paramref name="rate"/> fall a day on average: whole numbers that add up.</summary>
    private static int Today(double rate, int day) => (int)(Math.Floor(rate * (day + 1) + 1e-9) - Math.Floor(rate * day + 1e-9));

    /// <summary><paramref name="count"/> distinct numbers below <paramref name="total"/> (Floyd's sampling).</summary>
    private static SortedSet<int> Sample(ref RandomStream random, int total, int count)
    {
        var chosen = new SortedSet<int>();
        for (var i = total - Math.Min(count, total); i < total; i++)
        {
            var pick = random.Below(i + 1);
            chosen.Add(chosen.Contains(pick) ? i : pick);
        }

        return chosen;
    }
}
