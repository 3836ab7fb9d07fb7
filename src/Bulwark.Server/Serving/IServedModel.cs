using Bulwark.Cryptography;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>A model behind the gateway: a worker's, or another server's.</summary>
internal interface IServedModel : IAsyncDisposable
{
    /// <summary>What it takes and gives.</summary>
    ModelSignature Signature { get; }

    /// <summary>What names it in the log: the package, or for another server's model its pinned signature.</summary>
    Digest Digest { get; }

    /// <summary>How its host is vouched for; see <see cref="PolicyFacts.Attestation"/>.</summary>
    string Attestation { get; }

    /// <summary>True while it would answer.</summary>
    bool IsReady { get; }

    /// <summary>Screens and scores one request. Never throws for what a request or another server holds.</summary>
    ValueTask<ServedAnswer> AnswerAsync(InferenceRequest request, AnswerAsked asked, CancellationToken cancel);
}

/// <summary>How an answer is wanted.</summary>
/// <param name="Body">The bytes that the client sent; a receipt is about them.</param>
/// <param name="Form">How the answer is written.</param>
/// <param name="Receipt">True for a signed receipt.</param>
/// <param name="Policy">Digest of the policy that allowed it.</param>
internal readonly record struct AnswerAsked(ReadOnlyMemory<byte> Body, AnswerForm Form, bool Receipt, Digest Policy);

/// <summary>What came of a request.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Outcome"><c>scored</c>, <c>screened</c>, or <c>refused</c>.</param>
/// <param name="Reason">A stable word.</param>
/// <param name="Body">The answer, or a refusal's JSON.</param>
/// <param name="HeadBytes">The length of a JSON head with raw bytes behind it; else -1.</param>
/// <param name="Signed">The worker's signed statement; null when no receipt was asked for or none can be.</param>
/// <param name="Scores">What the model said, for the query monitor; empty when it said nothing.</param>
internal sealed record ServedAnswer(int Status, string Outcome, string Reason, ReadOnlyMemory<byte> Body, int HeadBytes = -1, SignedAnswer? Signed = null, ReadOnlyMemory<float> Scores = default)
{
    internal bool IsScored => Status == StatusCodes.Status200OK;

    /// <summary>An answer of the gateway's own.</summary>
    internal static ServedAnswer Of(string outcome, Refusal refusal) => new(refusal.Status, outcome, refusal.Reason, Reply.Json(writer => writer.WriteString("error", refusal.Text)));
}

/// <summary>What a worker signed of an answer.</summary>
/// <param name="Envelope">The signed statement, for the log.</param>
/// <param name="Salt">What keeps the bodies from being guessed from their digests: for the receipt, never for the log.</param>
internal sealed record SignedAnswer(ReadOnlyMemory<byte> Envelope, ReadOnlyMemory<byte> Salt);
