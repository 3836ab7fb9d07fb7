namespace Bulwark.Cli.Frames;

/// <summary>How the evidence stands to a question; its zero value vouches for nothing.</summary>
internal enum Standing
{
    /// <summary>Nothing in the log or the workspace speaks of it.</summary>
    Missing = 0,

    /// <summary>What there is speaks against it.</summary>
    Against,

    /// <summary>Some of it is there; the finding says what is not.</summary>
    Partly,

    /// <summary>It is there, signed and in the log.</summary>
    Found,
}

/// <summary>What one check found.</summary>
/// <param name="Check">The check's name.</param>
/// <param name="Asked">What it looked for.</param>
/// <param name="Standing">How the evidence stands.</param>
/// <param name="Found">What was found, one sentence with figures.</param>
/// <param name="Entries">Entries of the log that say so.</param>
/// <param name="Command">What looks again.</param>
internal sealed record CheckResult(string Check, string Asked, Standing Standing, string Found, IReadOnlyList<long> Entries, string Command);

/// <summary>One requirement with what its checks found.</summary>
/// <param name="Id">Its number in the frame.</param>
/// <param name="Asks">What it asks.</param>
/// <param name="Standing">What the findings come to.</param>
/// <param name="Findings">One for each check.</param>
internal sealed record RequirementResult(string Id, string Asks, Standing Standing, IReadOnlyList<CheckResult> Findings)
{
    internal static RequirementResult Of(Requirement requirement, IReadOnlyDictionary<string, CheckResult> results)
    {
        CheckResult[] findings = [.. requirement.Checks.Select(check => results[check])];
        return new(requirement.Id, requirement.Asks, Together([.. findings.Select(finding => finding.Standing)]), findings);
    }

    /// <summary>One finding against is against; all must be found for it to be found; where some of it is missing it is there in part.</summary>
    internal static Standing Together(IReadOnlyList<Standing> parts) => parts switch
    {
        _ when parts.Contains(Standing.Against) => Standing.Against,
        _ when parts.Count > 0 && parts.All(part => part == Standing.Found) => Standing.Found,
        _ when parts.Any(part => part is Standing.Found or Standing.Partly) => Standing.Partly,
        _ => Standing.Missing,
    };
}

/// <summary>A frame held against the evidence.</summary>
/// <param name="Id">The frame's name on the command line.</param>
/// <param name="Title">Its name and edition.</param>
/// <param name="Outside">What stays to be shown by people.</param>
/// <param name="Requirements">In the frame's order.</param>
internal sealed record FrameResult(string Id, string Title, string Outside, IReadOnlyList<RequirementResult> Requirements)
{
    internal int Count(Standing standing) => Requirements.Count(requirement => requirement.Standing == standing);
}
