using Bulwark.Policy;
using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>Asks a policy what it would have said to the requests that a gateway recorded.</summary>
internal static class PolicyReplay
{
    /// <summary>One decision that would change.</summary>
    internal sealed record Change(DateTimeOffset Time, string Subject, string Action, string Model, Decision Was, Decision WouldBe, IReadOnlyList<string> By, string? Error);

    /// <summary>What came of a replay.</summary>
    /// <param name="Replayed">Decisions that were asked again.</param>
    /// <param name="Skipped">Lines that no policy was asked about, such as refused tokens.</param>
    /// <param name="Changes">What would change.</param>
    internal sealed record Result(long Replayed, long Skipped, IReadOnlyList<Change> Changes)
    {
        internal int NewlyDenied => Changes.Count(change => change.WouldBe == Decision.Deny);
    }

    /// <exception cref="FormatException">A line is none of a trail's; the message says which.</exception>
    internal static Result Run(IEnumerable<FileInfo> trails, PolicySet policies, DateTimeOffset from)
    {
        var (replayed, skipped) = (0L, 0L);
        var changes = new List<Change>();
        foreach (var trail in trails)
        {
            var number = 0;
            foreach (var text in File.ReadLines(trail.FullName))
            {
                number++;
                var line = Parse(text, trail, number);
                if (line.Facts is null || line.Subject is null || line.Model is null || line.Time < from)
                {
                    skipped++;
                    continue;
                }

                replayed++;
                var (request, entities) = GatewayQuestions.Of(line);
                var answer = policies.Authorize(request, entities);
                var was = line.Reason is "policy-denied" or "policy-error" ? Decision.Deny : Decision.Allow;
                var would = answer.Decision == Decision.Allow && answer.Errors.Count == 0 ? Decision.Allow : Decision.Deny;   // as the gateway reads it
                if (would != was)
                    changes.Add(new(line.Time, line.Subject, line.Action, line.Model, was, would, answer.Reasons, answer.Errors.Count > 0 ? answer.Errors[0].Message : null));
            }
        }

        return new(replayed, skipped, changes);
    }

    private static AuditLine Parse(string text, FileInfo trail, int number)
    {
        try
        {
            return AuditLine.Parse(text);
        }
        catch (FormatException fault)
        {
            throw new FormatException($"{trail.Name}, line {number}: {fault.Message}", fault);
        }
    }
}
