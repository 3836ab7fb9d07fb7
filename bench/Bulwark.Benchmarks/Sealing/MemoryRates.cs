using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Benchmarks.Fields;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Benchmarks.Sealing;

/// <summary>GB/s of one core in memory, by CPU time, turn by turn; then wall time of one and two threads.</summary>
internal static class MemoryRates
{
    private const int Block = 1 << 20, Length = 64 << 20;

    internal static void Print(double seconds)
    {
        var openssl = OpenSslSpeed(out var said);
        var (plaintext, nonce, tag, key) = (new byte[Length], new byte[12], new byte[16], RandomNumberGenerator.GetBytes(32));
        RandomNumberGenerator.Fill(plaintext);
        using var aes = new AesGcm(key, 16);
        var hot = new byte[Block];
        using var floe = FloeMessage.Create(key, [], Block);
        using var cobblestone = CobblestoneMessage.Create(key, []);
        using var tink = TinkMessage.Create(TinkStreamingKey.Generate(), []);
        var (body, opened) = (new byte[floe.Layout.BodyLength(Length)], new byte[Length]);
        var (stones, sealedStones) = (new byte[cobblestone.Layout.BodyLength(Length)], new byte[cobblestone.Layout.BodyLength(Length)]);
        var segment = new byte[Block];
        floe.Encrypt(plaintext, body);
        cobblestone.Encrypt(plaintext, sealedStones);
        var tinkBody = new byte[tink.Layout.BodyLength(Length)];
        var stream = new byte[Length];
        (string Name, int Values, Action Run)[] contenders =
        [
            ("AesGcm, 1 MiB in place, hot", Block, () => aes.Encrypt(nonce, hot, hot, tag)),
            ("AesGcm, 1 MiB calls through 64 MiB", Length, () => { for (var i = 0; i < Length; i += Block) aes.Encrypt(nonce, plaintext.AsSpan(i, Block), stream.AsSpan(i, Block), tag); }),
            ("FLOE segment in place, hot", floe.PlaintextPerSegmentInBytes, () => floe.EncryptSegment(0, segment.AsSpan(16, floe.PlaintextPerSegmentInBytes), false, segment)),
            ("FLOE seal, 64 MiB", Length, () => floe.Encrypt(plaintext, body)),
            ("FLOE open, 64 MiB", Length, () => floe.Decrypt(body, opened)),
            ("Cobblestone-256 seal, 64 MiB", Length, () => cobblestone.Encrypt(plaintext, stones)),
            ("Cobblestone-256 open, 64 MiB", Length, () => cobblestone.Decrypt(sealedStones, opened)),
            ("Tink AES256_GCM_HKDF_1MB seal, 64 MiB", Length, () => tink.Encrypt(plaintext, tinkBody)),
        ];
        var rates = ThreadRate.Measure([.. contenders.Select(one => (one.Values, one.Run))], TimeSpan.FromSeconds(seconds));
        var limit = Math.Max(openssl, OpenSslSpeed(out _));   // before and after: the better one is the limit
        Console.WriteLine($"openssl speed -evp aes-256-gcm -bytes 1048576 (user time; {said}): {limit.ToString("0.00", CultureInfo.InvariantCulture)} GB/s");
        Console.WriteLine($"{"one core, CPU time",-42} {"GB/s",8} {"of openssl",11} {"of AesGcm through 64 MiB",26}");
        for (var i = 0; i < rates.Length; i++)
            SealingArea.Line($"{contenders[i].Name,-42} {rates[i] / 1e9,8:0.00} {rates[i] / 1e9 / limit,11:0.0 %} {rates[i] / rates[1],26:0.0 %}");
        var (one, two) = (Wall(() => floe.Encrypt(plaintext, body, 1)), Wall(() => floe.Encrypt(plaintext, body, 2)));
        var (openOne, openTwo) = (Wall(() => floe.Decrypt(body, opened, 1)), Wall(() => floe.Decrypt(body, opened, 2)));
        SealingArea.Line($"wall, best of 15: FLOE seal 1 thread {Length / one / 1e9:0.00} GB/s, 2 threads {Length / two / 1e9:0.00} GB/s ({one / two:0.00} times); open {Length / openOne / 1e9:0.00} and {Length / openTwo / 1e9:0.00} GB/s ({openOne / openTwo:0.00} times)");
    }

    private static double Wall(Action run)
    {
        var best = double.PositiveInfinity;
        for (var i = 0; i < 15; i++)
        {
            var start = Stopwatch.GetTimestamp();
            run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>GB/s, or not a number where there is no openssl.</summary>
    private static double OpenSslSpeed(out string version)
    {
        try
        {
            version = Output("version").Trim();
            var last = Output("speed", "-seconds", "2", "-bytes", "1048576", "-evp", "aes-256-gcm").Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1];
            return double.Parse(last.TrimEnd('k'), CultureInfo.InvariantCulture) / 1e6;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            version = "no openssl on the path";
            return double.NaN;
        }
    }

    private static string Output(params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return error.IsCompleted || output.Length > 0 ? output : error.Result;
    }
}
