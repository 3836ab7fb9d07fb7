namespace Bulwark.Data;

/// <summary>One payment while it is simulated.</summary>
/// <param name="Second">Seconds since the first day's midnight.</param>
/// <param name="Customer">Who pays, from 0.</param>
/// <param name="Terminal">Where, from 0.</param>
/// <param name="Cents">How much, in cents.</param>
internal record struct Payment(int Second, int Customer, int Terminal, int Cents)
{
    internal const int SecondsPerDay = 86_400;

    /// <summary>0 for honest, else the fraud scenario 1 to 3.</summary>
    internal byte Scenario { get; set; }

    internal readonly int Day => Second / SecondsPerDay;
}

/// <summary>What one customer does when nobody cheats: the published profile and its daily draws.</summary>
internal static class CustomerHistory
{
    internal static List<Payment> Draw(SimulationOptions options, World world, int customer)
    {
        var random = new RandomStream(options.Seed, 2, customer);
        var near = world.Near(random.Uniform(0, 100), random.Uniform(0, 100), options.Radius);
        var mean = random.Uniform(5, 100);
        var perDay = random.Uniform(0, 4);
        var payments = new List<Payment>((int)(perDay * options.Days) + 16);
        for (var day = 0; day < options.Days; day++)
        {
            for (var left = random.Poisson(perDay); left > 0; left--)
            {
                var clock = random.Normal(Payment.SecondsPerDay / 2.0, 20_000);
                if (clock is <= 0 or >= Payment.SecondsPerDay)
                    continue;
                var amount = random.Normal(mean, mean / 2);
                if (amount < 0)
                    amount = random.Uniform(0, 2 * mean);
                payments.Add(new(day * Payment.SecondsPerDay + (int)clock, customer, near[random.Below(near.Length)], (int)Math.Round(amount * 100)));
            }
        }

        return payments;
    }
}
