namespace Bulwark.Data;

/// <summary>What <see cref="SensitiveScan"/> found. It holds counts and reasons, never a value.</summary>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Examined">Rows looked at, evenly spaced.</param>
/// <param name="Findings">One a column at most, surest first.</param>
public sealed record ScanReport(long Rows, int Examined, IReadOnlyList<SensitiveFinding> Findings);

/// <summary>Why one column seems sensitive.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Kind">What it seems to hold.</param>
/// <param name="Confidence">0 to 1: 1 − (1 − share of values that match) × (1 − ½ if the name says so).</param>
/// <param name="Matched">Values that match the kind's content rule.</param>
/// <param name="Values">Values examined that are not missing.</param>
/// <param name="Advice">What a policy made from the scan does with the column.</param>
/// <param name="Why">The reasons in words, with counts.</param>
public sealed record SensitiveFinding(
    string Column, SensitiveKind Kind, double Confidence, int Matched, int Values, ProtectionAction Advice, IReadOnlyList<string> Why);
