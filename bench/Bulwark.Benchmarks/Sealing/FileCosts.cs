using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Benchmarks.Sealing;

/// <summary>CPU and wall time of one file from memory to memory: copied, copied with the bare cipher between, sealed, opened, by age, and as whole commands, turn by turn, medians.</summary>
internal static partial class FileCosts
{
    private const int Rounds = 9, Self = 0, Children = -1;

    internal static void Print(int mebibytes)
    {
        var folder = Directory.Exists("/dev/shm") ? $"/dev/shm/bulwark-sealing-{Environment.ProcessId}" : Path.Combine(Path.GetTempPath(), $"bulwark-sealing-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        try
        {
            Print(folder, mebibytes);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(string folder, int mebibytes)
    {
        string Of(string name) => Path.Combine(folder, name);
        Make(Of("plain"), mebibytes);
        using var pair = X25519KeyPair.Generate();
        var age = AgeKey(Of("age.key"));
        var key = RandomNumberGenerator.GetBytes(32);
        using var gcm = new AesGcm(key, 16);
        File.WriteAllText(Of("person.key"), AgeIdentity.Format(pair));
        var person = AgeRecipient.Format(pair.PublicKey);
        var published = Environment.GetEnvironmentVariable("BULWARK_PUBLISHED_CLI");
        var program = Path.Combine(published ?? AppContext.BaseDirectory, "Bulwark.Cli.dll");
        (string Name, int Who, string Target, Action Run)[] contenders =
        [
            ("plain copy, 1 MiB at a time", Self, "copy", () => Copy(Of("plain"), Of("copy"))),
            ("copy with AesGcm between, 1 thread", Self, "copy", () => EncryptedCopy(Of("plain"), Of("copy"), gcm)),
            ("seal, FLOE, 1 thread", Self, "floe", () => Seal(Of("plain"), Of("floe"), pair, SealSuite.Floe, 1)),
            ("open, FLOE, 1 thread", Self, "out", () => Open(Of("floe"), Of("out"), pair, 1)),
            ("plain copy, 2 threads", Self, "copy", () => CopyByTwo(Of("plain"), Of("copy"), null)),
            ("copy with AesGcm between, 2 threads", Self, "copy", () => CopyByTwo(Of("plain"), Of("copy"), key)),
            ("seal, FLOE, 2 threads", Self, "floe", () => Seal(Of("plain"), Of("floe"), pair, SealSuite.Floe, 2)),
            ("open, FLOE, 2 threads", Self, "out", () => Open(Of("floe"), Of("out"), pair, 2)),
            ("seal, Cobblestone-256, 1 thread", Self, "stone", () => Seal(Of("plain"), Of("stone"), pair, SealSuite.Cobblestone, 1)),
            ("open, Cobblestone-256, 1 thread", Self, "out", () => Open(Of("stone"), Of("out"), pair, 1)),
            ("seal, whole command", Children, "floe", () => Run("dotnet", program, "seal", Of("plain"), "--to", person, "-o", Of("floe"))),
            ("open, whole command", Children, "out", () => Run("dotnet", program, "open", Of("floe"), "-i", Of("person.key"), "-o", Of("out"))),
            ("cp, whole command", Children, "copy", () => Run("cp", Of("plain"), Of("copy"))),
            .. age is null ? Array.Empty<(string, int, string, Action)>() :
            [
                ("age, encrypt", Children, "age", () => Run("age", "-r", age, "-o", Of("age"), Of("plain"))),
                ("age, decrypt", Children, "out", () => Run("age", "-d", "-i", Of("age.key"), "-o", Of("out"), Of("age"))),
            ],
        ];
        var (cpu, wall) = (contenders.Select(_ => new double[Rounds]).ToArray(), contenders.Select(_ => new double[Rounds]).ToArray());
        for (var round = -1; round < Rounds; round++)
        {
            for (var i = 0; i < contenders.Length; i++)
            {
                File.Delete(Of(contenders[i].Target));
                var (start, before) = (Stopwatch.GetTimestamp(), CpuSeconds(contenders[i].Who));
                contenders[i].Run();
                if (round >= 0)   // the first turn compiles the code
                    (cpu[i][round], wall[i][round]) = (CpuSeconds(contenders[i].Who) - before, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        SealingArea.Line($"a file of {mebibytes} MiB in {(folder.StartsWith("/dev/shm", StringComparison.Ordinal) ? "memory (/dev/shm)" : "the temporary folder")}, medians of {Rounds} turns; what is beside the copy or beside age is taken turn by turn{(age is null ? "; age is not installed" : "")}; whole commands: {(published is null ? "as built" : "as published")}");
        Console.WriteLine($"{"what",-36} {"CPU ms/GiB",11} {"over the copy",14} {"wall ms",9} {"age's CPU / this",17} {"age's wall / this",18}");
        var gibibytes = mebibytes / 1024.0;
        double Over(int one, int other) => Median(cpu[one].Zip(cpu[other], (a, b) => a - b)) * 1000 / gibibytes;
        for (var i = 0; i < contenders.Length; i++)
        {
            var isOpen = contenders[i].Name.StartsWith("open", StringComparison.Ordinal);
            var hasAge = age is not null && i < contenders.Length - 2;
            string Beside(double[][] costs) => hasAge ? Median(costs[^(isOpen ? 1 : 2)].Zip(costs[i], (ages, these) => ages / these)).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture) : "";
            SealingArea.Line($"{contenders[i].Name,-36} {Median(cpu[i]) * 1000 / gibibytes,11:0} {Over(i, 0),14:0} {Median(wall[i]) * 1000,9:0} {Beside(cpu),17} {Beside(wall),18}");
        }

        SealingArea.Line($"over a plain copy: sealing {Over(2, 0):0} ms/GiB, the bare cipher in its place {Over(1, 0):0}; the cipher alone on one hot MiB {CipherAlone(gcm):0}. Sealing's own share over copy and bare cipher: {Over(2, 1):0} ms/GiB, {Median(cpu[2].Zip(cpu[1], (a, b) => a / b - 1)):0.0 %}");
        SealingArea.Line($"goals: 280 ms/GiB over a plain copy needs a cipher of {(1 << 30) / 0.28e9:0.00} GB/s, in place here it does {(1 << 30) / 1e6 / Over(1, 0):0.00}; twice age: what only copies and encrypts (AesGcm between) is the limit of that column for its number of threads");
    }

    private static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;

    /// <summary>What no program around this cipher can go below: ms of CPU a GiB, the best of many calls.</summary>
    private static double CipherAlone(AesGcm gcm)
    {
        var (buffer, nonce, tag, best) = (new byte[1 << 20], new byte[12], new byte[16], double.PositiveInfinity);
        for (var i = 0; i < 500; i++)
        {
            var start = Stopwatch.GetTimestamp();
            gcm.Encrypt(nonce, buffer, buffer, tag);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return best * 1024;
    }

    private static void Make(string path, int mebibytes)
    {
        var block = RandomNumberGenerator.GetBytes(1 << 20);
        using var file = File.Create(path);
        for (var i = 0; i < mebibytes; i++)
            file.Write(block);
    }

    private static FileStream Reading(string path) => new(path, new FileStreamOptions { BufferSize = 0 });

    private static FileStream Writing(string path) => new(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 });

    private static void Copy(string from, string to)
    {
        using var source = Reading(from);
        using var target = Writing(to);
        var buffer = new byte[1 << 20];
        for (int count; (count = source.Read(buffer)) > 0;)
            target.Write(buffer, 0, count);
    }

    private static void EncryptedCopy(string from, string to, AesGcm gcm)
    {
        using var source = Reading(from);
        using var target = Writing(to);
        var (buffer, nonce, tag) = (new byte[1 << 20], new byte[12], new byte[16]);
        for (int count; (count = source.Read(buffer)) > 0;)
        {
            gcm.Encrypt(nonce, buffer.AsSpan(0, count), buffer.AsSpan(0, count), tag);   // the nonce repeats: this is a stopwatch, not a seal
            target.Write(buffer, 0, count);
        }
    }

    /// <param name="from">The file.</param>
    /// <param name="to">Its copy.</param>
    /// <param name="key">Encrypts each piece where it stands; null copies.</param>
    private static void CopyByTwo(string from, string to, byte[]? key)
    {
        using var source = Reading(from);
        using var target = Writing(to);
        var next = -1L;
        Parallel.For(0, 2, _ =>
        {
            var (buffer, nonce, tag) = (new byte[1 << 20], new byte[12], new byte[16]);
            using var gcm = key is null ? null : new AesGcm(key, 16);
            for (long at; (at = Interlocked.Increment(ref next) << 20) < source.Length;)
            {
                var piece = buffer.AsSpan(0, RandomAccess.Read(source.SafeFileHandle, buffer, at));
                gcm?.Encrypt(nonce, piece, piece, tag);
                RandomAccess.Write(target.SafeFileHandle, piece, at);
            }
        });
    }

    private static void Seal(string from, string to, X25519KeyPair pair, SealSuite suite, int threads)
    {
        using var source = Reading(from);
        using var target = Writing(to);
        SealedFile.SealAsync(source, target, new SealOptions { Recipients = [SealRecipient.X25519(pair.PublicKey)], Suite = suite, Threads = threads }).GetAwaiter().GetResult();
    }

    private static void Open(string from, string to, X25519KeyPair pair, int threads)
    {
        using var source = Reading(from);
        using var target = Writing(to);
        SealedFile.OpenToAsync(source, target, [SealIdentity.X25519(pair)], threads).GetAwaiter().GetResult();
    }

    /// <summary>A key that age made; its public half, or null without age.</summary>
    private static string? AgeKey(string path)
    {
        try
        {
            Run("age-keygen", "-o", path);
            return File.ReadLines(path).First(line => line.Contains("public key: ", StringComparison.Ordinal)).Split(": ")[1].Trim();
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static void Run(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program}: {said}");
    }

    private static double CpuSeconds(int who)
    {
        if (!OperatingSystem.IsLinux())
            return who == Self ? Environment.CpuUsage.TotalTime.TotalSeconds : double.NaN;
        return GetUsage(who, out var usage) == 0
            ? usage.UserSeconds + usage.UserMicroseconds * 1e-6 + usage.SystemSeconds + usage.SystemMicroseconds * 1e-6
            : throw new InvalidOperationException("getrusage failed.");
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetUsage(int who, out Usage usage);

    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct Usage
    {
        internal long UserSeconds;
        internal long UserMicroseconds;
        internal long SystemSeconds;
        internal long SystemMicroseconds;
    }
}
