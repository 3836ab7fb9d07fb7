namespace Bulwark.Monitoring;

/// <summary>What one entry of a tape computes; the relations give 0 when they hold and else by how much they do not.</summary>
internal enum Operation : byte
{
    Constant, Feature, Add, Subtract, Multiply, Divide, Modulo, Power, Minimum, Maximum, Absolute, Logarithm, Exponential, Root, Floor, SafeDivide,
    LessOrEqual, Less, Equal, Differ, Or, And,
}

/// <summary>Collects the entries of a tape.</summary>
internal sealed class TapeBuilder
{
    internal static readonly IReadOnlyDictionary<string, (Operation, int)> Functions = new Dictionary<string, (Operation, int)>(StringComparer.Ordinal)
    {
        ["min"] = (Operation.Minimum, 2),
        ["max"] = (Operation.Maximum, 2),
        ["abs"] = (Operation.Absolute, 1),
        ["log"] = (Operation.Logarithm, 1),
        ["exp"] = (Operation.Exponential, 1),
        ["sqrt"] = (Operation.Root, 1),
        ["floor"] = (Operation.Floor, 1),
        ["div"] = (Operation.SafeDivide, 3),
    };

    private readonly List<Entry> _entries = [];

    internal int Mark() => _entries.Count;

    internal void Reset(int mark) => _entries.RemoveRange(mark, _entries.Count - mark);

    internal int Constant(double value) => Add(Operation.Constant, 0, 0, 0, value);

    internal int Feature(int index) => Add(Operation.Feature, index);

    internal int Add(Operation operation, int a, int b = 0, int c = 0, double constant = 0)
    {
        _entries.Add(new(operation, a, b, c, constant));
        return _entries.Count - 1;
    }

    internal Tape Finish(int root) => new([.. _entries], root);
}

/// <summary>One operation on earlier entries of its tape.</summary>
internal readonly record struct Entry(Operation Operation, int A, int B, int C, double Constant);

/// <summary>A relation, compiled: how far a raw row is from keeping it, and the derivative of that.</summary>
/// <remarks>
/// a ≤ b costs max(0, a - b); a &lt; b costs max(0, a - b + 2e-6); a = b within t costs max(0, |a - b| - t); "or" is the least, "and" the sum
/// (Simonetto et al., "A Unified Framework for Adversarial Attack and Defense in Constrained Feature Space", IJCAI 2022, table 1, arXiv:2112.01156).
/// <see cref="Holds"/> asks what a receiver would: equality and ≤ up to single-precision rounding, &lt; exactly.
/// </remarks>
internal sealed class Tape(Entry[] entries, int root)
{
    internal const double StrictGap = 2e-6;
    private const double Rounding = 1e-6;

    internal int Length => entries.Length;

    /// <summary>The feature alone on the left of an equality, and the tape of its right side; null for other relations.</summary>
    internal (int Feature, Tape Right)? Definition => entries[root] is { Operation: Operation.Equal } equal && entries[equal.A].Operation == Operation.Feature
        ? (entries[equal.A].A, new Tape(entries, equal.B)) : null;

    /// <summary>Features that the relation reads.</summary>
    internal IEnumerable<int> Features => entries.Where(entry => entry.Operation == Operation.Feature).Select(entry => entry.A).Distinct();

    internal bool Holds(ReadOnlySpan<float> row) => Run(row, stackalloc double[entries.Length], exact: true) == 0;

    internal double Value(ReadOnlySpan<float> row) => Run(row, stackalloc double[entries.Length], exact: false);

    internal double Value(ReadOnlySpan<double> row) => Run(row, stackalloc double[entries.Length], exact: false);

    /// <summary>The value, and <paramref name="scale"/> times its derivative added to <paramref name="gradient"/>.</summary>
    internal double Gradient(ReadOnlySpan<double> row, double scale, Span<double> gradient)
    {
        Span<double> values = stackalloc double[entries.Length];
        var value = Run(row, values, exact: false);
        if (value == 0 && entries[root].Operation >= Operation.LessOrEqual)
            return 0;
        Span<double> slopes = stackalloc double[entries.Length];
        slopes.Clear();
        slopes[root] = scale;
        for (var i = root; i >= 0; i--)
        {
            if (slopes[i] != 0)
                Back(entries[i], slopes[i], values[i], values, slopes, gradient);
        }

        return value;
    }

    private double Run<T>(ReadOnlySpan<T> row, Span<double> values, bool exact)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        for (var i = 0; i <= root; i++)
        {
            var entry = entries[i];
            values[i] = entry.Operation switch
            {
                Operation.Constant => entry.Constant,
                Operation.Feature => double.CreateTruncating(row[entry.A]),
                _ => Compute(entry, values, exact),
            };
        }

        return double.IsNaN(values[root]) ? double.PositiveInfinity : values[root];
    }

    private static double Compute(Entry entry, ReadOnlySpan<double> values, bool exact)
    {
        var (a, b) = (values[entry.A], values[entry.B]);
        var slack = exact ? Rounding * Math.Max(Math.Abs(a), Math.Abs(b)) : 0;
        return entry.Operation switch
        {
            Operation.Add => a + b,
            Operation.Subtract => a - b,
            Operation.Multiply => a * b,
            Operation.Divide => a / b,
            Operation.Modulo => a - (b * Math.Floor(a / b)),
            Operation.Power => Math.Pow(a, b),
            Operation.Minimum => Math.Min(a, b),
            Operation.Maximum => Math.Max(a, b),
            Operation.Absolute => Math.Abs(a),
            Operation.Logarithm => Math.Log(a),
            Operation.Exponential => Math.Exp(a),
            Operation.Root => Math.Sqrt(a),
            Operation.Floor => Math.Floor(a),
            Operation.SafeDivide => b == 0 ? values[entry.C] : a / b,
            Operation.LessOrEqual => Over(a - b - slack),
            Operation.Less => exact ? (a < b ? 0 : double.IsNaN(a - b) ? double.NaN : Math.Max(a - b, StrictGap)) : Over(a - b + StrictGap),
            Operation.Equal => Over(Math.Abs(a - b) - Math.Max(entry.Constant, slack)),
            Operation.Differ => Math.Abs(a - b) > entry.Constant ? 0 : StrictGap,
            Operation.Or => double.IsNaN(a) ? b : double.IsNaN(b) ? a : Math.Min(a, b),
            _ => a + b,
        };
    }

    private static double Over(double value) => value > 0 || double.IsNaN(value) ? value : 0;

    private static void Back(Entry entry, double slope, double value, ReadOnlySpan<double> values, Span<double> slopes, Span<double> gradient)
    {
        if (entry.Operation == Operation.Feature)
            gradient[entry.A] += slope;
        if (entry.Operation is Operation.Feature or Operation.Constant)
            return;
        var (a, b) = (values[entry.A], values[entry.B]);
        switch (entry.Operation)
        {
            case Operation.Add or Operation.And:
                (slopes[entry.A], slopes[entry.B]) = entry.A == entry.B ? (slopes[entry.A] + (2 * slope), slopes[entry.B] + (2 * slope)) : (slopes[entry.A] + slope, slopes[entry.B] + slope);
                return;
            case Operation.Subtract:
                slopes[entry.A] += slope;
                slopes[entry.B] -= slope;
                return;
            case Operation.Multiply:
                slopes[entry.A] += slope * b;
                slopes[entry.B] += slope * a;
                return;
            case Operation.Divide or Operation.SafeDivide when b != 0:
                slopes[entry.A] += slope / b;
                slopes[entry.B] -= slope * a / (b * b);
                return;
            case Operation.SafeDivide:
                slopes[entry.C] += slope;
                return;
            case Operation.Modulo:
                slopes[entry.A] += slope;
                slopes[entry.B] -= slope * Math.Floor(a / b);
                return;
            case Operation.Power:
                slopes[entry.A] += slope * b * Math.Pow(a, b - 1);
                if (a > 0)
                    slopes[entry.B] += slope * value * Math.Log(a);
                return;
            case Operation.Minimum or Operation.Or:
                slopes[a <= b || double.IsNaN(b) ? entry.A : entry.B] += slope;
                return;
            case Operation.Maximum:
                slopes[a >= b ? entry.A : entry.B] += slope;
                return;
            case Operation.Absolute:
                slopes[entry.A] += slope * Math.Sign(a);
                return;
            case Operation.Logarithm:
                slopes[entry.A] += slope / a;
                return;
            case Operation.Exponential:
                slopes[entry.A] += slope * value;
                return;
            case Operation.Root when value > 0:
                slopes[entry.A] += slope / (2 * value);
                return;
            case Operation.LessOrEqual or Operation.Less when value > 0:
                slopes[entry.A] += slope;
                slopes[entry.B] -= slope;
                return;
            case Operation.Equal when value > 0:
                slopes[entry.A] += slope * Math.Sign(a - b);
                slopes[entry.B] -= slope * Math.Sign(a - b);
                return;
        }
    }
}
