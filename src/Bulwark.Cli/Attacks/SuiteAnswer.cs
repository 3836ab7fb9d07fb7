using Bulwark.Assurance;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Attacks;

/// <summary>Whether a report passes what was asked of it.</summary>
/// <param name="FailBelow">Least share of rows that must be right under every attack, at the highest strength.</param>
/// <param name="Robust">That share.</param>
/// <param name="Passed">False also with any red flag, or when the checks were left out: then the figure means nothing.</param>
/// <param name="Why">What decided, when it failed.</param>
internal sealed record SuiteGate(double FailBelow, double Robust, bool Passed, string? Why);

/// <summary>What <c>attack suite</c> answers.</summary>
internal sealed record SuiteAnswer(string Model, Digest Digest, string Data, Digest DataCommitment, SuiteReport Report, SuiteGate? Gate, long? LogEntry = null)
{
    internal static SuiteAnswer Of(string model, Digest digest, string data, Digest commitment, SuiteReport report, double? failBelow)
    {
        SuiteGate? gate = null;
        if (failBelow is { } least)
        {
            var robust = report.Curve.MaxBy(point => point.Strength)!.Robust.Rate;
            var why = report.Flags.Count > 0 ? $"red flags: {string.Join(", ", report.Flags.Select(flag => flag.Id).Distinct())}"
                : !report.Options.Checks ? "the evaluation was not checked"
                : robust < least ? $"{robust:P1} of the rows hold, {least:P1} are asked" : null;
            gate = new(least, robust, why is null, why);
        }

        return new(model, digest, data, commitment, report, gate);
    }
}
