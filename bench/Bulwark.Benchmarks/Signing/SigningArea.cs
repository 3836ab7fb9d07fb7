using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Benchmarks.Signing;

/// <summary>Model signing beside the bare hash of the same bytes: from memory and from the page cache, in one run, by the processor's own time.</summary>
/// <remarks>
/// Processor time, because other work on the machine steals wall time from both alike but not equally. A speed "per core" is bytes over processor seconds;
/// signing reaches it on every core at once as long as it has a file, or a shard, for each.
/// </remarks>
internal static class SigningArea
{
    private const int Files = 12, Rounds = 5;

    public static int Run(string[] arguments)
    {
        var megabytes = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 384;
        var folder = Directory.CreateTempSubdirectory("bulwark-signing-");
        try
        {
            return Run(folder.FullName, (long)megabytes << 20);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Run(string folder, long bytes)
    {
        var (model, signature) = (Path.Combine(folder, "model"), Path.Combine(folder, "model.sig"));
        var memory = Write(model, bytes / Files);
        using var signer = EcdsaPemSigner.Generate();
        var trust = SignatureTrust.Key(signer.PublicKey);
        (string Name, Action Work)[] contenders =
        [
            ("raw SHA-256, bytes in memory (limit)", () => Raw(memory)),
            ("raw SHA-256, read from the page cache", () => FromCache(model)),
            ("sign, files", () => Sign(model, signature, signer, new())),
            ("verify, files", () => Require(ModelSignature.VerifyAsync(model, signature, trust).GetAwaiter().GetResult().IsTrusted)),
            ("sign, shards of 16 MiB", () => Sign(model, signature + "2", signer, new() { ShardBytes = 16 << 20 })),
        ];
        var best = new (double Cpu, double Wall)[contenders.Length];
        Array.Fill(best, (double.MaxValue, double.MaxValue));
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < contenders.Length; i++)
            {
                var (cpu, wall) = Time(contenders[i].Work);
                best[i] = (Math.Min(best[i].Cpu, cpu), Math.Min(best[i].Wall, wall));
            }
        }

        var total = (double)(bytes / Files * Files);
        Console.WriteLine($"{Files} files, {total / 1e6:N0} MB, {Environment.ProcessorCount} cores, best of {Rounds} interleaved rounds");
        Console.WriteLine($"{"",-42}{"GB/s per core",16}{"of the limit",14}{"GB/s, wall",14}");
        for (var i = 0; i < contenders.Length; i++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{contenders[i].Name,-42}{total / best[i].Cpu / 1e9,16:0.000}{best[0].Cpu / best[i].Cpu,14:P1}{total / best[i].Wall / 1e9,14:0.000}"));
        Again(model, signature, signer, total);
        return 0;
    }

    /// <summary>Signing again after one small file was edited.</summary>
    private static void Again(string model, string signature, EcdsaPemSigner signer, double total)
    {
        var options = new ModelSignatureOptions { CachePath = signature + ".cache" };
        Thread.Sleep(2500);   // what is younger than two seconds is not remembered
        Sign(model, signature, signer, options);
        File.WriteAllText(Path.Combine(model, "config.json"), "{\"edited\":true}");
        var clock = Stopwatch.StartNew();
        var info = Sign(model, signature, signer, options);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"signed again after an edit of {info.HashedBytes} bytes: {info.HashedBytes} of {total:N0} bytes read, {clock.Elapsed.TotalMilliseconds:0.0} ms"));
    }

    private static ModelSignatureInfo Sign(string model, string signature, EcdsaPemSigner signer, ModelSignatureOptions options) =>
        ModelSignature.SignAsync(model, signature, signer, options: options).GetAwaiter().GetResult();

    private static byte[][] Write(string model, long size)
    {
        Directory.CreateDirectory(model);
        var memory = new byte[Files][];
        for (var i = 0; i < Files; i++)
        {
            memory[i] = RandomNumberGenerator.GetBytes((int)size);
            File.WriteAllBytes(Path.Combine(model, $"shard-{i:00}.safetensors"), memory[i]);
        }

        File.WriteAllText(Path.Combine(model, "config.json"), "{}");
        return memory;
    }

    private static void Raw(byte[][] memory)
    {
        foreach (var bytes in memory)
            SHA256.HashData(bytes);
    }

    private static void FromCache(string model)
    {
        var buffer = new byte[128 * 1024];
        foreach (var file in Directory.EnumerateFiles(model))
        {
            using var handle = File.OpenHandle(file);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (long at = 0, read; (read = RandomAccess.Read(handle, buffer, at)) > 0; at += read)
                hash.AppendData(buffer, 0, (int)read);
            hash.GetHashAndReset();
        }
    }

    private static (double Cpu, double Wall) Time(Action work)
    {
        using var process = Process.GetCurrentProcess();
        var (before, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        work();
        process.Refresh();
        return ((process.TotalProcessorTime - before).TotalSeconds, clock.Elapsed.TotalSeconds);
    }

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("The model that was just signed does not verify.");
    }
}
