using System.Diagnostics;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Columns;

/// <summary>Training on a protected folder beside training on the same rows in plain Parquet: reading, encoding and learning, wall time, turn by turn.</summary>
/// <remarks>What follows the reading is the same work on the same numbers, so the difference is that of the reading: it is measured alone, more often, against a training's whole time.</remarks>
internal static class ProtectedTraining
{
    private const int Features = 30;

    internal static void Print(int rows, int turns, string folder, KeyRing keys)
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

        var (plainPath, guardedPath) = ((plain, new TableReadOptions()), (guarded, new TableReadOptions { Keys = keys, OpenEncrypted = true }));
        var (reads, readCpu) = InTurns(turns, path => Read(path.Item1, path.Item2), plainPath, guardedPath);
        var (wholes, _) = InTurns(Math.Max(3, turns / 2), path => Train(path.Item1, path.Item2), plainPath, guardedPath);
        var whole = ColumnsArea.Median([.. wholes.Select(turn => turn.Plain)]);
        Console.WriteLine();
        Console.WriteLine($"training on {rows:N0} rows x {Features}, network 64-32, 5 epochs, read as train reads (above 8 million cells by columns, ahead); {turns} turns of reading, {wholes.Count} of all, each beside the plain one of its turn: median (quartiles)");
        Console.WriteLine($"  {"",-28}{"plain",10}{"protected",12}  protected over plain");
        Line("reading, CPU", readCpu, 1);
        Line("reading, wall", reads, 1);
        Line("reading, encoding, learning", wholes, 1);
        Line("  of that the reading makes", reads, whole);
        Console.WriteLine("  limit: +1 % of a plain training's wall time");
    }

    /// <param name="name">What was measured.</param>
    /// <param name="turns">Seconds.</param>
    /// <param name="of">1 for the share of the plain one; else seconds of which the difference is a share.</param>
    private static void Line(string name, List<(double Plain, double Guarded)> turns, double of) =>
        Console.WriteLine($"  {name,-28}{ColumnsArea.Median([.. turns.Select(turn => turn.Plain)]),8:N2} s{ColumnsArea.Median([.. turns.Select(turn => turn.Guarded)]),10:N2} s  {ColumnsArea.Spread(turns.Select(turn => (turn.Guarded - turn.Plain) / (of == 1 ? turn.Plain : of)))}");

    private static (List<(double Plain, double Guarded)> Wall, List<(double Plain, double Guarded)> Cpu) InTurns<T>(int turns, Action<T> run, T plain, T guarded)
    {
        var (wall, cpu) = (new List<(double, double)>(), new List<(double, double)>());
        for (var turn = 0; turn <= turns; turn++)
        {
            var (plainFirst, first, second) = turn % 2 == 0 ? (true, plain, guarded) : (false, guarded, plain);
            var (one, other) = (Measure(() => run(first)), Measure(() => run(second)));
            if (turn == 0)
                continue;   // compiles the code
            wall.Add(plainFirst ? (one.Wall, other.Wall) : (other.Wall, one.Wall));
            cpu.Add(plainFirst ? (one.Cpu, other.Cpu) : (other.Cpu, one.Cpu));
        }

        return (wall, cpu);
    }

    private static (double Wall, double Cpu) Measure(Action run)
    {
        GC.Collect();
        var start = Stopwatch.GetTimestamp();
        var cpu = ColumnsArea.CpuMilliseconds(run) / 1000;
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, cpu);
    }

    private static EncodedDataset Read(string path, TableReadOptions reading) =>
        DatasetFile.ReadAsync(path, reading, new SchemaOptions { Label = "label" }).GetAwaiter().GetResult().Encode();

    private static void Train(string path, TableReadOptions reading) =>
        Trainer.Train(Read(path, reading), null, new TrainingOptions { Hidden = [64, 32], Epochs = 5, BatchSize = 256, Seed = 1 }, null);
}
