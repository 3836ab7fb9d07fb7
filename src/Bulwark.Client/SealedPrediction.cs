using Bulwark.Lineage;

namespace Bulwark.Client;

/// <summary>A verified prediction.</summary>
/// <param name="Scores">Shape (rows, <paramref name="Classes"/>), row-major.</param>
/// <param name="Classes">Values in a row's score.</param>
/// <param name="Insecure">True when nothing but a development key vouches for the worker.</param>
/// <param name="Request">The request's body: what the receipt's request digest is of.</param>
/// <param name="Response">The answer's body: what the receipt's response digest is of.</param>
/// <param name="Receipt">Signed by the attested worker and proved to be in the log; keep it.</param>
public sealed record SealedPrediction(
    IReadOnlyList<float> Scores, int Classes, bool Insecure, ReadOnlyMemory<byte> Request, ReadOnlyMemory<byte> Response, PredictionReceipt Receipt);
