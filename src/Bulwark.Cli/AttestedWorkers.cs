using System.Text;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>Finds in a workspace's log on which evidence a worker got its model's key, and so which key signs its receipts.</summary>
internal static class AttestedWorkers
{
    /// <summary>The release that the log holds for this evidence, signed by one of <paramref name="brokers"/>; null when there is none.</summary>
    internal static KeyReleaseRecord? Find(TransparencyLog log, Digest evidence, IReadOnlyCollection<VerificationKey> brokers)
    {
        for (var index = 0L; index < log.Size; index++)
        {
            var entry = log.ReadEntry(index);
            if (Dsse.Peek(entry) is not var (type, payload) || type != Statement.PayloadType || payload.AsSpan().IndexOf(Encoding.UTF8.GetBytes(evidence.ToString())) < 0)
                continue;
            var signed = Dsse.Verify(entry, brokers);
            if (signed.Verdict is DsseVerdict.Trusted && ReleaseIn(signed.Payload) is { Verdict: KeyReleaseVerdict.Released } release && release.Evidence == evidence)
                return release;
        }

        return null;
    }

    /// <summary>The record in a statement; null when it is another statement, or one of another version.</summary>
    private static KeyReleaseRecord? ReleaseIn(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return Statement.Parse(payload) is { PredicateType: PredicateTypes.KeyRelease } statement ? statement.Read<KeyReleaseRecord>() : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
