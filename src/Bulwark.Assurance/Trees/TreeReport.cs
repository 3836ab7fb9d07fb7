using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>How many rows an ensemble of trees gets right whatever is done to them within a distance.</summary>
/// <param name="Norm">How distance is measured, each feature in units of its range.</param>
/// <param name="Within">The distance.</param>
/// <param name="Clean">Rows that are right untouched.</param>
/// <param name="Proven">Rows that are right and proven to stay so: a lower bound.</param>
/// <param name="Unbroken">Rows that are right and that the leaf-tuple attack did not break: an upper bound.</param>
internal sealed record TreeReport(PerturbationNorm Norm, double Within, RowShare Clean, RowShare Proven, RowShare Unbroken)
{
    internal static TreeReport Measure(
        TreeEnsemble ensemble, Dataset data, PerturbationNorm norm, double within, int samples, int effort, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        double[] units = [.. data.Schema.Features.Take(ensemble.Features).Select(feature => feature.Mutable || !data.Schema.Features.Any(any => any.Mutable) ? UnitOf(feature) : double.PositiveInfinity)];
        var rows = new float[data.Rows * ensemble.Features];
        for (var row = 0; row < data.Rows; row++)
            data.Row(row)[..ensemble.Features].CopyTo(rows.AsSpan(row * ensemble.Features));
        return Measure(ensemble, rows, [.. data.Labels], units, norm, within, samples, effort, progress, cancel);
    }

    /// <param name="ensemble">The trees.</param>
    /// <param name="starts">Shape (rows, Features): the first ones are attacked, all are where attacks start.</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="units">For each feature what a change of 1 counts; infinite for what cannot move.</param>
    /// <param name="norm">How distance is measured.</param>
    /// <param name="within">The distance.</param>
    /// <param name="samples">Rows attacked.</param>
    /// <param name="effort">Boxes of one proof.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancel">Stops between rows.</param>
    internal static TreeReport Measure(
        TreeEnsemble ensemble, float[] starts, int[] labels, double[] units, PerturbationNorm norm, double within, int samples, int effort, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        var (verifier, attack, rows) = (new TreeVerifier(ensemble, units), new LeafTupleAttack(ensemble, units), int.Min(samples, labels.Length));
        var (clean, proven, unbroken) = (0, 0, 0);
        for (var row = 0; row < rows; row++)
        {
            cancel.ThrowIfCancellationRequested();
            var one = starts.AsSpan(row * ensemble.Features, ensemble.Features);
            progress?.Report((double)row / rows);
            if (ensemble.Margin(one) > 0 != (labels[row] == 1))
                continue;
            clean++;
            if (one.ToArray().Any(float.IsNaN))
            {
                unbroken++;   // what a sender could do with a missing value is not looked at: not broken, not proven
                continue;
            }

            if (attack.Run(one, Nearest(ensemble, starts, one.ToArray(), units), norm) is { } found && found.Distance <= within)
                continue;
            var bound = verifier.Distance(one, norm, effort, within);
            if (bound.Point is not null && bound.Lower <= within)
                continue;   // the proof met a row within the distance that is decided otherwise
            unbroken++;
            proven += bound.Lower >= within ? 1 : 0;
        }

        return new(norm, within, RowShare.From(clean, rows), RowShare.From(proven, rows), RowShare.From(unbroken, rows));
    }

    /// <summary>The rows that the ensemble decides otherwise, the nearest first: where an attack begins decides what it finds.</summary>
    private static float[] Nearest(TreeEnsemble ensemble, float[] rows, float[] one, double[] units)
    {
        const int Starts = 20;
        var width = ensemble.Features;
        var positive = ensemble.Margin(one) > 0;
        double Away(int row)
        {
            var most = 0.0;
            for (var j = 0; j < width; j++)
                most = one[j].Equals(rows[(row * width) + j]) ? most : Math.Max(most, Math.Abs((double)one[j] - rows[(row * width) + j]) * units[j]);
            return most;
        }

        return [.. Enumerable.Range(0, rows.Length / width).OrderBy(Away).Where(row => ensemble.Margin(rows.AsSpan(row * width, width)) > 0 != positive).Take(Starts).SelectMany(row => rows[(row * width)..((row + 1) * width)])];
    }

    private static double UnitOf(Feature feature) => feature.Minimum is { } low && feature.Maximum is { } high ? 1 / (high - low) : 1;
}
