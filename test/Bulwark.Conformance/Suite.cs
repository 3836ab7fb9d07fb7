namespace Bulwark.Conformance;

/// <summary>What became of one published case.</summary>
internal enum Outcome { Failed, Passed, Skipped }

/// <summary>One case: its published id, what became of it, and why when it did not pass.</summary>
internal sealed record CaseResult(string Id, Outcome Outcome, string? Reason = null)
{
    internal static CaseResult Pass(string id) => new(id, Outcome.Passed);
    internal static CaseResult Fail(string id, string reason) => new(id, Outcome.Failed, reason);
    internal static CaseResult Skip(string id, string reason) => new(id, Outcome.Skipped, reason);
    internal static CaseResult Of(string id, bool passed, string reason) => passed ? Pass(id) : Fail(id, reason);
}

/// <summary>Runs every case that a directory holds in its published form.</summary>
internal delegate IEnumerable<CaseResult> Suite(DirectoryInfo directory);
