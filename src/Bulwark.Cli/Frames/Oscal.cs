using System.Globalization;
using System.Text.Json.Nodes;

namespace Bulwark.Cli.Frames;

/// <summary>The findings as OSCAL assessment results, for tools that gather evidence.</summary>
/// <remarks>Source: NIST OSCAL 1.1.2, assessment results model. A finding's objective is that evidence is there, never that a control is fulfilled: an assessor judges that.</remarks>
internal static class Oscal
{
    private const string Version = "1.1.2";

    internal static JsonObject Of(FrameAnswer answer)
    {
        var plan = NewId();
        var observations = answer.Frames.SelectMany(frame => frame.Requirements).SelectMany(requirement => requirement.Findings).DistinctBy(finding => finding.Check)
            .ToDictionary(finding => finding.Check, finding => (Id: NewId(), Finding: finding));
        return new JsonObject
        {
            ["assessment-results"] = new JsonObject
            {
                ["uuid"] = NewId(),
                ["metadata"] = new JsonObject
                {
                    ["title"] = $"Evidence of {answer.Model} as its transparency log shows it",
                    ["last-modified"] = Time(answer.Made),
                    ["version"] = $"log-{answer.LogSize}",
                    ["oscal-version"] = Version,
                },
                ["import-ap"] = new JsonObject { ["href"] = $"#{plan}" },
                ["results"] = new JsonArray([.. answer.Frames.Select(frame => Result(frame, answer.Made, observations))]),
                ["back-matter"] = new JsonObject
                {
                    ["resources"] = new JsonArray(new JsonObject { ["uuid"] = plan, ["title"] = "Questions put to the evidence", ["description"] = "The checks of bulwark report evidence, as its documentation lists them." }),
                },
            },
        };
    }

    private static JsonObject Result(FrameResult frame, DateTimeOffset made, Dictionary<string, (string Id, CheckResult Finding)> observations)
    {
        var asked = frame.Requirements.SelectMany(requirement => requirement.Findings).Select(finding => finding.Check).Distinct();
        return new JsonObject
        {
            ["uuid"] = NewId(),
            ["title"] = frame.Title,
            ["description"] = $"Evidence found for {frame.Count(Standing.Found)} of {frame.Requirements.Count} requirements. Not asked: {frame.Outside}",
            ["start"] = Time(made),
            ["end"] = Time(made),
            ["reviewed-controls"] = new JsonObject
            {
                ["control-selections"] = new JsonArray(new JsonObject
                {
                    ["include-controls"] = new JsonArray([.. frame.Requirements.Select(requirement => new JsonObject { ["control-id"] = ControlId(frame, requirement) })]),
                }),
            },
            ["observations"] = new JsonArray([.. asked.Select(check => Observation(observations[check], made))]),
            ["findings"] = new JsonArray([.. frame.Requirements.Select(requirement => Finding(frame, requirement, observations))]),
        };
    }

    private static JsonObject Observation((string Id, CheckResult Finding) observed, DateTimeOffset made)
    {
        var (id, finding) = observed;
        var observation = new JsonObject
        {
            ["uuid"] = id,
            ["title"] = finding.Check,
            ["description"] = $"{finding.Asked}: {finding.Found}",
            ["methods"] = new JsonArray("TEST"),
            ["collected"] = Time(made),
            ["remarks"] = $"Look again: {finding.Command}",
        };
        if (finding.Entries.Count > 0)
            observation["relevant-evidence"] = new JsonArray([.. finding.Entries.Select(entry => new JsonObject { ["description"] = $"Entry {entry} of the transparency log" })]);
        return observation;
    }

    private static JsonObject Finding(FrameResult frame, RequirementResult requirement, Dictionary<string, (string Id, CheckResult Finding)> observations) => new()
    {
        ["uuid"] = NewId(),
        ["title"] = $"{frame.Title} {requirement.Id}: {requirement.Asks}",
        ["description"] = $"Evidence {Word(requirement.Standing)}.",
        ["target"] = new JsonObject
        {
            ["type"] = "objective-id",
            ["target-id"] = ControlId(frame, requirement) + "_evidence",
            ["status"] = new JsonObject
            {
                ["state"] = requirement.Standing == Standing.Found ? "satisfied" : "not-satisfied",
                ["reason"] = requirement.Standing switch { Standing.Found => "pass", Standing.Against => "fail", _ => "other" },
            },
        },
        ["related-observations"] = new JsonArray([.. requirement.Findings.Select(finding => new JsonObject { ["observation-uuid"] = observations[finding.Check].Id })]),
    };

    internal static string Word(Standing standing) => standing switch
    {
        Standing.Found => "found",
        Standing.Partly => "found in part",
        Standing.Against => "against",
        _ => "missing",
    };

    private static string ControlId(FrameResult frame, RequirementResult requirement) => $"{frame.Id}-{requirement.Id}".ToLowerInvariant();

    private static string NewId() => Guid.NewGuid().ToString("D");

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
