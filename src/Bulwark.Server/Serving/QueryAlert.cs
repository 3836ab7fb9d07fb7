namespace Bulwark.Server;

/// <summary>An alarm of the query monitor, with what it rests on. No feature value.</summary>
/// <param name="Time">When.</param>
/// <param name="Model">Which model was asked.</param>
/// <param name="Client">Who asked last, a pseudonym; of a search by many only one.</param>
/// <param name="Detector"><c>crowd</c>, <c>neighbourhood-budget</c> or <c>extraction</c>.</param>
/// <param name="Technique">The technique of MITRE ATLAS 5.6.0.</param>
/// <param name="Evidence">For a crowd its excess in parts of the threshold and its queries; for extraction the statistic W and the client's queries.</param>
public sealed record QueryAlert(DateTimeOffset Time, string Model, string Client, string Detector, string Technique, IReadOnlyDictionary<string, double> Evidence)
{
    internal static QueryAlert OfCrowd(in ObservedQuery query, Monitoring.QueryVerdict verdict) => new(query.Time, query.Model, query.Client, verdict.IsBudgetSpent ? "neighbourhood-budget" : "crowd", "AML.T0042",
        new SortedDictionary<string, double> { ["excess"] = Math.Round(verdict.Excess, 2), ["queries"] = verdict.Neighbours + 1 });

    internal static QueryAlert OfExtraction(in ObservedQuery query, double w, long queries) => new(query.Time, query.Model, query.Client, "extraction", "AML.T0024.002",
        new SortedDictionary<string, double> { ["W"] = Math.Round(w, 4), ["queries"] = queries });
}
