using System.Globalization;

namespace Bulwark.Cli.Report;

/// <summary>An axis with its ends fixed: where a value lies, which ticks it has, how they are written.</summary>
internal sealed class PlotAxis
{
    private readonly ChartAxis _axis;
    private readonly double _low;
    private readonly double _high;

    private PlotAxis(ChartAxis axis, double low, double high)
    {
        (_axis, _low, _high) = (axis, low, high);
        Ticks = axis.Scale == ChartScale.Log ? Powers() : Round();
    }

    internal string Label => _axis.Label;

    internal IReadOnlyList<double> Ticks { get; }

    /// <summary>Takes the ends that are not given from the values; never an empty range.</summary>
    internal static PlotAxis Of(ChartAxis axis, IEnumerable<double> values)
    {
        var log = axis.Scale == ChartScale.Log;
        var usable = values.Where(value => double.IsFinite(value) && (!log || value > 0)).DefaultIfEmpty(log ? 0.1 : 0).ToArray();
        var low = axis.Minimum ?? usable.Min();
        var high = axis.Maximum ?? usable.Max();
        if (log)
        {
            low = axis.Minimum is > 0 ? low : Math.Pow(10, Math.Floor(Math.Log10(Math.Max(low, 1e-12)) + 1e-9));
            high = axis.Maximum is > 0 ? high : Math.Pow(10, Math.Ceiling(Math.Log10(Math.Max(high, 1e-12)) - 1e-9));
            return new(axis, low, high > low ? high : low * 10);
        }

        if (!(high > low))
            high = low + Math.Max(1, Math.Abs(low));
        var step = Step(low, high);
        return new(axis,
            axis.Minimum ?? Math.Floor(low / step + 1e-9) * step,
            axis.Maximum ?? Math.Ceiling(high / step - 1e-9) * step);
    }

    /// <summary>0 at the low end, 1 at the high end, held inside; NaN for what has no place.</summary>
    internal double Fraction(double value)
    {
        if (!double.IsFinite(value))
            return double.NaN;
        if (_axis.Scale == ChartScale.Linear)
            return Math.Clamp((value - _low) / (_high - _low), 0, 1);
        return value > 0 ? Math.Clamp(Math.Log(value / _low) / Math.Log(_high / _low), 0, 1) : double.NaN;
    }

    internal string Write(double value) => Write(value, _axis.Unit);

    /// <summary>A value for people: three significant digits, per cent where the unit says so.</summary>
    internal static string Write(double value, ChartUnit unit)
    {
        if (!double.IsFinite(value))
            return "–";
        if (unit == ChartUnit.Percent)
            return Significant(value * 100) + " %";
        return Significant(value);
    }

    private static string Significant(double value)
    {
        var size = Math.Abs(value);
        if (size >= 1e6)
            return value.ToString("0.##e0", CultureInfo.InvariantCulture);
        if (size >= 100)
            return value.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', ' ');
        if (size >= 10)
            return value.ToString("0.#", CultureInfo.InvariantCulture);
        if (size >= 1)
            return value.ToString("0.##", CultureInfo.InvariantCulture);
        return size is 0 or >= 1e-4 ? value.ToString(size >= 0.1 ? "0.###" : "0.#####", CultureInfo.InvariantCulture) : value.ToString("0.#e0", CultureInfo.InvariantCulture);
    }

    private double[] Powers()
    {
        var first = (int)Math.Ceiling(Math.Log10(_low) - 1e-9);
        var last = (int)Math.Floor(Math.Log10(_high) + 1e-9);
        var stride = Math.Max(1, (last - first + 5) / 6);
        return [.. Enumerable.Range(0, Math.Max(0, (last - first) / stride + 1)).Select(i => Math.Pow(10, last - i * stride)).Reverse()];
    }

    private double[] Round()
    {
        var step = Step(_low, _high);
        var first = Math.Ceiling(_low / step - 1e-9);
        var count = (int)(Math.Floor(_high / step + 1e-9) - first) + 1;
        return [.. Enumerable.Range(0, Math.Clamp(count, 0, 12)).Select(i => Math.Round((first + i) * step, 12))];
    }

    private static double Step(double low, double high)
    {
        var rough = (high - low) / 5;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * ((rough / power) switch { <= 1.001 => 1.0, <= 2.001 => 2.0, <= 2.501 => 2.5, <= 5.001 => 5.0, _ => 10.0 });
    }
}
