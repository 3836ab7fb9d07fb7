namespace Bulwark.Data;

/// <summary>Turns payments into fifteen numbers each, using at every row only what was known by then.</summary>
/// <remarks>
/// After Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection" (2022), chapter 3, "Baseline feature
/// transformation": the amount; weekend and night flags; for windows of 1, 7 and 30 days the customer's count and mean amount,
/// the row itself included; for the same windows, ended <see cref="FraudFeatureOptions.LabelDelay"/> before the row, the
/// terminal's count and the share of fraud in it. A window of w days before t is (t − w, t]. Rows of one instant count in file
/// order. Time is O(n log n) for the sort and O(n) for the windows.
/// </remarks>
public static class FraudFeatures
{
    private static readonly int[] WindowDays = [1, 7, 30];

    /// <summary>The fifteen names, in column order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "amount", "is_weekend", "is_night",
        .. WindowDays.SelectMany(days => new[] { $"customer_count_{days}d", $"customer_mean_amount_{days}d" }),
        .. WindowDays.SelectMany(days => new[] { $"terminal_count_{days}d", $"terminal_risk_{days}d" }),
    ];

    /// <summary>The time column, the fifteen features and the label (column is_fraud), row for row.</summary>
    /// <param name="table">Payments in any order.</param>
    /// <param name="options">The columns to read; null for the simulator's.</param>
    /// <exception cref="ArgumentException">A column is absent or of another kind, or a time, amount or id is missing: the message names the row.</exception>
    public static Table Compute(Table table, FraudFeatureOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        options ??= new();
        var times = table.Times(options.Time);
        var amounts = table.Numbers(options.Amount);
        var labels = table.Numbers(options.Label);
        foreach (var name in new[] { options.Time, options.Amount, options.Customer, options.Terminal })
            RequireWhole(table[name]);
        var order = Order(times);
        var values = Names.ToDictionary(name => name, _ => new double[table.Rows]);
        Calendar(times, amounts, values);
        foreach (var rows in Groups(table[options.Customer], order))
            Customer(rows, times, amounts, values);
        foreach (var rows in Groups(table[options.Terminal], order))
            Terminal(rows, times, labels, options.LabelDelay.Ticks / 10, values);
        return new Table([
            new TimeColumn("time", times),
            .. Names.Select(name => new NumberColumn(name, values[name], integral: name.StartsWith("is_", StringComparison.Ordinal) || name.Contains("_count_", StringComparison.Ordinal))),
            new NumberColumn("is_fraud", labels, integral: true)]);
    }

    private static void Calendar(long[] times, double[] amounts, Dictionary<string, double[]> values)
    {
        amounts.CopyTo(values["amount"], 0);
        var (weekend, night) = (values["is_weekend"], values["is_night"]);
        for (var i = 0; i < times.Length; i++)
        {
            var time = DateTime.UnixEpoch.AddTicks(times[i] * 10);
            weekend[i] = time.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 1 : 0;
            night[i] = time.Hour <= 6 ? 1 : 0;
        }
    }

    private static void Customer(ReadOnlySpan<int> rows, long[] times, double[] amounts, Dictionary<string, double[]> values)
    {
        var sums = Running(rows, amounts);
        foreach (var days in WindowDays)
        {
            var (count, mean) = (values[$"customer_count_{days}d"], values[$"customer_mean_amount_{days}d"]);
            for (int i = 0, first = 0; i < rows.Length; i++)
            {
                while (times[rows[first]] <= times[rows[i]] - days * TimeColumn.Day)
                    first++;
                count[rows[i]] = i + 1 - first;
                mean[rows[i]] = (sums[i + 1] - sums[first]) / (i + 1 - first);
            }
        }
    }

    private static void Terminal(ReadOnlySpan<int> rows, long[] times, double[] labels, long delay, Dictionary<string, double[]> values)
    {
        var frauds = Running(rows, labels);
        foreach (var days in WindowDays)
        {
            var (count, risk) = (values[$"terminal_count_{days}d"], values[$"terminal_risk_{days}d"]);
            for (int i = 0, first = 0, end = 0; i < rows.Length; i++)
            {
                var known = times[rows[i]] - delay;
                while (end < i && times[rows[end]] <= known)
                    end++;
                while (first < end && times[rows[first]] <= known - days * TimeColumn.Day)
                    first++;
                count[rows[i]] = end - first;
                risk[rows[i]] = end > first ? (frauds[end] - frauds[first]) / (end - first) : 0;
            }
        }
    }

    /// <summary>Sums of the first 0, 1, 2, … values; a missing one adds nothing.</summary>
    private static double[] Running(ReadOnlySpan<int> rows, double[] values)
    {
        var sums = new double[rows.Length + 1];
        for (var i = 0; i < rows.Length; i++)
            sums[i + 1] = sums[i] + (double.IsNaN(values[rows[i]]) ? 0 : values[rows[i]]);
        return sums;
    }

    private static int[] Order(long[] times)
    {
        var (keys, order) = (new (long, int)[times.Length], new int[times.Length]);
        for (var i = 0; i < order.Length; i++)
            (keys[i], order[i]) = ((times[i], i), i);
        Array.Sort(keys, order);
        return order;
    }

    /// <summary>The rows of each value of <paramref name="column"/>, each group in order of time.</summary>
    private static int[][] Groups(Column column, int[] order)
    {
        var groups = column switch
        {
            NumberColumn number => Number(number.Values, EqualityComparer<double>.Default),
            TextColumn text => Number(Array.ConvertAll(text.Values, value => value!), StringComparer.Ordinal),
            _ => throw new ArgumentException($"Column '{column.Name}' holds times; ids must be numbers or text."),
        };
        var counts = new int[groups.Count];
        foreach (var group in groups.Of)
            counts[group]++;
        var rows = counts.Select(count => new int[count]).ToArray();
        Array.Clear(counts);
        foreach (var row in order)
            rows[groups.Of[row]][counts[groups.Of[row]]++] = row;
        return rows;
    }

    private static (int[] Of, int Count) Number<T>(T[] values, IEqualityComparer<T> equality)
        where T : notnull
    {
        var numbers = new Dictionary<T, int>(equality);
        var of = new int[values.Length];
        for (var i = 0; i < of.Length; i++)
        {
            if (!numbers.TryGetValue(values[i], out of[i]))
                numbers.Add(values[i], of[i] = numbers.Count);
        }

        return (of, numbers.Count);
    }

    private static void RequireWhole(Column column)
    {
        for (var row = 0; row < column.Rows; row++)
        {
            if (column.IsMissing(row))
                throw new ArgumentException($"Row {row + 1} of column '{column.Name}' holds no value; every payment needs one.");
        }
    }
}
