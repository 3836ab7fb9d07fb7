using System.Diagnostics;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Columns;

/// <summary>Training on a protected folder beside training on the same rows in plain Parquet: reading, encoding and learning, wall time, turn by turn.</summary>
internal static class ProtectedTraining
{
    private const int Rounds = 5;
    private const int Features = 30;

    internal static void Print(int rows, string folder, KeyRing keys)
    {
        var random = new Random(2);
        var columns = Enumerable.Range(0, Features).Select(i => new NumberColumn($"c{i}", [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble())])).ToArray();
        var labels = new double[rows];
        for (var row = 0; row < rows; row++)
            labels[row] = columns[0].Values[row] + columns[1].Values[row] > 1.2 ? 1 : 0;
        var table = new Table([.. columns, new NumberColumn("label", labels, true)]);
        var plain = Path.Combine(folder, "train.parquet");
        TableFile.WriteAsync(table, plain).GetAwaiter().GetResult();
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"bench","otherwise":"keep","columns":{"c0":{"action":"encrypt"},"c1":{"action":"encrypt"},"c2":{"action":"encrypt"}}}""");
        var guarded = Path.Combine(folder, "train");
        using (var source = TableSource.Of(table))
            DataProtection.ProtectAsync(source, policy, keys, guarded, new() { RowsPerFile = Math.Max(1, rows / 4) }).GetAwaiter().GetResult();

        var (plainTimes, guardedTimes, plainReads, guardedReads) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var (plainPath, guardedPath) = ((plain, new TableReadOptions()), (guarded, new TableReadOptions { Keys = keys, OpenEncrypted = true }));
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var isGuarded in round % 2 == 0 ? (bool[])[false, true] : [true, false])
            {
                var (path, reading) = isGuarded ? guardedPath : plainPath;
                var (read, whole) = Train(path, reading);
                (isGuarded ? guardedReads : plainReads).Add(read);
                (isGuarded ? guardedTimes : plainTimes).Add(whole);
            }
        }

        var (plainTime, guardedTime) = (ColumnsArea.Median(plainTimes), ColumnsArea.Median(guardedTimes));
        Console.WriteLine();
        Console.WriteLine($"training on {rows:N0} rows x {Features}, network 64-32, 5 epochs, read by columns; wall, median of {Rounds} turns each");
        Console.WriteLine($"  plain Parquet      {plainTime,8:N2} s, of it {ColumnsArea.Median(plainReads):N2} s reading");
        Console.WriteLine($"  protected folder   {guardedTime,8:N2} s, of it {ColumnsArea.Median(guardedReads):N2} s reading");
        Console.WriteLine($"  protected / plain  {guardedTime / plainTime,8:N4} (limit 1.01)");
    }

    private static (double Read, double Whole) Train(string path, TableReadOptions reading)
    {
        var start = Stopwatch.GetTimestamp();
        var data = DatasetFile.ReadAsync(path, reading, new SchemaOptions { Label = "label" }, cellsOfATable: 0).GetAwaiter().GetResult();
        var read = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Trainer.Train(data.Encode(), null, new TrainingOptions { Hidden = [64, 32], Epochs = 5, BatchSize = 256, Seed = 1 }, null);
        return (read, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
