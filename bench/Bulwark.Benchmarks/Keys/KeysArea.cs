using System.Diagnostics;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Benchmarks.Keys;

/// <summary>Rewrapping a folder, beside the least that a crash-safe rewrite of the same bytes costs: two writes and two flushes a file.</summary>
/// <remarks>dotnet run --project bench/Bulwark.Benchmarks -c Release -- keys [--files N] [--rounds R] [--dir FOLDER]. Without a folder: memory (/dev/shm) and the disk of the temporary folder.</remarks>
internal static class KeysArea
{
    private const int SlotBytes = 2048 + 32, BatchFiles = 256;

    internal static int Run(string[] args)
    {
        var files = int.Parse(Value(args, "--files") ?? "2048", CultureInfo.InvariantCulture);
        var rounds = int.Parse(Value(args, "--rounds") ?? "5", CultureInfo.InvariantCulture);
        string[] folders = Value(args, "--dir") is { } stated ? [stated] : [.. new[] { "/dev/shm", Path.GetTempPath() }.Where(Directory.Exists)];
        Console.WriteLine($"keys: {files} sealed files of 1 KiB, best of {rounds} interleaved rounds, {Environment.ProcessorCount} cores, OpenSSL {TlsPolicy.OpenSslVersion}");
        foreach (var folder in folders)
            Measure(Directory.CreateDirectory(Path.Combine(folder, $"bulwark-bench-{Environment.ProcessId}")), files, rounds);
        return 0;
    }

    private static void Measure(DirectoryInfo root, int files, int rounds)
    {
        try
        {
            using var ring = KeyRing.Create(Path.Combine(root.FullName, "ring"), KeyRingUnlock.KeyFile(Path.Combine(root.FullName, "ring.key")));
            ring.CreateSymmetric("kek");
            var paths = Seal(Directory.CreateDirectory(Path.Combine(root.FullName, "files")), ring, files);
            using var signer = Signer.Generate();
            var log = TransparencyLog.CreateAsync(Path.Combine(root.FullName, "log"), "bulwark.bench/keys", signer).GetAwaiter().GetResult();
            using var recorded = new KeyUseLog(ring, "bench", "rewrap", async (uses, cancel) => await log.AppendManyAsync([.. uses.AsParallel().AsOrdered().Select(use => (ReadOnlyMemory<byte>)Dsse.Sign(Entry(use), signer))], cancel), owned: false);
            (string Name, Action Prepare, Action Work)[] contenders =
            [
                ("limit: two writes, two flushes a file", () => { }, () => Limit(paths)),
                ("rewrap, keyring", () => Rotate(ring), () => Rewrap(paths, ring)),
                ("rewrap, keyring, each use logged", () => Rotate(ring), () => Rewrap(paths, recorded)),
                ("nothing to do: all newest already", () => { }, () => Rewrap(paths, ring, RewrapOutcome.Newest)),
            ];
            var best = new (TimeSpan Wall, TimeSpan Cpu)[contenders.Length];
            Array.Fill(best, (TimeSpan.MaxValue, TimeSpan.MaxValue));
            for (var round = 0; round < rounds; round++)
            {
                for (var i = 0; i < contenders.Length; i++)
                {
                    contenders[i].Prepare();
                    var (cpu, start) = (Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.GetTimestamp());
                    contenders[i].Work();
                    var (wall, used) = (Stopwatch.GetElapsedTime(start), Process.GetCurrentProcess().TotalProcessorTime - cpu);
                    best[i] = (wall < best[i].Wall ? wall : best[i].Wall, used < best[i].Cpu ? used : best[i].Cpu);
                }
            }

            Console.WriteLine($"\n{root.Parent!.FullName}");
            Console.WriteLine($"{"",-42}{"files/s",12}{"CPU µs/file",14}{"files/CPU s",14}{"of the limit",14}");
            for (var i = 0; i < contenders.Length; i++)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{contenders[i].Name,-42}{files / best[i].Wall.TotalSeconds,12:N0}{best[i].Cpu.TotalMicroseconds / files,14:N0}{files / best[i].Cpu.TotalSeconds,14:N0}{best[0].Wall / best[i].Wall,14:P0}"));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static string[] Seal(DirectoryInfo folder, KeyRing ring, int count)
    {
        var (plain, paths) = (new byte[1024], new string[count]);
        for (var i = 0; i < count; i++)
        {
            paths[i] = Path.Combine(folder.FullName, $"{i:D6}.sealed");
            using var file = File.Create(paths[i]);
            SealedFile.SealAsync(new MemoryStream(plain), file, new SealOptions { Recipients = [SealRecipient.Key(ring, "kek")] }).GetAwaiter().GetResult();
        }

        return paths;
    }

    private static void Rotate(KeyRing ring) => ring.CreateSymmetric("kek");

    private static void Rewrap(string[] paths, IKeyProvider keys, RewrapOutcome expected = RewrapOutcome.Rewrapped)
    {
        foreach (var batch in paths.Chunk(BatchFiles))
        {
            if (SealedFile.RewrapManyAsync(batch, keys).GetAwaiter().GetResult().FirstOrDefault(result => result.Outcome != expected) is { } wrong)
                throw new InvalidOperationException($"{wrong.Path}: {wrong.Outcome} {wrong.Reason}");
        }
    }

    /// <summary>The same bytes written as durably, without any cryptography: what is left of the price when the rest is free.</summary>
    private static void Limit(string[] paths)
    {
        foreach (var batch in paths.Chunk(BatchFiles))
        {
            var next = -1;
            var workers = Enumerable.Range(0, 16).Select(_ => Task.Factory.StartNew(() =>
            {
                var bytes = new byte[SlotBytes];
                for (int i; (i = Interlocked.Increment(ref next)) < batch.Length;)
                {
                    using var file = new FileStream(batch[i], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
                    for (var copy = 0; copy < 2; copy++)
                    {
                        _ = RandomAccess.Read(file.SafeFileHandle, bytes, copy * SlotBytes);
                        RandomAccess.Write(file.SafeFileHandle, bytes, copy * SlotBytes);   // what was read: the files stay what they are
                        RandomAccess.FlushToDisk(file.SafeFileHandle);
                    }
                }
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
            Task.WaitAll(workers);
        }
    }

    private static Statement Entry(KeyUse use) => Statement.Of(use.Item ?? "file", use.Binding, new KeyUsed
    {
        Operation = use.Operation.ToString().ToLowerInvariant(),
        Key = use.Key.Key.ToString(),
        Version = use.Key.Version,
        Purpose = use.Purpose,
        Time = use.Time,
    });

    private static string? Value(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
