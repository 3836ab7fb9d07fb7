using System.CommandLine;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Models;

namespace Bulwark.Cli.Attacks;

/// <summary>A defence before the model that is random or breaks gradients, and how attacks see through it.</summary>
internal sealed class StageOptions
{
    private readonly Option<string?> _stage = new("--stage") { Description = "Attack the model behind a stage: noise:DEVIATION or levels:NUMBER, on encoded values. Attacks use the identity for the derivative of levels (BPDA).", HelpName = "STAGE" };
    private readonly Option<int> _draws = new("--draws") { Description = "Draws of a random stage that each answer and each gradient is the mean of (EOT); at least 20 say something. With 1 the answers are random, which is a red flag.", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> _noStandIn = new("--no-stand-in") { Description = "Attack with the true derivative of levels, which is 0: what a naive evaluation sees." };

    internal void AddTo(Command command)
    {
        foreach (var option in (Option[])[_stage, _draws, _noStandIn])
            command.Options.Add(option);
    }

    /// <summary>What a report calls it; empty without a stage.</summary>
    internal string Name(ParseResult parsed) => parsed.GetValue(_stage) is { } text ? $" behind {text}, {(parsed.GetValue(_draws) == 1 ? "one draw" : $"mean of {parsed.GetValue(_draws)} draws")}{(parsed.GetValue(_noStandIn) ? ", true derivative" : "")}" : "";

    /// <summary>The model behind the stage; null without one.</summary>
    internal StagedScorer? Open(ParseResult parsed, FeatureEncoder encoder, IDifferentiableModel<float>? network)
    {
        if (parsed.GetValue(_stage) is not { } text)
            return null;
        if (network is null)
            throw new CommandException("A stage stands before a network that can be seen into; this model has none.", "leave --stage out");
        string[] parts = text.Split(':');
        double? value = parts.Length == 2 && double.TryParse(parts[1], CultureInfo.InvariantCulture, out var number) ? number : null;
        IInputStage<float> stage = (parts[0], value) switch
        {
            ("noise", > 0 and <= 1) => new NoiseStage(encoder.EncodedWidth, value.Value),
            ("levels", >= 2 and <= 256) => new LevelStage((int)value.Value, !parsed.GetValue(_noStandIn)),
            _ => throw new CommandException($"There is no stage '{text}'.", "noise:0.05 or levels:8"),
        };
        var draws = parsed.GetValue(_draws) is >= 1 and <= 1000 and var given ? given : throw new CommandException("--draws lies between 1 and 1000.");
        return new(encoder, network, stage, draws);
    }
}
