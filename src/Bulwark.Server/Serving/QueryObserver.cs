namespace Bulwark.Server;

/// <summary>How a client stands with the query monitor.</summary>
/// <param name="BudgetLeft">Queries that are left; null without a budget.</param>
/// <param name="Suspicion">How suspicious its queries are, in thousandths, 0 to 1000.</param>
public readonly record struct ClientStanding(long? BudgetLeft, int Suspicion)
{
    internal bool IsExhausted => BudgetLeft <= 0;
}

/// <summary>One scored request, as the query monitor sees it. The memory is the gateway's and must not be kept.</summary>
/// <param name="Client">The client's pseudonym.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Rows">Shape (<paramref name="RowCount"/>, width), row-major, as the client sent them; empty for a model whose first input is no FP32 or FP64 tensor.</param>
/// <param name="RowCount">How many rows.</param>
/// <param name="Scores">What the model said; empty when its first output is no FP32 tensor.</param>
/// <param name="Time">When.</param>
public readonly record struct ObservedQuery(string Client, string Model, ReadOnlyMemory<float> Rows, int RowCount, ReadOnlyMemory<float> Scores, DateTimeOffset Time)
{
    /// <summary>SHA-256 of the client's certificate, by which gateways know it together; empty where only the pseudonym is known.</summary>
    public ReadOnlyMemory<byte> Thumbprint { get; init; }
}

/// <summary>What an observer says of an answer that is about to leave.</summary>
public enum ObservedAnswer
{
    /// <summary>The observer cannot say, and nothing leaves unobserved (503, <c>monitor-unavailable</c>).</summary>
    Unavailable = 0,

    /// <summary>It looks like probing; the answer is withheld (429, <c>probing</c>).</summary>
    Withhold,

    /// <summary>It looks like probing; only the decision is told. Where that cannot be done (a receipt, another server's model) the answer is withheld.</summary>
    DecisionOnly,

    /// <summary>It leaves as it is.</summary>
    Give,

    /// <summary>It looks like probing; <see cref="QueryObserver.Repeated"/> is told instead. Where that cannot be done (a receipt, another server's model) the answer is withheld.</summary>
    Repeat,
}

/// <summary>Where a query monitor is joined to the gateway; this one watches nothing.</summary>
/// <remarks>Both are called for every request, on its thread: they must be quick, thread-safe, and must not throw.</remarks>
public class QueryObserver
{
    /// <summary>The observer that watches nothing.</summary>
    public static QueryObserver None { get; } = new();

    /// <summary>How a client stands, before its request is decided: policies see it, and a spent budget refuses.</summary>
    public virtual ClientStanding StandingOf(string client) => default;

    /// <summary>True when answers about a model leave only after its rows were looked at: requests that hide their rows from the gateway are then refused (403, <c>sealed-not-monitored</c>), unless <see cref="GatewayOptions.SealedUnmonitored"/>.</summary>
    public virtual bool MustSeeRows(string model) => false;

    /// <summary>Takes note of a scored request before its answer leaves. False withholds the answer (429, <c>probing</c>).</summary>
    public virtual bool Observe(in ObservedQuery query) => true;

    /// <summary>What is told instead of a query's scores when the word is <see cref="ObservedAnswer.Repeat"/>; of the same shape.</summary>
    public virtual ReadOnlyMemory<float> Repeated(ObservedQuery query) => query.Scores;

    /// <summary>What the gateway asks: <see cref="Observe"/>, unless the observer asks elsewhere first.</summary>
    public virtual ValueTask<ObservedAnswer> ObserveAsync(ObservedQuery query) => new(Observe(query) ? ObservedAnswer.Give : ObservedAnswer.Withhold);
}
