namespace Bulwark.Monitoring;

/// <summary>How a query monitor is set up.</summary>
public sealed record QueryMonitorOptions
{
    /// <summary>Share of ordinary queries that may raise an alarm; the threshold is set for it on ordinary rows.</summary>
    public double FalseAlarmRate { get; init; } = 0.001;

    /// <summary>Queries that are remembered, 64 bytes each.</summary>
    public int Capacity { get; init; } = 1 << 17;

    /// <summary>Queries that may lie in one neighbourhood (half the typical distance between ordinary rows) among those remembered, at most 60; null for no such budget.</summary>
    public int? NeighbourhoodBudget { get; init; }

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(FalseAlarmRate is > 0 and < 0.5))
            yield return $"{nameof(FalseAlarmRate)} is {FalseAlarmRate}; it must lie between 0 and 0.5.";
        if (Capacity is < 256 or > 1 << 24)
            yield return $"{nameof(Capacity)} is {Capacity}; it must lie between 256 and {1 << 24}.";
        if (NeighbourhoodBudget is < 1 or > 60)
            yield return $"{nameof(NeighbourhoodBudget)} is {NeighbourhoodBudget}; it must lie between 1 and 60.";
    }
}

/// <summary>What the monitor says of one query.</summary>
/// <param name="IsAlarm">True when queries crowd here more than ordinary ones do, or the neighbourhood's budget is spent.</param>
/// <param name="Excess">How much more, in parts of the threshold: above 1 is an alarm; 0 where there is none.</param>
/// <param name="Neighbours">How many queries make the crowd, before this one; 0 where there is none.</param>
/// <param name="IsBudgetSpent">True when the neighbourhood's budget is spent.</param>
public readonly record struct QueryVerdict(bool IsAlarm, double Excess, int Neighbours, bool IsBudgetSpent);

/// <summary>A query as it is shared with other gateways: neither the row nor the client can be read from it without the key.</summary>
/// <param name="Sketch">48 bytes from which distances are told.</param>
/// <param name="Cells">The coarse cells that it lies in, four hashes.</param>
/// <param name="Digest">A hash of the exact row.</param>
public sealed record QueryFingerprint(ReadOnlyMemory<byte> Sketch, IReadOnlyList<ulong> Cells, ulong Digest);

/// <summary>An earlier query that shares a cell.</summary>
/// <param name="Age">How many queries ago it came, from 1.</param>
/// <param name="Sketch">Its sketch.</param>
public readonly record struct EarlierQuery(long Age, ReadOnlyMemory<byte> Sketch);
