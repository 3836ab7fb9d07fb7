namespace Bulwark.Privacy;

/// <summary>What was spent on which data, in one file that many processes share and that shows tampering.</summary>
/// <remarks>
/// The file holds one JSON object a line; each carries the SHA-256 of the line before. A reservation is on the disk (fsync) before
/// <see cref="Reserve"/> returns, so noisy output that was drawn after it can never go unrecorded; a crash at any instruction loses at
/// most a reservation that nobody was told of. The total is the composition of events, not a sum of epsilons.
/// Every operation holds an exclusive lock on a file beside the ledger and reads what other processes appended.
/// The chain shows changed, removed and reordered lines, but neither a changed last line nor a file cut off at a line's end: keep <see cref="Head"/> elsewhere (the transparency log) for that.
/// </remarks>
public sealed class PrivacyLedger : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LedgerFile _file;
    private readonly TimeProvider _time;

    private PrivacyLedger(LedgerFile file, TimeProvider time)
    {
        _file = file;
        _time = time;
    }

    /// <summary>Opens the ledger, or makes an empty one, and checks its chain.</summary>
    /// <param name="path">The file.</param>
    /// <param name="time">The clock of the entries; the system's by default.</param>
    /// <exception cref="InvalidDataException">A line was changed, removed or reordered; the message names it.</exception>
    public static PrivacyLedger Open(string path, TimeProvider? time = null)
    {
        var ledger = new PrivacyLedger(new LedgerFile(Path.GetFullPath(path)), time ?? TimeProvider.System);
        _ = ledger.Entries;
        return ledger;
    }

    /// <summary>Every entry, oldest first, those of other processes included.</summary>
    public IReadOnlyList<LedgerEntry> Entries => Locked(() => (IReadOnlyList<LedgerEntry>)[.. _file.Entries]);

    /// <summary>SHA-256 of the last line, in hexadecimal: evidence that nothing was cut off if it was kept elsewhere.</summary>
    public string Head => Locked(() => _file.Head);

    /// <summary>Sets what may be spent on a data set. A later call replaces the budget; what is spent stays spent.</summary>
    /// <param name="dataset">Names the data by content: its commitment, not a title that can be changed.</param>
    /// <param name="budget">ε and δ for all that ever happens to it.</param>
    public void SetBudget(string dataset, PrivacyBudget budget)
    {
        Require(dataset, budget.Faults());
        Locked(() => _file.Append(New(LedgerEntryKind.Budget, dataset) with { Budget = budget }));
    }

    /// <summary>The budget of a data set, or null when none was set.</summary>
    public PrivacyBudget? BudgetOf(string dataset) => Locked(() => Budget(dataset));

    /// <summary>Books what is about to happen, durably, before any noisy output exists.</summary>
    /// <param name="dataset">The data set; it must have a budget.</param>
    /// <param name="happened">What will happen at most.</param>
    /// <param name="purpose">In words.</param>
    /// <exception cref="PrivacyBudgetException">There is no budget, or all that happened and this would cost more.</exception>
    public LedgerReservation Reserve(string dataset, PrivacyEvent happened, string purpose)
    {
        ArgumentNullException.ThrowIfNull(happened);
        Require(dataset, happened.Faults());
        var id = Guid.NewGuid().ToString("N");
        Locked(() =>
        {
            RequireRoomLocked(dataset, happened);
            _file.Append(New(LedgerEntryKind.Reserve, dataset) with { Reservation = id, Event = happened, Purpose = purpose });
        });
        return new LedgerReservation(this, dataset, id, happened);
    }

    /// <summary>Refuses what the budget has no room for; spends nothing. A later reservation still decides.</summary>
    /// <exception cref="PrivacyBudgetException">No budget is set, or this would exceed it.</exception>
    public void RequireRoom(string dataset, PrivacyEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        Require(dataset, happened.Faults());
        Locked(() => RequireRoomLocked(dataset, happened));
    }

    /// <summary>Certified ε of all that was reserved for a data set, committed or not.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    public PrivacySpent Spent(string dataset, double delta)
    {
        var events = Locked(() => Spending(dataset));
        return new PrivacySpent(PldAccountant.Epsilon(Composed(events), delta), delta, events.Count);
    }

    /// <summary>Every data set that the ledger names.</summary>
    public IReadOnlyList<string> Datasets => [.. Entries.Select(entry => entry.Dataset).Distinct()];

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    internal void Close(string dataset, string reservation, LedgerEntryKind kind) => Locked(() =>
    {
        if (_file.Entries.Any(entry => entry.Reservation == reservation && entry.Kind is (LedgerEntryKind.Commit or LedgerEntryKind.Release)))
            throw new InvalidOperationException($"Reservation {reservation} is already closed.");
        _file.Append(New(kind, dataset) with { Reservation = reservation });
    });

    /// <summary>Certified ε; on a finer mesh before anything is refused.</summary>
    private void RequireRoomLocked(string dataset, PrivacyEvent happened)
    {
        var budget = Budget(dataset) ?? throw new PrivacyBudgetException($"No privacy budget is set for {dataset}: set one before spending.");
        var total = Total([.. Spending(dataset), happened], budget);
        if (!(total <= budget.Epsilon))
            throw new PrivacyBudgetException($"The privacy budget of {dataset} is epsilon {budget.Epsilon:g6} at delta {budget.Delta:g3}; with this it would come to {total:g6}. Nothing was spent.");
    }

    private static double Total(List<PrivacyEvent> events, PrivacyBudget budget)
    {
        var total = PldAccountant.Epsilon(Composed(events), budget.Delta).Upper;
        return total <= budget.Epsilon ? total : PldAccountant.Epsilon(Composed(events), budget.Delta, relativeWidth: 1e-5).Upper;
    }

    private static ComposedEvent Composed(IReadOnlyList<PrivacyEvent> events) => new(events);

    private PrivacyBudget? Budget(string dataset) => _file.Entries.LastOrDefault(entry => entry.Kind == LedgerEntryKind.Budget && entry.Dataset == dataset)?.Budget;

    /// <summary>All reservations but those given back before anything was drawn.</summary>
    private List<PrivacyEvent> Spending(string dataset)
    {
        var released = _file.Entries.Where(entry => entry.Kind == LedgerEntryKind.Release).Select(entry => entry.Reservation).ToHashSet();
        return [.. _file.Entries.Where(entry => entry.Kind == LedgerEntryKind.Reserve && entry.Dataset == dataset && !released.Contains(entry.Reservation)).Select(entry => entry.Event!)];
    }

    private LedgerEntry New(LedgerEntryKind kind, string dataset) => new() { Kind = kind, Dataset = dataset, Time = _time.GetUtcNow() };

    private static void Require(string dataset, IEnumerable<string> faults)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(dataset);
        var all = faults.ToList();
        if (all.Count > 0)
            throw new ArgumentException(string.Join(" ", all));
    }

    private void Locked(Action work) => Locked(() =>
    {
        work();
        return true;
    });

    private T Locked<T>(Func<T> work)
    {
        lock (_gate)
            return _file.Exclusively(work);
    }
}

/// <summary>ε that was certainly not exceeded, at δ, by so many events.</summary>
/// <param name="Epsilon">Certified bounds.</param>
/// <param name="Delta">δ.</param>
/// <param name="Events">Number of reservations that count.</param>
public sealed record PrivacySpent(EpsilonBounds Epsilon, double Delta, int Events);

/// <summary>Spending was refused: no budget, or not enough of it.</summary>
/// <param name="message">What is missing.</param>
public sealed class PrivacyBudgetException(string message) : InvalidOperationException(message);
