using Bulwark.Cryptography;

namespace Bulwark.Worker;

/// <summary>A sealed request as the gateway hands it over: it cannot read it.</summary>
/// <param name="Route">Where it arrived.</param>
/// <param name="Message">The sealed bytes.</param>
/// <param name="Policy">Digest of the policy that allowed it.</param>
/// <param name="MaximumRows">Most rows of one request.</param>
public sealed record SealedAsk(SealedRoute Route, ReadOnlyMemory<byte> Message, Digest Policy, int MaximumRows)
{
    /// <summary>Whose protocol; the worker's own unless said.</summary>
    public ObliviousProtocol Protocol { get; init; }

    /// <summary>EHBP: the encapsulated key of the header.</summary>
    public ReadOnlyMemory<byte> Encapsulated { get; init; }
}

/// <summary>The worker's answer to a sealed request.</summary>
/// <param name="Status">The HTTP status that is inside as well.</param>
/// <param name="Outcome">A stable word: <c>scored</c>, <c>refused</c>.</param>
/// <param name="Reason">A stable word of the input screen, or the name of the refusal.</param>
/// <param name="Message">The sealed answer; empty when the request could not be opened.</param>
/// <param name="Envelope">The signed statement for the log; empty when the request could not be opened.</param>
public sealed record SealedAnswer(int Status, string Outcome, string Reason, ReadOnlyMemory<byte> Message, ReadOnlyMemory<byte> Envelope)
{
    /// <summary>EHBP: the response's nonce, for its header; else empty.</summary>
    public ReadOnlyMemory<byte> Nonce { get; init; }
}
