using Bulwark.Assurance;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Attacks;

/// <summary>One model's side of an evasion report.</summary>
internal sealed record EvasionSide(string Model, Digest Digest, EvasionReport Report);

/// <summary>Whether the report passes the threshold that was asked for.</summary>
/// <param name="FailAbove">Largest share allowed.</param>
/// <param name="Strength">At which strength.</param>
/// <param name="Success">Worst case against correctly classified positives.</param>
/// <param name="Passed">False also with any red flag: then the figures mean nothing.</param>
internal sealed record EvasionGate(double FailAbove, double Strength, double Success, bool Passed)
{
    internal static EvasionGate? Of(EvasionReport report, double? failAbove)
    {
        if (failAbove is not { } limit)
            return null;
        var worst = report.WorstCase[^1];
        var success = worst.PositivesEvaded.Rate;
        var meaningful = worst.PositivesEvaded.Of > 0 && report.Flags.Count == 0;
        return new(limit, worst.Strength, success, meaningful && success <= limit);
    }
}

/// <summary>What <c>attack evasion</c> answers.</summary>
internal sealed record EvasionAnswer(
    EvasionSide Model, EvasionSide? Baseline, string Data, Digest DataCommitment, EvasionOptions Options, EvasionGate? Gate, long? LogEntry = null);
