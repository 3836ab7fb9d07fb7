using System.CommandLine;
using Bulwark.Cli.Attacks;

namespace Bulwark.Cli;

internal static class AttackCommand
{
    internal static Command Create() => new("attack", """
        Attacks a model and reports what holds, with intervals; gates a build by a threshold.

        Example: bulwark attack evasion --model runs/fraud --data test.csv --fail-above 0.3
        """)
    {
        AttackEvasionCommand.Create(),
        AttackMembershipCommand.Create(),
        AttackSuiteCommand.Create(),
        AttackImagesCommand.Create(),
        AttackMergeCommand.Create(),
        AttackFrontierCommand.Create(),
        AttackConstraintsCommand.Create(),
        AttackAttributeCommand.Create(),
        AttackInversionCommand.Create(),
        AttackExtractionCommand.Create(),
        AttackPoisonCommand.Create(),
        AttackScreenCommand.Create(),
        AttackTreesCommand.Create(),
    };
}
