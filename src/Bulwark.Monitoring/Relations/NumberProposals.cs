using System.Numerics.Tensors;

namespace Bulwark.Monitoring;

/// <summary>Relations between numbers that a sample keeps: orders, lines, sums of two, zeros that follow from zeros.</summary>
internal sealed class NumberProposals(ScreenField[] fields, ColumnSample sample, RelationOptions options)
{
    private const double Rounding = 1e-6;
    private const int MostOfAColumn = 8;
    private const double LargestResidual = 1e-3;   // of a standard deviation: looser than that is a correlation, no relation

    private readonly int[] _columns = [.. Enumerable.Range(0, fields.Length).Where(column => fields[column].Kind is not ScreenFieldKind.Categorical && RuleText.Feature(fields[column].Name) is not null && !sample.IsConstant(column)).Take(options.MostColumns)];
    private readonly HashSet<(int, int)> _lines = [];

    internal List<Proposal> All()
    {
        var lines = Lines().ToList();
        return [.. lines, .. Sums(), .. Pairs()];
    }

    /// <summary>Of each column the tightest: what shuffling breaks most often.</summary>
    private IEnumerable<Proposal> Pairs()
    {
        foreach (var left in _columns)
        {
            var (orders, zeros) = (new PriorityQueue<int, double>(), new PriorityQueue<int, double>());
            foreach (var right in _columns)
            {
                if (left == right || _lines.Contains((left, right)) || BothBinary(left, right))
                    continue;
                var (a, b) = (sample.Real[left], sample.Real[right]);
                if (AlwaysBelow(a, b))
                    Keep(orders, right, Share(left, right, static (x, y) => Above(x, y)));
                if (ZeroFollows(a, b))
                    Keep(zeros, right, Share(left, right, static (x, y) => x == 0 && y != 0));
            }

            foreach (var (right, _) in orders.UnorderedItems)
                yield return new(ProposalKind.Order, $"{Name(left)} <= {Name(right)}", [left, right]);
            foreach (var (right, _) in zeros.UnorderedItems)
                yield return new(ProposalKind.Zero, $"{Name(left)} = 0 => {Name(right)} = 0", [left, right]);
        }
    }

    private void Keep(PriorityQueue<int, double> tightest, int right, double share)
    {
        if (share < options.LeastShuffled)
            return;
        tightest.Enqueue(right, share);
        if (tightest.Count > MostOfAColumn)
            tightest.Dequeue();
    }

    /// <summary>y = k x + m, found by the correlation of the sample.</summary>
    private IEnumerable<Proposal> Lines()
    {
        var whole = _columns.Where(column => !sample.Real[column].Contains(float.NaN) && fields[column].Kind is not ScreenFieldKind.Binary).ToArray();
        var standard = whole.ToDictionary(column => column, column => Standardised(sample.Real[column]));
        foreach (var x in whole)
        {
            foreach (var y in whole.Where(y => y > x))
            {
                var ((xs, xMean, xDeviation), (ys, yMean, yDeviation)) = (standard[x], standard[y]);
                var correlation = TensorPrimitives.Dot<double>(xs, ys) / sample.Rows;
                if (Math.Abs(correlation) < 1 - 1e-6)
                    continue;
                var k = Rounded(Math.Sign(correlation) * yDeviation / xDeviation);
                var m = Rounded(yMean - (k * xMean));
                if (Math.Abs(m) < 1e-5 * yDeviation)
                    m = 0;
                var right = $"{(k == 1 ? "" : $"{RuleText.Number(k)} * ")}{Name(x)}{(m == 0 ? "" : $" + {RuleText.Number(m)}")}";
                if (Within(y, yDeviation, row => (k * sample.Real[x][row]) + m) is not { } within)
                    continue;
                _lines.Add((x, y));
                _lines.Add((y, x));
                yield return new(ProposalKind.Line, $"{Name(y)} = {right}{within}", [x, y]);
            }
        }
    }

    /// <summary>c = a + b: c is looked up by its value in one row, then tried in all.</summary>
    private IEnumerable<Proposal> Sums()
    {
        var whole = _columns.Where(column => !sample.Real[column].Contains(float.NaN)).ToArray();
        if (whole.Length < 3)
            yield break;
        var deviation = whole.ToDictionary(column => column, column => Standardised(sample.Real[column]).Deviation);
        // The row in which most columns are not 0 tells sums apart best.
        var probe = Enumerable.Range(0, sample.Rows).MaxBy(row => whole.Count(column => sample.Real[column][row] != 0));
        var byValue = whole.OrderBy(column => sample.Real[column][probe]).ToArray();
        var values = Array.ConvertAll(byValue, column => (double)sample.Real[column][probe]);
        var slack = whole.Max(column => LargestResidual * deviation[column]);
        foreach (var a in whole)
        {
            foreach (var b in whole.Where(b => b > a))
            {
                var sum = (double)sample.Real[a][probe] + sample.Real[b][probe];
                var at = Array.BinarySearch(values, sum - slack);
                for (var i = at < 0 ? ~at : at; i < values.Length && values[i] <= sum + slack; i++)
                {
                    var c = byValue[i];
                    if (c != a && c != b && !_lines.Contains((a, c)) && !_lines.Contains((b, c)) && Within(c, deviation[c], row => (double)sample.Real[a][row] + sample.Real[b][row]) is { } within)
                        yield return new(ProposalKind.Sum, $"{Name(c)} = {Name(a)} + {Name(b)}{within}", [a, b, c]);
                }
            }
        }
    }

    /// <summary>The tolerance as a rule says it: twice the largest residual; empty where only rounding is left, null where there is no such relation.</summary>
    private string? Within(int column, double deviation, Func<int, double> expected)
    {
        var (worst, largest) = (0.0, 0.0);
        for (var row = 0; row < sample.Rows; row++)
        {
            var (value, said) = (sample.Real[column][row], expected(row));
            worst = Math.Max(worst, Math.Abs(value - said) - (0.5 * Rounding * Math.Max(Math.Abs(value), Math.Abs(said))));
            largest = Math.Max(largest, Math.Abs(value));
            if (!(worst <= LargestResidual * deviation))
                return null;
        }

        return worst <= 0 ? "" : $" within {RuleText.Number(Math.Max(2 * worst, Rounding * largest))}";
    }

    private double Share(int left, int right, Func<float, float, bool> broken)
    {
        var (a, b, count) = (sample.Shuffled[left], sample.Shuffled[right], 0);
        for (var row = 0; row < a.Length; row++)
            count += broken(a[row], b[row]) ? 1 : 0;
        return (double)count / sample.Rows;
    }

    private static bool AlwaysBelow(float[] a, float[] b)
    {
        for (var row = 0; row < a.Length; row++)
        {
            if (Above(a[row], b[row]))
                return false;
        }

        return true;
    }

    private static bool ZeroFollows(float[] a, float[] b)
    {
        for (var row = 0; row < a.Length; row++)
        {
            if (a[row] == 0 && b[row] != 0 && !float.IsNaN(b[row]))
                return false;
        }

        return true;
    }

    private static bool Above(float a, float b) => a - (double)b > Rounding * Math.Max(Math.Abs(a), Math.Abs(b));

    private bool BothBinary(int left, int right) => fields[left].Kind is ScreenFieldKind.Binary && fields[right].Kind is ScreenFieldKind.Binary;

    private string Name(int column) => RuleText.Feature(fields[column].Name)!;

    private static (double[] Values, double Mean, double Deviation) Standardised(float[] values)
    {
        var wide = Array.ConvertAll(values, value => (double)value);
        var mean = TensorPrimitives.Sum<double>(wide) / wide.Length;
        TensorPrimitives.Subtract(wide, mean, wide);
        var deviation = Math.Sqrt(TensorPrimitives.SumOfSquares<double>(wide) / wide.Length);
        TensorPrimitives.Divide(wide, deviation, wide);
        return (wide, mean, deviation);
    }

    /// <summary>To six digits, as the rule will say it.</summary>
    private static double Rounded(double value) => double.Parse(value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
