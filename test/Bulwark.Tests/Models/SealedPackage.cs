using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

/// <summary>One sealed model in a folder of its own, with the keys that sealed it: what the tests of packages begin with.</summary>
public abstract class SealedPackage : IAsyncLifetime
{
    private protected TemporaryFolder Scratch { get; } = new();

    private protected Signer Publisher { get; } = Signer.Generate();

    private protected KeyRing Keys { get; private set; } = null!;

    private protected byte[] Package { get; private set; } = [];

    private protected SealedModelInfo Info { get; private set; } = null!;

    private protected string Output => Path.Combine(Scratch.Path, "fraud.bulwark");

    private protected VerificationKey[] Trusted => [Publisher.PublicKey];

    public async ValueTask InitializeAsync()
    {
        Keys = KeyRing.Create(Path.Combine(Scratch.Path, "keys.json"), KeyRingUnlock.KeyFile(Path.Combine(Scratch.Path, "keys.key")));
        Keys.CreateSymmetric("models");
        Info = await SealedModel.SealAsync(Folder(), Manifest, Keys, "models", Publisher, Output, TestContext.Current.CancellationToken);
        Package = await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Keys.Dispose();
        Publisher.Dispose();
        Scratch.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private protected static ModelManifest Manifest => new()
    {
        Name = "fraud",
        Version = "1.0.0",
        Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        DataCommitment = Digest.Of("data"u8),
        Epsilon = 0.5,
        Delta = 1e-5,
        PrivacyUnit = "add or remove one record",
        Accuracy = 0.98,
        RobustAccuracy = 0.9,
        RobustStrength = 0.05,
        Metrics = new Dictionary<string, double> { ["auc"] = 0.97 },
        CodeVersion = "0.1.0",
        Dependencies = new Dictionary<string, string> { ["Google.Protobuf"] = "3" },
        InsecureNotes = ["development key"],
    };

    private protected static ModelFolder Folder() => new(Manifest, new Dictionary<string, ReadOnlyMemory<byte>>
    {
        [ModelFolder.OnnxName] = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 4)),
        [ModelFolder.ScreenName] = "{}"u8.ToArray(),
    });

    private protected static int EnvelopeLength(byte[] package) => System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(package.AsSpan(12));

    private protected Task<SealVerification> Verify(byte[] package) => SealedModel.VerifyAsync(new MemoryStream(package), Trusted, TestContext.Current.CancellationToken);
}
