using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Sound notes, proofs and policies of one log and one witness, always the same.</summary>
internal static class LogSamples
{
    internal const string Origin = "log.example/fuzz";
    private static readonly Signer s_log = Signer.FromSeed(Digest.Of("log"u8).Bytes);
    private static readonly Signer s_witness = Signer.FromSeed(Digest.Of("witness"u8).Bytes);

    internal static NoteKey Log { get; } = new(Origin, s_log.PublicKey);

    internal static NoteKey WitnessKey { get; } = new("witness.example", s_witness.PublicKey, NoteKeyKind.Cosignature);

    internal static Signer WitnessSigner => s_witness;

    internal static byte[] Note { get; } = Encoding.UTF8.GetBytes(SignedNote.Sign($"{Origin}\n1\n{Convert.ToBase64String(Leaf.ToArray())}\n", Origin, s_log)
        .Cosigned("witness.example", s_witness, DateTimeOffset.UnixEpoch).Note);

    internal static ReadOnlySpan<byte> Entry => "entry"u8;

    internal static byte[] Proof { get; } = Encoding.UTF8.GetBytes(new TlogProof(0, [], Checkpoint.Parse(Note)) { Extra = [1, 2, 3] }.Format());

    internal static byte[] Policy { get; } = Encoding.UTF8.GetBytes($"# p\nlog {Log} https://log.example/\nwitness w {WitnessKey} https://w.example/\ngroup g any w\nquorum g\n");

    private static Digest Leaf => MerkleTree.LeafHash(Entry);
}
