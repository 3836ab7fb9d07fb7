using System.CommandLine;
using Bulwark.Privacy;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary><c>privacy</c>: what noise costs, what a budget buys, and what was spent.</summary>
internal static class PrivacyCommand
{
    private static readonly Option<double> s_probability = new("--sampling-probability") { Description = "Chance of each record to be in a step's Poisson batch.", HelpName = "Q", DefaultValueFactory = _ => 1 };
    private static readonly Option<double> s_noise = new("--noise-multiplier") { Description = "Noise standard deviation over the clipping norm.", HelpName = "S", Required = true };
    private static readonly Option<long> s_steps = new("--steps") { Description = "Number of steps.", HelpName = "T", DefaultValueFactory = _ => 1 };
    private static readonly Option<double> s_delta = new("--delta") { Description = "Delta.", HelpName = "D", DefaultValueFactory = _ => 1e-5 };
    private static readonly Option<double> s_epsilon = new("--epsilon") { Description = "Epsilon.", HelpName = "E", Required = true };
    private static readonly Option<string> s_accountant = new Option<string>("--accountant") { Description = "pld (certified bounds), rdp, or both.", DefaultValueFactory = _ => "pld" }.AcceptOnlyFromAmong("pld", "rdp", "both");
    private static readonly Argument<FileInfo> s_events = new("events") { Description = "Events in JSON." };

    internal static Command Create() => new("privacy", "What noise costs, what a budget buys, what was spent. Example: bulwark privacy epsilon --sampling-probability 0.01 --noise-multiplier 1 --steps 1000")
    {
        EpsilonCommand(), NoiseCommand(), ComposeCommand(), PrivacyAuditCommand.Create(), PrivacyLayersCommand.Create(), PrivacyLedgerCommand.Create(),
    };

    private static Command EpsilonCommand()
    {
        var command = new Command("epsilon", "Epsilon of DP-SGD with Poisson batches. Example: bulwark privacy epsilon --sampling-probability 0.01 --noise-multiplier 4 --steps 10000 --delta 1e-5")
        {
            s_probability, s_noise, s_steps, s_delta, s_accountant, PrivacyUnitOptions.Records, PrivacyUnitOptions.Replace,
        };
        command.SetAction(parsed => Cost(parsed, PrivacyEvent.DpSgd(parsed.GetValue(s_probability), parsed.GetValue(s_noise), parsed.GetValue(s_steps))));
        return command;
    }

    private static Command ComposeCommand()
    {
        var command = new Command("compose", """Epsilon of anything that happened to the same data. The file holds one event, such as {"kind":"composed","events":[{"kind":"laplace","noiseMultiplier":2}]}. Example: bulwark privacy compose events.json --delta 1e-5""")
        {
            s_events, s_delta, s_accountant, PrivacyUnitOptions.Records, PrivacyUnitOptions.Replace,
        };
        command.SetAction(parsed =>
        {
            var file = parsed.GetRequiredValue(s_events);
            return file.Exists ? Cost(parsed, ReadEvent(file)) : throw new CommandException($"There is no file {file.FullName}.");
        });
        return command;
    }

    internal static PrivacyEvent ReadEvent(FileInfo file)
    {
        try
        {
            return PrivacyEventJson.Read(File.ReadAllText(file.FullName));
        }
        catch (Exception failure) when (failure is System.Text.Json.JsonException or InvalidDataException or NotSupportedException)
        {
            throw new CommandException($"{file.Name} is no event: {failure.Message}");
        }
    }

    private static int Cost(ParseResult parsed, PrivacyEvent happened)
    {
        var faults = happened.Faults().ToList();
        if (faults.Count > 0)
            throw new CommandException(string.Join(" ", faults));
        var (delta, which) = (parsed.GetValue(s_delta), parsed.GetValue(s_accountant));
        if (!(delta > 0 && delta < 1))
            throw new CommandException($"--delta is {delta}; it must be above 0 and below 1.");
        var unit = PrivacyUnitOptions.Of(parsed);
        EpsilonBounds? pld;
        (double Epsilon, double Order)? rdp;
        try
        {
            pld = which != "rdp" ? PldAccountant.Epsilon(happened, delta, unit: unit) : null;
            rdp = which != "pld" ? RdpAccountant.Epsilon(happened, delta, unit: unit) : null;
        }
        catch (NotSupportedException failure)
        {
            throw new CommandException(failure.Message);
        }

        var answer = new
        {
            epsilonUpper = pld?.Upper ?? rdp!.Value.Epsilon,
            epsilonLower = pld?.Lower,
            delta,
            unit = unit.ToString(),
            accountant = which,
            rdpEpsilon = rdp?.Epsilon,
            rdpOrder = rdp?.Order,
        };
        return new Screen(parsed).Answer(answer, console =>
        {
            if (pld is { } bounds)
                console.WriteLine($"epsilon {bounds.Upper:g8} at delta {delta:g3} (certified: not below {bounds.Lower:g8}; {unit})");
            if (rdp is { } renyi)
                console.WriteLine($"epsilon {renyi.Epsilon:g8} at delta {delta:g3} by Renyi accounting, order {renyi.Order}");
        });
    }

    private static Command NoiseCommand()
    {
        var command = new Command("noise", "The least noise that keeps DP-SGD within epsilon. Example: bulwark privacy noise --epsilon 1 --delta 1e-5 --sampling-probability 0.01 --steps 1000")
        {
            s_epsilon, s_delta, s_probability, s_steps,
        };
        command.SetAction(parsed =>
        {
            var (q, steps) = (parsed.GetValue(s_probability), parsed.GetValue(s_steps));
            var budget = new PrivacyBudget(parsed.GetValue(s_epsilon), parsed.GetValue(s_delta));
            var faults = budget.Faults().Concat(PrivacyEvent.DpSgd(q, 1, steps).Faults()).ToList();
            if (faults.Count > 0)
                throw new CommandException(string.Join(" ", faults));
            var noise = Calibration.DpSgdNoise(q, steps, budget);
            var bounds = PldAccountant.Epsilon(PrivacyEvent.DpSgd(q, noise, steps), budget.Delta);
            return new Screen(parsed).Answer(
                new { noiseMultiplier = noise, epsilonUpper = bounds.Upper, epsilonLower = bounds.Lower, delta = budget.Delta },
                console => console.WriteLine($"noise multiplier {noise:g8}: epsilon {bounds.Upper:g8} at delta {budget.Delta:g3}"));
        });
        return command;
    }
}
