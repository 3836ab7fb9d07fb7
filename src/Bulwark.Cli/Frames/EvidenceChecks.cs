namespace Bulwark.Cli.Frames;

/// <summary>Every question that a frame may put to the evidence, by name.</summary>
internal static class EvidenceChecks
{
    internal static IReadOnlyDictionary<string, EvidenceCheck> All { get; } =
        ((IEnumerable<EvidenceCheck>)[.. DataChecks.All, .. ModelChecks.All, .. ServingChecks.All, .. LogChecks.All]).ToDictionary(check => check.Name);

    /// <summary>Asks what the frames ask, each question once.</summary>
    internal static IReadOnlyList<FrameResult> Ask(IReadOnlyList<Frame> frames, EvidenceScope scope)
    {
        var results = frames.SelectMany(frame => frame.Requirements).SelectMany(requirement => requirement.Checks).Distinct()
            .ToDictionary(check => check, check => All[check].Ask(scope));
        return [.. frames.Select(frame => new FrameResult(frame.Id, frame.Title, frame.Outside, [.. frame.Requirements.Select(requirement => RequirementResult.Of(requirement, results))]))];
    }
}

/// <summary>One question to the evidence.</summary>
/// <param name="Name">Its name in the frames.</param>
/// <param name="Asked">What it looks for.</param>
/// <param name="Command">What looks again; <c>MODEL</c> stands for the model.</param>
/// <param name="Look">Looks.</param>
internal sealed record EvidenceCheck(string Name, string Asked, string Command, Func<EvidenceScope, EvidenceAnswer> Look)
{
    internal CheckResult Ask(EvidenceScope scope)
    {
        var answer = Look(scope);
        return new(Name, Asked, answer.Standing, Printable.Line(answer.Found), answer.Entries, Command.Replace("MODEL", scope.Name, StringComparison.Ordinal));
    }
}

/// <summary>What a check found.</summary>
internal sealed record EvidenceAnswer(Standing Standing, string Found, IReadOnlyList<long> Entries)
{
    internal static EvidenceAnswer Missing(string what) => new(Standing.Missing, what, []);

    internal static EvidenceAnswer Partly(string what, params IReadOnlyList<long> entries) => new(Standing.Partly, what, entries);

    internal static EvidenceAnswer Against(string what, params IReadOnlyList<long> entries) => new(Standing.Against, what, entries);

    internal static EvidenceAnswer Yes(string what, params IReadOnlyList<long> entries) => new(Standing.Found, what, entries);
}
