using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>How many rows an ensemble of trees gets right whatever is done to them within a distance.</summary>
/// <param name="Norm">How distance is measured, each feature in units of its range.</param>
/// <param name="Within">The distance.</param>
/// <param name="Clean">Rows that are right untouched.</param>
/// <param name="Proven">Rows that are right and proven to stay so: a lower bound.</param>
/// <param name="Unbroken">Rows that are right and that neither the leaf-tuple attack nor the proof broke: an upper bound.</param>
internal sealed record TreeReport(PerturbationNorm Norm, double Within, RowShare Clean, RowShare Proven, RowShare Unbroken)
{
    private const int QuickEffort = 1000;

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
        var (proof, attack, rows) = (new TreeProof(ensemble, units), new LeafTupleAttack(ensemble, units), int.Min(samples, labels.Length));
        bool[] decided = [.. Enumerable.Range(0, labels.Length).Select(row => ensemble.Margin(starts.AsSpan(row * ensemble.Features, ensemble.Features)) > 0)];
        var (found, done) = (new Found[rows], 0);
        Parallel.For(0, rows, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, row =>
        {
            found[row] = decided[row] == (labels[row] == 1) ? Judge(row) : Found.Wrong;
            progress?.Report((double)Interlocked.Increment(ref done) / rows);
        });
        return new(norm, within, RowShare.From(found.Count(one => one != Found.Wrong), rows), RowShare.From(found.Count(one => one == Found.Proven), rows), RowShare.From(found.Count(one => one is Found.Proven or Found.Unbroken), rows));

        Found Judge(int row)
        {
            var one = starts.AsSpan(row * ensemble.Features, ensemble.Features).ToArray();
            if (one.Any(float.IsNaN))
                return Found.Unbroken;   // what a sender could do with a missing value is not looked at: not broken, not proven
            var verdict = proof.Judge(one, norm, within, int.Min(effort, QuickEffort));   // most rows are settled at once
            if (verdict == TreeVerdict.Unknown && attack.Run(one, Nearest(starts, decided, one, decided[row], units), norm) is { } point && point.Distance <= within)
                verdict = TreeVerdict.Falls;
            if (verdict == TreeVerdict.Unknown && effort > QuickEffort)
                verdict = proof.Judge(one, norm, within, effort);
            return verdict switch { TreeVerdict.Resists => Found.Proven, TreeVerdict.Falls => Found.Broken, _ => Found.Unbroken };
        }
    }

    /// <summary>What became of a row.</summary>
    private enum Found
    {
        Wrong,
        Broken,
        Unbroken,
        Proven,
    }

    /// <summary>The rows that the ensemble decides otherwise, the nearest first: where an attack begins decides what it finds.</summary>
    private static float[] Nearest(float[] rows, bool[] decided, float[] one, bool positive, double[] units)
    {
        const int Starts = 20;
        var width = one.Length;
        double Away(int row)
        {
            var most = 0.0;
            for (var j = 0; j < width; j++)
                most = one[j].Equals(rows[(row * width) + j]) ? most : Math.Max(most, Math.Abs((double)one[j] - rows[(row * width) + j]) * units[j]);
            return most;
        }

        return [.. Enumerable.Range(0, decided.Length).Where(row => decided[row] != positive).OrderBy(Away).Take(Starts).SelectMany(row => rows[(row * width)..((row + 1) * width)])];
    }

    private static double UnitOf(Feature feature) => feature.Minimum is { } low && feature.Maximum is { } high ? 1 / (high - low) : 1;
}
