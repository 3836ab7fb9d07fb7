using System.Diagnostics;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Benchmarks.Log;

/// <summary>A log of a hundred million entries that derives its files when asked: how long opening, proving and an incremental check take.</summary>
internal static class LargeLog
{
    private const long Entries = 100_000_000;
    private const int Grown = 250_000;

    internal static void Run()
    {
        using var signer = Signer.Generate();
        var before = new SyntheticTiles(Entries, signer);
        var after = new SyntheticTiles(Entries + Grown, signer);
        var seen = before.Checkpoint;

        var clock = Stopwatch.StartNew();
        var log = TransparencyLog.Over(after, signer.PublicKey);
        _ = log.RootAt(log.Size);
        var opened = clock.Elapsed;

        clock.Restart();
        var proof = log.ProofFor(log.Size / 3);
        var proved = clock.Elapsed;
        if (proof.Verify(SyntheticTiles.EntryAt(log.Size / 3), signer.PublicKey) != LogVerdict.Verified)
            throw new InvalidOperationException("The proof was refused.");

        clock.Restart();
        var report = log.VerifyGrowthAsync(seen).GetAwaiter().GetResult();
        var verified = clock.Elapsed;
        if (report.Verdict != LogVerdict.Verified)
            throw new InvalidOperationException(report.Detail);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"a log of {log.Size} entries (simulated at the files' level): opened with its root derived in {opened.TotalMilliseconds:0.0} ms, an entry proved in {proved.TotalMilliseconds:0.0} ms, "
            + $"{Grown} new entries verified behind {Entries} in {verified.TotalMilliseconds:0} ms ({Grown / verified.TotalSeconds:0}/s)"));
    }
}
