using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Tests.Models;
using Bulwark.Worker;

namespace Bulwark.Benchmarks.Packages;

/// <summary>Opening a sealed package beside reading and hashing the same file, in one run; its overhead; and scoring with the sealed model beside the plain one.</summary>
internal static class PackagesArea
{
    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- packages [MiB] [ROUNDS]</summary>
    internal static int Run(string[] args)
    {
        var mebibytes = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1024;
        var rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
        var folder = Directory.CreateTempSubdirectory("bulwark-packages");
        try
        {
            return MeasureAsync(folder.FullName, mebibytes, rounds).GetAwaiter().GetResult();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(string folder, int mebibytes, int rounds)
    {
        using var keys = KeyRing.Create(Path.Combine(folder, "keys.json"), KeyRingUnlock.KeyFile(Path.Combine(folder, "keys.key")));
        keys.CreateSymmetric("models");
        using var signer = Signer.Generate();
        var (package, rows) = (Path.Combine(folder, "lookup.bulwark"), LookupModel.RowsFor((long)mebibytes << 20));
        var plain = LookupModel.Folder(folder, rows, (7, 2.5f), (rows - 1, -1.5f));
        Fill(plain.Weights!);
        var clock = Stopwatch.StartNew();
        var info = await SealedModel.SealAsync(plain, plain.Manifest, keys, "models", signer, package);
        Console.WriteLine($"{Environment.ProcessorCount} cores; a package of {info.PackageBytes} bytes, sealed in {clock.Elapsed.TotalSeconds:F2} s");
        Line($"overhead: {info.PackageBytes - info.PlainBytes} bytes, {100.0 * (info.PackageBytes - info.PlainBytes) / info.PlainBytes:F5} % of the files (limit 0.01 %)");
        await using var first = File.OpenRead(package);
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(first, keys, [signer.PublicKey])).DataKey;
        var (reads, opens, works) = (new List<Times>(), new List<Times>(), new List<Times>());
        for (var round = 0; round <= rounds; round++)
        {
            var (read, opened, worker) = (await TimedAsync(() => HashAsync(package)), await TimedAsync(() => OpenAsync(package, dataKey, signer.PublicKey)), await TimedAsync(() => OpenAsync(package, dataKey, signer.PublicKey, info.PackageDigest)));
            if (round == 0)
                continue;   // the first warms the file's pages and the code
            reads.Add(read);
            opens.Add(opened);
            works.Add(worker);
        }

        Line($"read and hash: median {Median(reads, one => one.Wall):F3} s, {Median(reads, one => one.Processor):F3} s of processor time");
        Report("verify and open in memory", opens, reads);
        Report("as a worker does, which was told the digest and verifies while it opens", works, reads);
        Line($"limit 1.3 of the time; {rounds} rounds in turn");
        await ScoresAsync(package, dataKey, signer.PublicKey, plain, rows);
        return 0;
    }

    /// <summary>What is not zero is no hole in the file.</summary>
    private static void Fill(string path)
    {
        using var file = File.OpenWrite(path);
        var block = new byte[1 << 20];
        for (long at = 0; at + block.Length < file.Length; at += block.Length)
        {
            Random.Shared.NextBytes(block);
            for (var i = 3; i < block.Length; i += 4)
                block[i] = 0x3C;   // small positive floats
            file.Write(block);
        }
    }

    private static void Report(string what, List<Times> times, List<Times> reads)
    {
        var (wall, processor) = (times.Zip(reads, (one, read) => one.Wall / read.Wall).ToList(), times.Zip(reads, (one, read) => one.Processor / read.Processor).ToList());
        Line($"{what}: median {Median(times, one => one.Wall):F3} s, {Median(times, one => one.Processor):F3} s of processor time; ratio of the time median {Median(wall):F3}, lowest {wall.Min():F3}, highest {wall.Max():F3}; of processor time {Median(processor):F3}");
    }

    /// <summary>What it gives is wiped afterwards, which is no part of it.</summary>
    private static async Task<Times> TimedAsync(Func<Task<IDisposable>> work)
    {
        GC.Collect();
        var (clock, before) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        using var given = await work();
        return new(clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }

    private static async Task<IDisposable> HashAsync(string package)
    {
        await using var file = new FileStream(package, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (int read; (read = file.Read(buffer)) > 0;)
            hash.AppendData(buffer, 0, read);
        _ = hash.GetHashAndReset();
        return hash;
    }

    private static async Task<IDisposable> OpenAsync(string package, SecretBytes dataKey, VerificationKey publisher, Digest? stated = null)
    {
        await using var file = new FileStream(package, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        return stated is null
            ? await SealedModel.OpenAsync(file, dataKey, [publisher])
            : await (await SealedModel.RequireAsync(file, [publisher], stated)).OpenAsync(dataKey);
    }

    /// <summary>The same rows through the sealed model's memory and the plain file's, both behind the worker's input screen, in turn.</summary>
    private static async Task ScoresAsync(string package, SecretBytes dataKey, VerificationKey publisher, ModelFolder plain, long rows)
    {
        await using var file = File.OpenRead(package);
        using var opened = await SealedModel.OpenAsync(file, dataKey, [publisher]);
        using var model = WorkerModel.Open("lookup", "1.0.0", opened.PackageDigest, opened.File(ModelFolder.OnnxName).Span, null, opened.Weights);
        using var weights = new ModelWeights(new FileInfo(plain.Weights!).Length);
        using (var source = File.OpenRead(plain.Weights!))
        {
            for (long at = 0; at < weights.Length;)
                at += source.Read(weights.Slice(at, (int)Math.Min(1 << 20, weights.Length - at)));
        }

        using var beside = WorkerModel.Open("lookup", "1.0.0", opened.PackageDigest, plain.Onnx.Span, null, weights);
        var (batch, scores) = (new float[64], new float[64]);
        for (var i = 0; i < batch.Length; i++)
            batch[i] = i * (rows / batch.Length);
        var (sealedTimes, plainTimes) = (new List<double>(), new List<double>());
        for (var round = 0; round < 400; round++)
        {
            var clock = Stopwatch.GetTimestamp();
            _ = beside.Score(batch, batch.Length, scores);
            plainTimes.Add(Stopwatch.GetElapsedTime(clock).TotalMicroseconds);
            clock = Stopwatch.GetTimestamp();
            _ = model.Score(batch, batch.Length, scores);
            sealedTimes.Add(Stopwatch.GetElapsedTime(clock).TotalMicroseconds);
        }

        Line($"scoring 64 rows: plain p50 {Median(plainTimes):F1} µs, sealed p50 {Median(sealedTimes):F1} µs, ratio {Median(sealedTimes) / Median(plainTimes):F3}");
    }

    private static double Median(List<Times> values, Func<Times, double> of) => Median([.. values.Select(of)]);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <param name="Wall">Seconds.</param>
    /// <param name="Processor">Seconds of processor time of all threads.</param>
    private readonly record struct Times(double Wall, double Processor);
}
