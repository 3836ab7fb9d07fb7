using System.Globalization;

namespace Bulwark.Privacy;

/// <summary>What was spent on which data, shared by many processes, and showing tampering.</summary>
/// <remarks>
/// One JSON object a line; each carries the SHA-256 of the line before. A reservation is durable before <see cref="Reserve"/> returns, so noisy
/// output that is drawn after it can never go unrecorded; a crash at any instruction loses at most a reservation that nobody was told of.
/// The total is the composition of events, not a sum of epsilons. Callers in one process that wait for one another share one flush to the disk.
/// The chain shows changed, removed and reordered lines, but not a ledger that was set back as a whole: keep <see cref="Head"/> elsewhere
/// (the transparency log) for that. Thread-safe.
/// </remarks>
public sealed class PrivacyLedger : IDisposable
{
    private const int LargestGroup = 512;
    private readonly Lock _gate = new();
    private readonly Queue<Request> _waiting = [];
    private readonly ILedgerStore _store;
    private readonly TimeProvider _time;
    private LedgerChain _chain;
    private bool _led;

    private PrivacyLedger(ILedgerStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        _chain = new LedgerChain(store.Name);
    }

    /// <summary>Opens a ledger in a file, or makes an empty one, and checks its chain.</summary>
    /// <param name="path">The file.</param>
    /// <param name="time">The clock of the entries; the system's by default.</param>
    /// <exception cref="InvalidDataException">A line was changed, removed or reordered; the message names it.</exception>
    public static PrivacyLedger Open(string path, TimeProvider? time = null) => Open(new FileLedgerStore(path), time);

    /// <summary>Opens a ledger in a store, and checks its chain.</summary>
    /// <param name="store">Where the lines are; disposed of with the ledger.</param>
    /// <param name="time">The clock of the entries; the system's by default.</param>
    /// <exception cref="InvalidDataException">A line was changed, removed or reordered; the message names it.</exception>
    public static PrivacyLedger Open(ILedgerStore store, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        var ledger = new PrivacyLedger(store, time ?? TimeProvider.System);
        _ = ledger.Entries;
        return ledger;
    }

    /// <summary>Every entry, oldest first, those of other processes included.</summary>
    public IReadOnlyList<LedgerEntry> Entries => Run((chain, _) => (IReadOnlyList<LedgerEntry>)[.. chain.Entries]);

    /// <summary>SHA-256 of the last line, in hexadecimal: evidence that nothing was cut off if it was kept elsewhere.</summary>
    public string Head => Run((chain, _) => chain.Head);

    /// <summary>Every data set that the ledger names.</summary>
    public IReadOnlyList<string> Datasets => Run((chain, _) => (IReadOnlyList<string>)[.. chain.Accounts.Keys.Select(key => key.Dataset).Distinct()]);

    /// <summary>Sets what may be spent on a data set. A later call replaces the budget; what is spent stays spent.</summary>
    /// <param name="dataset">Names the data by content: its commitment, not a title that can be changed.</param>
    /// <param name="budget">ε and δ for all that ever happens to it.</param>
    /// <param name="unit">Whose privacy it speaks of; one record, added or removed, by default.</param>
    /// <param name="group">A group of its subjects that has a budget of its own beside the whole; null for the whole.</param>
    /// <exception cref="NotSupportedException">Something that already happened cannot be counted for that unit.</exception>
    public void SetBudget(string dataset, PrivacyBudget budget, PrivacyUnit? unit = null, string? group = null)
    {
        Require(dataset, budget.Faults().Concat(unit?.Faults() ?? []).Concat(group is { } name && string.IsNullOrWhiteSpace(name) ? ["The group has no name."] : []));
        Run((chain, write) =>
        {
            (chain.Account(dataset, group) ?? chain.Account(dataset, null))?.RequireCountable(unit ?? PrivacyUnit.Record);
            write(New(LedgerEntryKind.Budget, dataset) with { Budget = budget, Unit = unit, Group = group });
            return true;
        });
    }

    /// <summary>The budget of a data set, or of one of its groups; null when none was set.</summary>
    public PrivacyBudget? BudgetOf(string dataset, string? group = null) => Run((chain, _) => chain.Account(dataset, group)?.Budget);

    /// <summary>Books what is about to happen, durably, before any noisy output exists.</summary>
    /// <param name="dataset">The data set; it must have a budget.</param>
    /// <param name="happened">What will happen at most.</param>
    /// <param name="purpose">In words.</param>
    /// <param name="groups">The groups whose rows are read; all of them by default.</param>
    /// <exception cref="PrivacyBudgetException">There is no budget, or all that happened and this would cost more; nothing was booked.</exception>
    public LedgerReservation Reserve(string dataset, PrivacyEvent happened, string purpose, IReadOnlyList<string>? groups = null) =>
        ReserveAsync(dataset, happened, purpose, groups).GetAwaiter().GetResult();

    /// <summary>As <see cref="Reserve"/>; many that wait at once become durable together.</summary>
    public Task<LedgerReservation> ReserveAsync(string dataset, PrivacyEvent happened, string purpose, IReadOnlyList<string>? groups = null)
    {
        ArgumentNullException.ThrowIfNull(happened);
        Require(dataset, happened.Faults());
        var id = Guid.NewGuid().ToString("N");
        return RunAsync((chain, write) =>
        {
            RequireRoom(chain, dataset, happened, groups);
            write(New(LedgerEntryKind.Reserve, dataset) with { Reservation = id, Event = happened, Purpose = purpose, Groups = groups });
            return new LedgerReservation(this, dataset, id, happened);
        });
    }

    /// <summary>Refuses what the budget has no room for; spends nothing. A later reservation still decides.</summary>
    /// <exception cref="PrivacyBudgetException">No budget is set, or this would exceed it.</exception>
    public void RequireRoom(string dataset, PrivacyEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        Require(dataset, happened.Faults());
        Run((chain, _) =>
        {
            RequireRoom(chain, dataset, happened, null);
            return true;
        });
    }

    /// <summary>Certified ε of all that was reserved for a data set, committed or not, for the unit of its budget.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    /// <param name="group">A group of its subjects; null for the whole.</param>
    public PrivacySpent Spent(string dataset, double delta, string? group = null) => Run((chain, _) =>
        chain.Account(dataset, group) is { } account ? new PrivacySpent(account.Spent(delta), delta, account.Events) : new PrivacySpent(new EpsilonBounds(0, 0), delta, 0));

    /// <summary>Every account: a data set, or a group of its subjects, with its budget and what was spent of it.</summary>
    public IReadOnlyList<LedgerBalance> Balances() => Run((chain, _) => (IReadOnlyList<LedgerBalance>)[.. chain.Accounts.Select(pair =>
        new LedgerBalance(pair.Key.Dataset, pair.Key.Group, pair.Value.Unit, pair.Value.Budget, new PrivacySpent(pair.Value.Spent(pair.Value.Budget?.Delta ?? 1e-5), pair.Value.Budget?.Delta ?? 1e-5, pair.Value.Events)))]);

    /// <summary>Records that the work of a reservation is finished; for who kept its id only.</summary>
    /// <param name="reservation">The reservation's id.</param>
    /// <exception cref="InvalidOperationException">There is no such reservation, or it is closed.</exception>
    public void Commit(string reservation) => Close(reservation, LedgerEntryKind.Commit);

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    internal void Close(string reservation, LedgerEntryKind kind) => Run((chain, write) =>
    {
        if (chain.IsClosed(reservation))
            throw new InvalidOperationException($"Reservation {reservation} is already closed.");
        if (!chain.IsOpen(reservation))
            throw new InvalidOperationException($"There is no reservation {reservation} in {_store.Name}.");
        write(New(kind, chain.DatasetOf(reservation)) with { Reservation = reservation });
        return true;
    });

    private static void RequireRoom(LedgerChain chain, string dataset, PrivacyEvent happened, IReadOnlyList<string>? groups)
    {
        if (chain.Account(dataset, null)?.Budget is null)
            throw new PrivacyBudgetException($"No privacy budget is set for {dataset}: set one before spending.");
        foreach (var (group, account) in chain.Charged(dataset, groups))
        {
            if (account.Excess(happened) is not { } total)
                continue;
            var who = group is null ? dataset : $"the group {group} of {dataset}";
            throw new PrivacyBudgetException(string.Create(CultureInfo.InvariantCulture,
                $"The privacy budget of {who} is epsilon {account.Budget!.Value.Epsilon:g6} at delta {account.Budget.Value.Delta:g3} ({account.Unit}); with this it would come to {total:g6}. Nothing was spent."));
        }
    }

    private LedgerEntry New(LedgerEntryKind kind, string dataset) => new() { Kind = kind, Dataset = dataset, Time = _time.GetUtcNow() };

    private static void Require(string dataset, IEnumerable<string> faults)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(dataset);
        var all = faults.ToList();
        if (all.Count > 0)
            throw new ArgumentException(string.Join(" ", all));
    }

    private T Run<T>(Func<LedgerChain, Action<LedgerEntry>, T> work) => RunAsync(work).GetAwaiter().GetResult();

    /// <summary>Queues work; whoever finds nobody at it does what has gathered, under one lock and with one flush.</summary>
    private Task<T> RunAsync<T>(Func<LedgerChain, Action<LedgerEntry>, T> work)
    {
        var request = new Request<T>(work);
        lock (_gate)
        {
            _waiting.Enqueue(request);
            if (_led)
                return request.Task;
            _led = true;
        }

        Lead();
        return request.Task;
    }

    private void Lead()
    {
        for (; ; )
        {
            var group = new List<Request>();
            lock (_gate)
            {
                while (group.Count < LargestGroup && _waiting.TryDequeue(out var next))
                    group.Add(next);
                if (group.Count == 0)
                {
                    _led = false;
                    return;
                }
            }

            try
            {
                Do(group);
                foreach (var request in group)
                    request.Tell();
            }
            catch (Exception failure)
            {
                _chain = new LedgerChain(_store.Name);   // what the store holds is read again
                foreach (var request in group)
                    request.Fail(failure);
            }
        }
    }

    private void Do(List<Request> group)
    {
        using var session = _store.Open();
        // The last line that is known comes again: it must still be what it was.
        var known = _chain.Entries.Count;
        var lines = session.Read(Math.Max(0, known - 1));
        if (known > 0 && (lines.Count == 0 || LedgerChain.Hash(lines[0]) != _chain.Head))
            throw new InvalidDataException($"The privacy ledger {_store.Name} is not what it was: line {known} was changed or removed.");
        foreach (var line in lines.Skip(known > 0 ? 1 : 0))
            _chain.Read(line);
        var written = new List<byte[]>();
        foreach (var request in group)
            request.Do(_chain, entry => written.Add(_chain.Write(entry)));
        if (written.Count > 0)
            session.Append(written);
    }

    /// <summary>One caller's work: done under the lock, told of after the flush.</summary>
    private abstract class Request
    {
        internal abstract void Do(LedgerChain chain, Action<LedgerEntry> write);

        internal abstract void Tell();

        internal abstract void Fail(Exception failure);
    }

    private sealed class Request<T>(Func<LedgerChain, Action<LedgerEntry>, T> work) : Request
    {
        private readonly TaskCompletionSource<T> _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _refusal;

        internal Task<T> Task => _told.Task;

        /// <summary>A refusal is this caller's alone; it wrote nothing.</summary>
        internal override void Do(LedgerChain chain, Action<LedgerEntry> write)
        {
            try
            {
                _result = work(chain, write);
            }
            catch (Exception refusal) when (refusal is InvalidOperationException or NotSupportedException or ArgumentException or OverflowException)
            {
                _refusal = refusal;
            }
        }

        internal override void Tell()
        {
            if (_refusal is not null)
                _told.SetException(_refusal);
            else
                _told.SetResult(_result!);
        }

        internal override void Fail(Exception failure) => _told.TrySetException(failure);
    }
}

/// <summary>One account of a ledger.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Group">A group of its subjects; null for the whole.</param>
/// <param name="Unit">Whose privacy is counted.</param>
/// <param name="Budget">What may be spent; null when none was set.</param>
/// <param name="Spent">What was reserved.</param>
public sealed record LedgerBalance(string Dataset, string? Group, PrivacyUnit Unit, PrivacyBudget? Budget, PrivacySpent Spent);

/// <summary>ε that was certainly not exceeded, at δ, by so many events.</summary>
/// <param name="Epsilon">Certified bounds.</param>
/// <param name="Delta">δ.</param>
/// <param name="Events">Number of reservations that count.</param>
public sealed record PrivacySpent(EpsilonBounds Epsilon, double Delta, int Events);

/// <summary>Spending was refused: no budget, or not enough of it.</summary>
/// <param name="message">What is missing.</param>
public sealed class PrivacyBudgetException(string message) : InvalidOperationException(message);
