using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Privacy;

/// <summary>The ledger's lines as entries: each carries the hash of the line before, and what was spent is added up as they come.</summary>
internal sealed class LedgerChain(string name)
{
    internal const string Start = "0000000000000000000000000000000000000000000000000000000000000000";
    private readonly List<LedgerEntry> _entries = [];
    private readonly Dictionary<(string Dataset, string? Group), LedgerAccount> _accounts = [];
    private readonly Dictionary<string, LedgerEntry> _open = [];
    private readonly HashSet<string> _closed = [];

    internal IReadOnlyList<LedgerEntry> Entries => _entries;

    internal string Head { get; private set; } = Start;

    internal IReadOnlyDictionary<(string Dataset, string? Group), LedgerAccount> Accounts => _accounts;

    internal LedgerAccount? Account(string dataset, string? group) => _accounts.GetValueOrDefault((dataset, group));

    internal bool IsClosed(string reservation) => _closed.Contains(reservation);

    internal bool IsOpen(string reservation) => _open.ContainsKey(reservation);

    internal string DatasetOf(string reservation) => _open[reservation].Dataset;

    /// <summary>The accounts that a reservation is charged to: the data set, and each of its groups that has a budget and is not left out.</summary>
    internal IEnumerable<(string? Group, LedgerAccount Account)> Charged(string dataset, IReadOnlyList<string>? groups) => _accounts
        .Where(pair => pair.Key.Dataset == dataset && (pair.Key.Group is null || groups is null || groups.Contains(pair.Key.Group)))
        .Select(pair => (pair.Key.Group, pair.Value));

    /// <summary>The next line, chained; it counts from now on.</summary>
    internal byte[] Write(LedgerEntry entry)
    {
        var chained = entry with { Previous = Head };
        var line = JsonSerializer.SerializeToUtf8Bytes(chained, LedgerEntry.Options);
        Count(chained, line);
        return line;
    }

    /// <exception cref="InvalidDataException">The line is no entry, or does not follow.</exception>
    internal void Read(ReadOnlySpan<byte> line)
    {
        LedgerEntry entry;
        try
        {
            entry = JsonSerializer.Deserialize<LedgerEntry>(line, LedgerEntry.Options) ?? throw new JsonException("null");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new InvalidDataException($"The privacy ledger {name}, line {_entries.Count + 1}, is not an entry: {failure.Message}");
        }

        if (entry.Previous != Head)
            throw new InvalidDataException($"The privacy ledger {name}, line {_entries.Count + 1}, does not follow the line before: a line was changed, removed or reordered.");
        if (Fault(entry) is { } fault)
            throw new InvalidDataException($"The privacy ledger {name}, line {_entries.Count + 1}: {fault}");
        try
        {
            Count(entry, line);
        }
        catch (Exception failure) when (failure is NotSupportedException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"The privacy ledger {name}, line {_entries.Count + 1}, cannot be accounted for: {failure.Message}");
        }
    }

    internal static string Hash(ReadOnlySpan<byte> line) => Convert.ToHexStringLower(SHA256.HashData(line));

    private static string? Fault(LedgerEntry entry) => entry switch
    {
        { Dataset: null or "" } => "it names no data set.",
        { Kind: LedgerEntryKind.Budget, Budget: null } => "it sets no budget.",
        { Kind: LedgerEntryKind.Budget, Budget: { } budget } => budget.Faults().Concat(entry.Unit?.Faults() ?? []).FirstOrDefault(),
        { Kind: LedgerEntryKind.Reserve, Event: null } or { Kind: LedgerEntryKind.Reserve, Reservation: null } => "it reserves nothing.",
        { Kind: LedgerEntryKind.Reserve, Event: { } happened } => happened.Faults().FirstOrDefault(),
        { Kind: LedgerEntryKind.Commit or LedgerEntryKind.Release, Reservation: null } => "it closes no reservation.",
        { Kind: LedgerEntryKind.None } => "it says nothing.",
        _ => null,
    };

    private void Count(LedgerEntry entry, ReadOnlySpan<byte> line)
    {
        switch (entry.Kind)
        {
            case LedgerEntryKind.Budget:
                Opened(entry.Dataset, null);
                Opened(entry.Dataset, entry.Group).SetBudget(entry.Budget!.Value, entry.Unit);
                break;
            case LedgerEntryKind.Reserve:
                Opened(entry.Dataset, null);
                foreach (var (_, account) in Charged(entry.Dataset, entry.Groups))
                    account.Add(entry.Event!);
                _open[entry.Reservation!] = entry;
                break;
            case LedgerEntryKind.Commit:
                _open.Remove(entry.Reservation!);
                _closed.Add(entry.Reservation!);
                break;
            case LedgerEntryKind.Release:
                // Only what is open can be given back: a line that gives back what was committed gives nothing.
                if (_open.Remove(entry.Reservation!, out var given))
                {
                    foreach (var (_, account) in Charged(given.Dataset, given.Groups))
                        account.Remove(given.Event!);
                }

                _closed.Add(entry.Reservation!);
                break;
        }

        _entries.Add(entry);
        Head = Hash(line);
    }

    /// <summary>A group whose budget is set later has spent all that the data set has.</summary>
    private LedgerAccount Opened(string dataset, string? group)
    {
        if (_accounts.TryGetValue((dataset, group), out var account))
            return account;
        account = _accounts[(dataset, group)] = new LedgerAccount();
        if (group is null)
            return account;
        var released = _entries.Where(entry => entry.Kind == LedgerEntryKind.Release).Select(entry => entry.Reservation).ToHashSet();
        foreach (var entry in _entries)
        {
            if (entry.Kind == LedgerEntryKind.Reserve && entry.Dataset == dataset && (entry.Groups?.Contains(group) ?? true) && !released.Contains(entry.Reservation))
                account.Add(entry.Event!);
        }

        return account;
    }
}
