using Bulwark.Privacy.Accounting;

namespace Bulwark.Privacy;

/// <summary>What one data set, or one group of its subjects, has spent, kept as counted releases, so that a total costs the same however long the ledger is.</summary>
internal sealed class LedgerAccount
{
    private readonly Dictionary<Release, long> _spent = [];
    private readonly List<PrivacyEvent> _events = [];
    private Dictionary<Release, long> _room = [];   // this much was certified to fit the budget, and so is anything less
    private PrivacyBudget _roomBudget;
    private long _stride = 1;

    internal PrivacyBudget? Budget { get; private set; }

    internal PrivacyUnit Unit { get; private set; } = PrivacyUnit.Record;

    internal int Events => _events.Count;

    internal void SetBudget(PrivacyBudget budget, PrivacyUnit? unit)
    {
        Budget = budget;
        if ((unit ?? PrivacyUnit.Record) == Unit)
            return;
        Unit = unit ?? PrivacyUnit.Record;
        Recount();
    }

    internal void Add(PrivacyEvent happened)
    {
        Count(_spent, happened, 1);
        _events.Add(happened);
    }

    /// <summary>Throws when something that happened cannot be counted for such a unit.</summary>
    /// <exception cref="NotSupportedException">An event has no bound for it.</exception>
    internal void RequireCountable(PrivacyUnit unit)
    {
        foreach (var happened in _events)
            _ = EventList.Flatten(happened, unit);
    }

    internal void Remove(PrivacyEvent happened)
    {
        _events.Remove(happened);
        Recount();
    }

    /// <summary>The certified ε that everything and this would come to, when that is more than the budget; null when there is room.</summary>
    internal double? Excess(PrivacyEvent happened)
    {
        var budget = Budget!.Value;
        var asked = new Dictionary<Release, long>(_spent);
        Count(asked, happened, 1);
        if (budget == _roomBudget && Fits(asked, _room))
            return null;
        var total = Upper(asked, budget);
        if (!(total <= budget.Epsilon))
            return total;
        (_room, _roomBudget) = (asked, budget);
        LookAhead(happened, budget);
        return null;
    }

    internal EpsilonBounds Spent(double delta) => PldAccountant.Epsilon(new ComposedEvent([.. _events]), delta, unit: Unit);

    /// <summary>Certifies room for more of the same at once, twice as much each time, so that n reservations need about log n totals.</summary>
    private void LookAhead(PrivacyEvent happened, PrivacyBudget budget)
    {
        var more = new Dictionary<Release, long>(_room);
        Count(more, happened, _stride);
        if (Upper(more, budget) <= budget.Epsilon)
        {
            _room = more;
            _stride = Math.Min(_stride * 2, 1 << 20);
        }
        else
        {
            _stride = Math.Max(1, _stride / 4);
        }
    }

    private static bool Fits(Dictionary<Release, long> asked, Dictionary<Release, long> room)
    {
        foreach (var (release, count) in asked)
        {
            if (room.GetValueOrDefault(release) < count)
                return false;
        }

        return true;
    }

    private void Count(Dictionary<Release, long> counts, PrivacyEvent happened, long times)
    {
        foreach (var release in EventList.Unmerged(happened, Unit))
        {
            var key = release with { Count = 0 };
            counts[key] = checked(counts.GetValueOrDefault(key) + (release.Count * times));
        }
    }

    private void Recount()
    {
        _spent.Clear();
        (_room, _roomBudget, _stride) = ([], default, 1);
        foreach (var happened in _events)
            Count(_spent, happened, 1);
    }

    /// <summary>Certified; on a finer mesh before anything is refused.</summary>
    private double Upper(Dictionary<Release, long> counts, PrivacyBudget budget)
    {
        var releases = EventList.Merged(counts);
        var total = PldAccountant.Epsilon(releases, budget.Delta, 1e-3, Unit).Upper;
        return total <= budget.Epsilon || total > 1.01 * budget.Epsilon ? total : PldAccountant.Epsilon(releases, budget.Delta, 1e-5, Unit).Upper;
    }
}
