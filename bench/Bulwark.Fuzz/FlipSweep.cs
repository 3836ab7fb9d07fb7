using System.Diagnostics;
using Bulwark.Attestation;
using Bulwark.Attestation.Kinds;
using Bulwark.Tests.Attestation;
using Bulwark.Tests.Attestation.Nvidia;

namespace Bulwark.Fuzz;

/// <summary>Flips every bit of every signed byte of every kind of evidence, and counts what is still trusted: nothing may be.</summary>
internal static class FlipSweep
{
    /// <summary>dotnet run --project bench/Bulwark.Fuzz -c Release -- flips</summary>
    /// <returns>0 when nothing was trusted that nobody signed.</returns>
    internal static int Run()
    {
        using var world = new HardwareWorld();
        using var gpu = new GpuPlatform();
        var policy = world.Policy with { Nvidia = gpu.Policy };
        var (accepted, flips, clock) = (0, 0, Stopwatch.StartNew());
        foreach (var kind in HardwareWorld.Kinds)
        {
            var genuine = world.Evidence(kind);
            (accepted, flips) = Sweep(world, world.Policy, $"{kind} statement", genuine, genuine.Payload, bytes => genuine with { Payload = bytes }, at => IsSigned(kind, at), accepted, flips);
            foreach (var part in new[] { EvidenceParts.Signature, EvidenceParts.HclReport, EvidenceParts.Pcrs }.Where(genuine.Parts.ContainsKey))
                (accepted, flips) = Sweep(world, world.Policy, $"{kind} {part}", genuine, genuine.Parts[part], bytes => With(genuine, part, bytes), at => IsCovered(part, at), accepted, flips);
        }

        var snp = world.Evidence(EvidenceKinds.SevSnp);
        var both = With(With(snp, EvidenceParts.GpuReport, gpu.Report(GpuPart.Nonce(snp))), EvidenceParts.GpuChain, gpu.Chain);
        (accepted, flips) = Sweep(world, policy, "gpu report", both, both.Parts[EvidenceParts.GpuReport], bytes => With(both, EvidenceParts.GpuReport, bytes), _ => true, accepted, flips);
        Console.WriteLine($"{flips} flips in {clock.Elapsed.TotalSeconds:F0} s, {accepted} false accepts");
        return accepted == 0 ? 0 : 1;
    }

    private static (int Accepted, int Flips) Sweep(
        HardwareWorld world, EvidencePolicy policy, string name, Evidence genuine, byte[] bytes, Func<byte[], Evidence> made, Func<int, bool> isSigned, int accepted, int flips)
    {
        if (world.Verify(genuine, policy).Verdict is not EvidenceVerdict.Trusted)
            throw new InvalidOperationException($"{name}: the genuine evidence is not trusted.");
        var (before, found) = (flips, 0);
        Parallel.For(0, bytes.Length * 8, bit =>
        {
            if (!isSigned(bit / 8))
                return;
            var changed = bytes.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Interlocked.Increment(ref flips);
            if (world.Verify(made(changed), policy).Verdict is EvidenceVerdict.Trusted)
            {
                Interlocked.Increment(ref found);
                Console.WriteLine($"  FALSE ACCEPT: {name}, byte {bit / 8}, bit {bit % 8}");
            }
        });
        Console.WriteLine($"{name}: {bytes.Length} bytes, {flips - before} flips, {found} accepted");
        return (accepted + found, flips);
    }

    private static Evidence With(Evidence evidence, string part, byte[] bytes) => evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { [part] = bytes } };

    /// <summary>Quote, its signature, the attestation key, the quoting enclave's report and its signature: all but the lengths between them. The certificates behind have signatures of their own.</summary>
    private static bool IsSigned(string kind, int at) => kind switch
    {
        EvidenceKinds.Tdx => at is < 632 or >= 636 and < 764 or >= 770 and < 1218,
        EvidenceKinds.Sgx => at is < 432 or >= 436 and < 1012,
        _ => true,
    };

    /// <summary>What an HCL report holds around the processor's report and the runtime data is not signed.</summary>
    private static bool IsCovered(string part, int at) => part != EvidenceParts.HclReport || at is >= 32 and < 32 + 0x2A0;
}
