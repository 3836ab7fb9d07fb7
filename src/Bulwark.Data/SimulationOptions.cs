namespace Bulwark.Data;

/// <summary>The world that <see cref="TransactionSimulator"/> makes. The defaults are the published ones.</summary>
public sealed record SimulationOptions
{
    /// <summary>Mean of the daily rate, times the share of the day's normal clock inside the day.</summary>
    private const double PerCustomerDay = 2 * 0.969;

    /// <summary>Card holders.</summary>
    /// <value>5000</value>
    public int Customers { get; init; } = 5000;

    /// <summary>Payment terminals.</summary>
    /// <value>10000</value>
    public int Terminals { get; init; } = 10_000;

    /// <summary>Days simulated.</summary>
    /// <value>183</value>
    public int Days { get; init; } = 183;

    /// <summary>The first day, UTC.</summary>
    /// <value>2018-04-01</value>
    public DateOnly Start { get; init; } = new(2018, 4, 1);

    /// <summary>The same seed gives the same table, byte for byte, on every machine.</summary>
    /// <value>0</value>
    public ulong Seed { get; init; }

    /// <summary>Keeps only this many rows, the earliest.</summary>
    /// <value>null: all</value>
    public int? MaxRows { get; init; }

    /// <summary>How far from home a customer pays; the world is a square of side 100.</summary>
    /// <value>5</value>
    public double Radius { get; init; } = 5;

    /// <summary>Whether the columns with personal data are made (card number, SSN, name, e-mail, medical history).</summary>
    /// <value>true</value>
    public bool PersonalData { get; init; } = true;

    /// <summary>The smallest world of the published proportions that gives at least <paramref name="rows"/> rows, cut to them.</summary>
    /// <param name="rows">Rows wanted, above 0.</param>
    /// <param name="days">Days simulated.</param>
    /// <param name="seed">The seed.</param>
    public static SimulationOptions ForRows(int rows, int days = 183, ulong seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(days, 1);
        var customers = rows / (PerCustomerDay * days);
        customers += 5 * 0.6 * Math.Sqrt(customers) + 5;   // five standard deviations of the sum of the customers' rates
        var whole = (int)Math.Min(Math.Ceiling(customers), int.MaxValue / 4);
        return new() { Customers = whole, Terminals = 2 * whole, Days = days, Seed = seed, MaxRows = rows };
    }

    /// <summary>Days that the rows are expected to reach: fewer than <see cref="Days"/> where <see cref="MaxRows"/> ends the simulation before. Known before any row is.</summary>
    public double ExpectedDays => MaxRows is { } rows ? Math.Min(Days, rows / (PerCustomerDay * Customers)) : Days;

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Customers < 1)
            yield return $"{nameof(Customers)} is {Customers}; it must be at least 1.";
        if (Terminals < 1)
            yield return $"{nameof(Terminals)} is {Terminals}; it must be at least 1.";
        if (Days is < 1 or > 3660)
            yield return $"{nameof(Days)} is {Days}; it must be 1 to 3660.";
        if (MaxRows < 1)
            yield return $"{nameof(MaxRows)} is {MaxRows}; it must be at least 1.";
        if (!(Radius > 0) || !double.IsFinite(Radius))
            yield return $"{nameof(Radius)} is {Radius}; it must be finite and above 0.";
        if ((double)Customers * Days * 2 > Array.MaxLength)
            yield return $"{Customers} customers over {Days} days make more rows than one table holds; ask for fewer.";
    }
}
