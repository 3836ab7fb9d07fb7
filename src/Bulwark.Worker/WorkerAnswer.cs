using Bulwark.Cryptography;
using Bulwark.Monitoring;

namespace Bulwark.Worker;

/// <summary>One request as the gateway hands it over: already parsed and allowed.</summary>
/// <param name="Body">The bytes that the client sent; the receipt is about them.</param>
/// <param name="Rows">Shape (<paramref name="RowCount"/>, width), row-major: the rows in them.</param>
/// <param name="RowCount">How many rows, at least 1.</param>
/// <param name="Id">The client's name for the request, echoed; null when it gave none.</param>
/// <param name="Policy">Digest of the policy that allowed it.</param>
public sealed record WorkerRequest(ReadOnlyMemory<byte> Body, ReadOnlyMemory<float> Rows, int RowCount, string? Id, Digest Policy)
{
    /// <summary>How the answer is to be written; a refusal is always JSON.</summary>
    public AnswerForm Form { get; init; }

    /// <summary>False when nobody wants a receipt: then nothing is signed, and nothing of the answer is logged.</summary>
    public bool Sign { get; init; } = true;
}

/// <summary>The worker's answer, signed.</summary>
/// <param name="Verdict">What the input screen said.</param>
/// <param name="Row">The row that was refused; -1 when none was.</param>
/// <param name="Body">The answer, to be sent unchanged: the receipt is about these bytes.</param>
/// <param name="Envelope">The signed statement: the log's entry; empty when none was asked for.</param>
/// <param name="Salt">What keeps request and response from being guessed from their digests in the log: for the receipt, never for the log.</param>
public sealed record WorkerAnswer(ScreenVerdict Verdict, int Row, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Envelope, ReadOnlyMemory<byte> Salt)
{
    /// <summary>The length of the JSON head of a body in the binary form; -1 in any other.</summary>
    public int HeadBytes { get; init; } = -1;

    /// <summary>The scores, shape (rows, classes); zeros when the rows were refused.</summary>
    public ReadOnlyMemory<float> Scores { get; init; }
}
