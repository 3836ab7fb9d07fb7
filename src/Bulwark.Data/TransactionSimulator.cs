namespace Bulwark.Data;

/// <summary>Makes card payments with fraud among them, for trying things out where no real data may go.</summary>
/// <remarks>
/// After the transaction data simulator of Le Borgne, Siblini, Lebichot and Bontempi, "Reproducible Machine Learning for
/// Credit Card Fraud Detection: Practical Handbook" (2022), chapter 3. Customers live in a square of side 100, spend a mean
/// amount in [5, 100] with deviation half of it, [0, 4] times a day on average, at terminals within a radius. Fraud 1: the
/// amount exceeds 220. Fraud 2: a terminal is compromised for 28 days. Fraud 3: a customer is compromised for 14 days and a
/// third of the payments, five times as large, are not the customer's. Different from the book: the numbers of daily victims keep
/// the book's proportion to the population (2 in 10,000 terminals, 3 in 5,000 customers), so that a small world has about
/// 1 % fraud too; a customer with no terminal near uses the nearest; personal columns are added, one person a customer.
/// </remarks>
public static class TransactionSimulator
{
    /// <summary>The columns in order: id, time, customer, terminal and amount; personal data; label (1 is fraud) and scenario (0 to 3).</summary>
    public static IReadOnlyList<string> ColumnNames { get; } =
        ["transaction_id", "time", "customer_id", "terminal_id", "amount", "card_number", "ssn", "name", "email", "medical_history", "is_fraud", "fraud_scenario"];

    /// <summary>Simulates; rows are in order of time. The same options give the same table on every machine.</summary>
    /// <param name="options">The world.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="ArgumentException">The options have faults.</exception>
    public static Table Simulate(SimulationOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToArray();
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        var payments = Honest(options, progress, cancel);
        FraudScenarios.Apply(payments, options);
        var kept = payments.AsSpan(0, Math.Min(payments.Length, options.MaxRows ?? payments.Length));
        if (kept.IsEmpty)
            throw new ArgumentException("Nobody paid in so small a world; ask for more customers or days.", nameof(options));
        return new Table([.. Columns(kept, options.Start), .. options.PersonalData ? Personal(kept, options) : [], .. Labels(kept)])
            .Select(options.PersonalData ? ColumnNames : ColumnNames.Except(PersonalNames));
    }

    private static IEnumerable<string> PersonalNames => ColumnNames.Skip(5).Take(5);

    /// <summary>Every customer's payments, in order of time, then customer.</summary>
    private static Payment[] Honest(SimulationOptions options, IProgress<double>? progress, CancellationToken cancel)
    {
        var world = new World(options);
        var histories = new List<Payment>[options.Customers];
        var done = 0;
        Parallel.For(0, options.Customers, new ParallelOptions { CancellationToken = cancel }, customer =>
        {
            histories[customer] = CustomerHistory.Draw(options, world, customer);
            if (Interlocked.Increment(ref done) % 512 == 0)
                progress?.Report(0.8 * done / options.Customers);
        });
        var payments = new Payment[histories.Sum(history => history.Count)];
        var keys = new ulong[payments.Length];
        var at = 0;
        foreach (var history in histories)
        {
            foreach (var payment in history)
            {
                keys[at] = (ulong)payment.Second << 32 | (uint)at;
                payments[at++] = payment;
            }
        }

        Array.Sort(keys, payments);
        progress?.Report(0.9);
        return payments;
    }

    private static IEnumerable<Column> Columns(Span<Payment> payments, DateOnly start)
    {
        var (id, time, customer, terminal, amount) = (new double[payments.Length], new long[payments.Length], new double[payments.Length], new double[payments.Length], new double[payments.Length]);
        var origin = (start.ToDateTime(TimeOnly.MinValue).Ticks - DateTime.UnixEpoch.Ticks) / 10;
        for (var i = 0; i < payments.Length; i++)
        {
            id[i] = i;
            time[i] = origin + payments[i].Second * TimeColumn.Second;
            customer[i] = payments[i].Customer;
            terminal[i] = payments[i].Terminal;
            amount[i] = payments[i].Cents / 100.0;
        }

        return
        [
            new NumberColumn("transaction_id", id, integral: true), new TimeColumn("time", time), new NumberColumn("customer_id", customer, integral: true),
            new NumberColumn("terminal_id", terminal, integral: true), new NumberColumn("amount", amount),
        ];
    }

    private static IEnumerable<Column> Personal(Span<Payment> payments, SimulationOptions options)
    {
        var people = new Person[options.Customers];
        for (var i = 0; i < people.Length; i++)
            people[i] = Person.Draw(options.Seed, i);
        var texts = new string?[5][];
        for (var k = 0; k < texts.Length; k++)
            texts[k] = new string?[payments.Length];
        for (var i = 0; i < payments.Length; i++)
            (texts[0][i], texts[1][i], texts[2][i], texts[3][i], texts[4][i]) = people[payments[i].Customer];
        return PersonalNames.Select((name, k) => new TextColumn(name, texts[k]));
    }

    private static IEnumerable<Column> Labels(Span<Payment> payments)
    {
        var (fraud, scenario) = (new double[payments.Length], new double[payments.Length]);
        for (var i = 0; i < payments.Length; i++)
            (fraud[i], scenario[i]) = (payments[i].Scenario > 0 ? 1 : 0, payments[i].Scenario);
        return [new NumberColumn("is_fraud", fraud, integral: true), new NumberColumn("fraud_scenario", scenario, integral: true)];
    }
}
