using System.Diagnostics;
using System.Globalization;

namespace Bulwark.Cli;

/// <summary>Progress for a file or a pipe: a line when ten seconds have passed and a tenth more is done. Short work says nothing.</summary>
internal sealed class ProgressLines(string title, TextWriter writer) : IProgress<double>
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long _last = Stopwatch.GetTimestamp();
    private double _said;

    public void Report(double value)
    {
        lock (_gate)
        {
            if (value < _said + 0.1 || Stopwatch.GetElapsedTime(_last) < s_pause)
                return;
            (_last, _said) = (Stopwatch.GetTimestamp(), value);
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: {Math.Min(value, 1):0 %}"));
        }
    }
}
