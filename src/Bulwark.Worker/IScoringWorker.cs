using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Worker;

/// <summary>A worker that has opened its model: in this process (<see cref="ScoringWorker"/>) or in a sandboxed one of its own (<see cref="WorkerProcess"/>). Thread-safe.</summary>
public interface IScoringWorker : IAsyncDisposable
{
    /// <summary>What it is and what it serves.</summary>
    WorkerFacts Facts { get; }

    /// <summary>True while it would answer.</summary>
    bool IsReady { get; }

    /// <summary>Screens, scores and, when asked to, signs.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="LeaseEndedException">The lease of the model's key is over.</exception>
    /// <exception cref="IOException">The worker is gone.</exception>
    ValueTask<WorkerAnswer> AnswerAsync(WorkerRequest request, CancellationToken cancel);

    /// <summary>Opens, screens, scores, signs and seals.</summary>
    /// <param name="ask">The sealed request.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="LeaseEndedException">The lease of the model's key is over.</exception>
    /// <exception cref="IOException">The worker is gone.</exception>
    ValueTask<SealedAnswer> AnswerAsync(SealedAsk ask, CancellationToken cancel);

    /// <summary>Fresh evidence over a client's nonce, for the same keys, model and start.</summary>
    /// <param name="nonce">The client's fresh number, 32 bytes.</param>
    /// <param name="cancel">Ends the collecting.</param>
    /// <exception cref="LeaseEndedException">The lease of the model's key is over.</exception>
    /// <exception cref="IOException">The worker is gone, or its device cannot be used.</exception>
    ValueTask<Evidence> AttestAsync(byte[] nonce, CancellationToken cancel);
}

/// <summary>The model that a worker opened.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Package">Digest of the package that it came in.</param>
/// <param name="Width">Values in a raw row.</param>
/// <param name="Classes">Values in a row's score.</param>
public sealed record WorkerModelFacts(string Name, string Version, Digest Package, int Width, int Classes);

/// <summary>What a worker is and what it serves.</summary>
/// <param name="Model">The model.</param>
/// <param name="Evidence">The evidence on which the model's key was released, or renewed last.</param>
/// <param name="Release">The broker's decision on it.</param>
/// <param name="Sandbox">What keeps the worker in, in words; empty for one in the gateway's own process.</param>
public sealed record WorkerFacts(WorkerModelFacts Model, Evidence Evidence, KeyReleaseRecord Release, string Sandbox)
{
    /// <summary>What is demanded of the sandbox and is not there, in words; empty when all is. Never empty for a worker that was let start without: insecure.</summary>
    public string SandboxMissing { get; init; } = "";

    /// <summary>The key that verifies the worker's receipts; the evidence binds it.</summary>
    public VerificationKey ReceiptKey => Evidence.Keys.Receipt;

    /// <summary>The worker's key for other people's protocols (<c>application/ohttp-keys</c>), signed by <see cref="ReceiptKey"/> as a DSSE envelope; empty where it has none.</summary>
    public ReadOnlyMemory<byte> ObliviousKeys { get; init; }

    /// <summary>True unless real hardware vouched for the worker; every receipt says so.</summary>
    public bool Insecure => Release.Insecure;
}
