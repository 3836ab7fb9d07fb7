using System.Text;
using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Offline proofs: one spelling for each, and only the entry's own place is proved.</summary>
internal sealed class TlogProofTarget : IFuzzTarget
{
    public string Name => "tlog-proof";

    public IEnumerable<byte[]> Seeds() => [LogSamples.Proof];

    public void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        var proof = TlogProof.Parse(text);
        if (proof.Format() != text)
            throw new InvalidOperationException("A proof has two spellings.");
        if (proof.Verify(LogSamples.Entry, LogSamples.Log.Key) == LogVerdict.Verified && (proof.Index != 0 || proof.Hashes.Count != 0))
            throw new InvalidOperationException("Another place was proved.");
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}
