using System.CommandLine;
using Bulwark.Assurance;

namespace Bulwark.Cli.Attacks;

/// <summary>Options of the suite, whatever it attacks.</summary>
internal sealed class SuiteSettings
{
    private readonly Option<string?> _attacks = new("--attacks") { Description = $"Which, in order: {string.Join(", ", SuiteAttacks.Known)}. Default: by model.", HelpName = "LIST" };
    private readonly Option<PerturbationNorm> _norm = new("--norm") { Description = "How distance is measured on scaled values: linf, l2 or l1.", DefaultValueFactory = _ => PerturbationNorm.Linf };
    private readonly Option<string> _strengths = new("--strengths") { Description = "Distances.", DefaultValueFactory = _ => "0.01,0.05,0.1", HelpName = "LIST" };
    private readonly Option<int> _steps = new("--steps") { Description = "Steps of each gradient attack.", DefaultValueFactory = _ => 100 };
    private readonly Option<int> _queries = new("--queries") { Description = "Questions that a row may cost each attack without gradients.", DefaultValueFactory = _ => 1000 };
    private readonly Option<string?> _shard = new("--shard") { Description = "Only this part of the rows, for example 2/4; merge the parts with attack merge.", HelpName = "I/N" };
    private readonly Option<bool> _noChecks = new("--no-checks") { Description = "Leave out the red flags; such a result passes no gate." };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Names every random choice.", DefaultValueFactory = _ => 1 };

    internal void AddTo(Command command)
    {
        foreach (var option in (Option[])[_attacks, _norm, _strengths, _steps, _queries, _shard, _noChecks, _seed])
            command.Options.Add(option);
    }

    /// <exception cref="CommandException">The options have faults.</exception>
    internal SuiteOptions Read(ParseResult parsed, double budget = double.PositiveInfinity)
    {
        var (shard, shards) = (0, 1);
        if (parsed.GetValue(_shard) is { } text)
        {
            string[] parts = text.Split('/');
            if (parts.Length != 2 || !int.TryParse(parts[0], out shard) || !int.TryParse(parts[1], out shards) || shard < 1)
                throw new CommandException($"'{text}' is no shard.", "for example --shard 2/4, from 1");
            shard--;
        }

        var options = new SuiteOptions
        {
            Attacks = parsed.GetValue(_attacks)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            Norm = parsed.GetValue(_norm),
            Strengths = AttackEvasionCommand.Strengths(parsed.GetValue(_strengths)),
            Budget = budget,
            Steps = parsed.GetValue(_steps),
            Queries = parsed.GetValue(_queries),
            Seed = parsed.GetValue(_seed),
            Shard = shard,
            Shards = shards,
            Checks = !parsed.GetValue(_noChecks),
        };
        return string.Join(' ', options.Faults()) is { Length: > 0 } faults ? throw new CommandException(faults) : options;
    }
}
