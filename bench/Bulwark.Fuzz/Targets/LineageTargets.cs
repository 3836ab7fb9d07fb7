using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>One log entry of each form that these targets start from.</summary>
internal static class LineageSamples
{
    internal static readonly Signer Signer = Signer.FromSeed(new byte[32]);

    internal static Statement Statement() => Lineage.Statement.Of("model.onnx", Digest.Of("onnx"u8), new TrainingProvenance
    {
        BuildDefinition = new(TrainingProvenance.BuildType, JsonSerializer.SerializeToElement(new { epochs = 3 }), [ResourceDescriptor.Of(TrainingProvenance.TrainingData, Digest.Of("data"u8))]),
        RunDetails = new(new("https://bulwark.dev/trainer", new Dictionary<string, string> { ["bulwark"] = "0.1.0" }), new("run", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch), Bulwark_privacy: new(1, 1e-5, "add or remove one record")),
    });

    internal static PredictionFacts Facts() => new()
    {
        RequestDigest = Digest.Of("q"u8),
        ResponseDigest = Digest.Of("a"u8),
        ModelDigest = Digest.Of("m"u8),
        PolicyVersion = Digest.Of("p"u8),
        AttestationDigest = Digest.Of("e"u8),
        ScreenVerdict = "passed",
        Outcome = "scored",
        Time = DateTimeOffset.UnixEpoch,
        Insecure = true,
    };
}

/// <summary>Envelopes: whatever verifies must be the very bytes that were signed.</summary>
internal sealed class DsseTarget : IFuzzTarget
{
    private static readonly byte[] s_seed = Dsse.Sign(LineageSamples.Statement(), LineageSamples.Signer);

    public string Name => "dsse";

    public IEnumerable<byte[]> Seeds() => [s_seed, Dsse.Sign("text/plain", "hello"u8, LineageSamples.Signer)];

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        var result = Dsse.Verify(bytes, LineageSamples.Signer.PublicKey);
        if (result.Verdict == DsseVerdict.Trusted && !Seeds().Any(seed => seed.AsSpan().SequenceEqual(bytes)))
            throw new InvalidOperationException("An envelope that was never signed is trusted.");
        _ = Dsse.Peek(bytes);
    }

    public bool IsRefusal(Exception failure) => false;
}

/// <summary>Statements and their claims: what reads must come back from its own bytes.</summary>
internal sealed class StatementTarget : IFuzzTarget
{
    public string Name => "statement";

    public IEnumerable<byte[]> Seeds() =>
    [
        LineageSamples.Statement().ToBytes(),
        Statement.Of("policy", Digest.Of("p"u8), new PolicyChanged { Kind = "access", Time = DateTimeOffset.UnixEpoch }).ToBytes(),
        Statement.Of("data", Digest.Of("d"u8), new DatasetCommitted { Step = "train", Rows = 3, Columns = ["a"], Sources = [Digest.Of("s"u8)] }).ToBytes(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        var statement = Statement.Parse(input.ToArray());
        _ = Predicates.Read(statement);
        var bytes = statement.ToBytes();
        if (!Statement.Parse(bytes).ToBytes().AsSpan().SequenceEqual(bytes))
            throw new InvalidOperationException("A statement does not come back from its bytes.");
    }

    public bool IsRefusal(Exception failure) => failure is FormatException or JsonException;
}

/// <summary>Receipts: only the one that was signed and logged may be trusted.</summary>
internal sealed class ReceiptTarget : IFuzzTarget
{
    private static readonly byte[] s_envelope = PredictionReceipt.Sign(LineageSamples.Facts(), LineageSamples.Signer);
    private static readonly byte[] s_seed = Logged();

    public string Name => "receipt";

    public IEnumerable<byte[]> Seeds() => [s_seed, new PredictionReceipt(s_envelope, new byte[PredictionReceipt.SaltBytes], null).ToBytes()];

    public void Run(ReadOnlySpan<byte> input)
    {
        var receipt = PredictionReceipt.Parse(input);
        _ = receipt.Facts;
        var report = receipt.Verify(LineageSamples.Signer.PublicKey, [LineageSamples.Signer.PublicKey]);
        if (report.Trusted && !receipt.Envelope.Span.SequenceEqual(s_envelope))
            throw new InvalidOperationException("A receipt that was never signed is trusted.");
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;

    private static byte[] Logged()
    {
        var root = MerkleTree.LeafHash(s_envelope);
        return new PredictionReceipt(s_envelope, new byte[PredictionReceipt.SaltBytes], new TlogProof(0, [], new Checkpoint("log.example", 1, root).Signed(LineageSamples.Signer))).ToBytes();
    }
}
