using System.Diagnostics;
using System.Security.Cryptography;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>The data half of the fraud case: simulated transactions, scanned, protected, turned into features, split by time.</summary>
internal sealed class FraudData(RunFolder folder, Workspace workspace, Screen screen)
{
    /// <summary>Between the last training day and the first test day, so that no label of the one is still unknown in the other.</summary>
    private static readonly TimeSpan s_gap = TimeSpan.FromDays(7);

    /// <summary>Share of the early rows that no variant sees, so that membership inference compares like with like.</summary>
    private const double Unseen = 0.1;

    internal string TransactionsPath => folder.File("data", "transactions.parquet");

    internal string ProtectedPath => folder.File("data", "transactions.protected.parquet");

    internal async Task<StepRecord<SimulationFinding>> SimulateAsync(SimulationOptions options, CancellationToken cancel) =>
        await folder.StepAsync("simulate", options, [TransactionsPath], () => screen.ProgressAsync("simulate transactions", async progress =>
        {
            Directory.CreateDirectory(folder.File("data"));
            var table = await Task.Run(() => TransactionSimulator.Simulate(options, progress, cancel), cancel);
            await TableFile.WriteAsync(table, TransactionsPath, null, cancel);
            return new SimulationFinding(TransactionsPath, table.Rows, Frauds(table), options.Days, new FileInfo(TransactionsPath).Length);
        }));

    internal async Task<StepRecord<ScanFinding>> ScanAsync(Digest transactions, CancellationToken cancel) =>
        await folder.StepAsync("scan", transactions, [], () => screen.ProgressAsync("scan for sensitive columns", async progress =>
        {
            var table = await TableFile.ReadAsync(TransactionsPath, cancel: cancel);
            var scan = await Task.Run(() => SensitiveScan.Scan(table, 20_000, progress, cancel), cancel);
            return new ScanFinding(table.Rows, scan.Examined, [.. scan.Findings.Select(finding => new ScanColumn(
                finding.Column, finding.Kind.ToString(), finding.Confidence, finding.Advice.ToString().ToLowerInvariant(), string.Join("; ", finding.Why)))]);
        }));

    /// <summary>Protects what the scan found, then shows that a tampered copy is refused and what reading costs.</summary>
    internal async Task<StepRecord<ProtectionFinding>> ProtectAsync(Digest transactions, CancellationToken cancel) =>
        await folder.StepAsync("protect", transactions, [ProtectedPath], () => screen.ProgressAsync("protect: encrypt columns, tokenise cards", async progress =>
        {
            using var keys = WorkspaceKeys.Open(workspace, "protect");
            var ring = keys.Ring;
            var table = await TableFile.ReadAsync(TransactionsPath, cancel: cancel);
            using var source = TableSource.Of(table);
            var policy = ProtectionPolicy.FromScan(SensitiveScan.Scan(table, 20_000, cancel: cancel), "fraud-demo");
            var report = await DataProtection.ProtectAsync(source, policy, ring, ProtectedPath, ProtectionOptions.Default with { Store = keys.Stores }, progress, cancel);
            await workspace.AppendAsync(ring, Statement.Of(Path.GetFileName(TransactionsPath), report.Commitment, new DatasetCommitted { Step = "simulate", Rows = table.Rows, Columns = [.. table.Columns.Select(column => column.Name)] }), cancel);
            var entry = await workspace.AppendAsync(ring, Claims.Protected(Path.GetFileName(ProtectedPath), report), cancel);
            var open = OpenColumns();
            using var store = new KeyCache(keys.Stores);
            var reading = new TableReadOptions { Keys = ring, Store = store };
            var (plain, guarded) = await ReadCostsAsync(open, reading, cancel);
            return new ProtectionFinding(
                ProtectedPath, report.Dataset, report.Commitment,
                [.. report.Columns.Where(column => column.Action == ProtectionAction.Encrypt).Select(column => column.Name)],
                [.. report.Columns.Where(column => column.Action == ProtectionAction.Tokenise).Select(column => column.Name)],
                new FileInfo(TransactionsPath).Length, report.Bytes, plain, guarded,
                await TamperedCopyRefusedAsync(report, ring, store, cancel), entry.Index);
        }));

    internal async Task<StepRecord<FeatureFinding>> FeaturesAsync(Digest protectedFile, SimulationOptions world, CancellationToken cancel)
    {
        var train = folder.File("data", "train.parquet");
        var test = folder.File("data", "test.parquet");
        var holdout = folder.File("data", "holdout.parquet");
        return await folder.StepAsync("features", protectedFile, [train, test, holdout], () => screen.ProgressAsync("features without a look ahead, split by time", async progress =>
        {
            using var input = await ProtectedInput.OpenAsync(workspace, InputAccess.Kept("features"), [ProtectedPath], cancel);
            var table = await TableFile.ReadAsync(ProtectedPath, input.Apply(new TableReadOptions { Columns = OpenColumns() }), cancel: cancel);
            progress.Report(0.3);
            var features = await Task.Run(() => FraudFeatures.Compute(table), cancel);
            progress.Report(0.7);
            // A date, not a quantile of the rows; with the gap and two weeks to test on after it, also where few rows end before the days do.
            var cut = new DateTimeOffset(world.Start.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddDays(Math.Min(world.Days * 0.7, world.ExpectedDays - (3 * s_gap.TotalDays)));
            var (early, last) = (Between(features, DateTimeOffset.MinValue, cut), Between(features, cut + s_gap, DateTimeOffset.MaxValue));
            var apart = RowSplit.ByHash(early, 1, Unseen);
            var (first, unseen) = (early.Take(apart.Train), early.Take(apart.Test));
            await TableFile.WriteAsync(first, train, null, cancel);
            await TableFile.WriteAsync(unseen, holdout, null, cancel);
            await TableFile.WriteAsync(last, test, null, cancel);
            return new FeatureFinding(train, test, first.Rows, last.Rows, Frauds(first), Frauds(last), FraudFeatures.Names.Count);
        }));
    }

    /// <summary>The columns that features are made of: none of them is personal.</summary>
    private static string[] OpenColumns()
    {
        var options = new FraudFeatureOptions();
        return [options.Time, options.Customer, options.Terminal, options.Amount, options.Label];
    }

    /// <summary>Best of three readings of the same columns from the plain and from the protected file, in turn.</summary>
    private async Task<(double Plain, double Protected)> ReadCostsAsync(string[] columns, TableReadOptions reading, CancellationToken cancel)
    {
        var (plain, guarded) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < 3; round++)
        {
            plain = Math.Min(plain, await SecondsAsync(TransactionsPath, new TableReadOptions { Columns = columns }, cancel));
            guarded = Math.Min(guarded, await SecondsAsync(ProtectedPath, reading with { Columns = columns }, cancel));
        }

        return (plain, guarded);
    }

    private static async Task<double> SecondsAsync(string path, TableReadOptions options, CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        await TableFile.ReadAsync(path, options, cancel: cancel);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Flips one bit in the middle of a copy and tries to read every column of it.</summary>
    private async Task<string> TamperedCopyRefusedAsync(ProtectionReport report, KeyRing keys, KeyCache store, CancellationToken cancel)
    {
        var copy = folder.File("data", "tampered.parquet");
        try
        {
            var bytes = await File.ReadAllBytesAsync(ProtectedPath, cancel);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(copy, bytes, cancel);
            using var opened = DataProtection.OpenColumns(copy, [.. report.Columns.Where(column => column.Action != ProtectionAction.Drop).Select(column => column.Name)], keys, store: store);
            foreach (var _ in opened.Batches(cancel))
            {
            }
        }
        catch (Exception refusal) when (refusal is InvalidDataException or CryptographicException or IOException or FormatException)
        {
            return refusal.Message;
        }
        finally
        {
            File.Delete(copy);
        }

        throw new InvalidDataException("A protected file with a flipped bit was read without complaint.");
    }

    private static Table Between(Table table, DateTimeOffset from, DateTimeOffset to)
    {
        var times = table.Times("time");
        return table.Take([.. Enumerable.Range(0, table.Rows).Where(row => DateTimeOffset.UnixEpoch.AddTicks(times[row] * 10) is var time && time >= from && time < to)]);
    }

    private static int Frauds(Table table) => table.Numbers(new FraudFeatureOptions().Label).Count(label => label == 1);
}
