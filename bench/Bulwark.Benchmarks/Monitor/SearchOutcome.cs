namespace Bulwark.Benchmarks.Monitor;

/// <summary>What came of one search: at which query it succeeded and at which it was first seen; null for never.</summary>
internal sealed class SearchOutcome
{
    internal int Asked { get; private set; }

    internal int? Succeeded { get; private set; }

    internal int? Seen { get; private set; }

    internal int? SeenByLax { get; private set; }

    internal int FlaggedByLax { get; private set; }

    /// <summary>True when the successful query and all before it raised no alarm.</summary>
    internal bool SucceedsUnseen => Succeeded is { } success && !(Seen <= success);

    internal void Ask(int query, bool succeeds, bool alarm, bool laxAlarm)
    {
        Asked = query;
        if (alarm)
            Seen ??= query;
        if (laxAlarm)
            (SeenByLax, FlaggedByLax) = (SeenByLax ?? query, FlaggedByLax + 1);
        if (succeeds)
            Succeeded = query;
    }
}
