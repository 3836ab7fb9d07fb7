using System.Threading.Tasks.Sources;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>A decision on its way to the log, and who waits for it.</summary>
/// <remarks>One waits, once. What goes on after it does so on the thread that says what became of it: see <see cref="AuditWriter"/>.</remarks>
internal sealed class WaitingDecision(GatewayDecision decision, ReadOnlyMemory<byte>? envelope) : IValueTaskSource<LogEntryReceipt?>
{
    private ManualResetValueTaskSourceCore<LogEntryReceipt?> _source;
    private LogEntryReceipt? _place;

    internal GatewayDecision Decision => decision;

    internal ReadOnlyMemory<byte>? Envelope => envelope;

    /// <summary>At most what the decision takes in the statement, its share of a subject included.</summary>
    internal int Bytes { get; } = 400 + (12 * (decision.Model?.Length ?? 0)) + (6 * (decision.Reason.Length + decision.Outcome.Length)) + RulesBytes(decision.Policies);

    internal ValueTask<LogEntryReceipt?> Place => new(this, _source.Version);

    /// <summary>Notes what became of it; nobody hears of it before <see cref="Tell"/>.</summary>
    internal void Settle(LogEntryReceipt? place) => _place = place;

    internal void Tell() => _source.SetResult(_place);

    public LogEntryReceipt? GetResult(short token) => _source.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _source.OnCompleted(continuation, state, token, flags);

    private static int RulesBytes(IReadOnlyList<string> rules)
    {
        var bytes = 0;
        for (var i = 0; i < rules.Count; i++)
            bytes += 3 + (6 * rules[i].Length);
        return bytes;
    }
}
