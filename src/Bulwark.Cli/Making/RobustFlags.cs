using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>The options of <c>train</c> that say against whom a robust run learns.</summary>
internal sealed class RobustFlags
{
    private const double NeverPaid = 1e12;

    private static readonly Dictionary<string, RobustMethod> s_methods = new(StringComparer.Ordinal)
    {
        ["pgd"] = RobustMethod.ProjectedGradient,
        ["rs-fgsm"] = RobustMethod.RandomStartFgsm,
        ["n-fgsm"] = RobustMethod.NoisyFgsm,
        ["free"] = RobustMethod.Free,
        ["trades"] = RobustMethod.Trades,
        ["mart"] = RobustMethod.Mart,
    };

    private readonly Option<bool> _robust = new("--robust") { Description = "Train against an attacker who moves mutable features." };
    private readonly Option<double> _epsilon = new("--attack-eps") { Description = "How far the attacker moves a scaled feature, from 0 to 1; with --attack-prices what he can pay.", DefaultValueFactory = _ => 0.05 };
    private readonly Option<int> _steps = new("--steps") { Description = "Steps of the training attack.", DefaultValueFactory = _ => 3 };
    private readonly Option<double> _weight = new("--adversarial-weight") { Description = "What an attacked row's loss counts against a clean one's.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _method = new Option<string>("--method") { Description = "How a robust run meets its attacker: pgd (several steps), rs-fgsm or n-fgsm (one step, watched), free (batches used again), trades, mart.", DefaultValueFactory = _ => "pgd" }.AcceptOnlyFromAmong([.. s_methods.Keys]);
    private readonly Option<string> _norm = new Option<string>("--attack-norm") { Description = "How --attack-eps is measured: linf (the largest change of a value) or l2 (the length of the change).", DefaultValueFactory = _ => "linf" }.AcceptOnlyFromAmong("linf", "l2");
    private readonly Option<FileInfo?> _prices = new("--attack-prices") { Description = "Constraints with prices: the attacker pays for each change, and --attack-eps is his budget.", HelpName = "FILE" };
    private readonly Option<double> _clean = new("--clean-weight") { Description = "What a clean row's loss counts in a robust run; 0 trains on moved rows only.", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _push = new("--weight-perturbation") { Description = "Also train against moved weights: the share of each layer's length by which they move (AWP), for example 0.005.", DefaultValueFactory = _ => 0 };
    private readonly Option<bool> _both = new("--attack-both-classes") { Description = "Attack negative rows too; else only positives are moved." };

    /// <summary>How a robust run trains; without one they say nothing.</summary>
    internal Option[] Details => [_epsilon, _method, _norm, _prices, _steps, _weight, _clean, _push, _both];

    /// <summary>What a robust network reads and robust trees do not: they have no steps and no losses to weigh, and every row is moved.</summary>
    internal Option[] OfNetworks => [_method, _prices, _steps, _weight, _clean, _push, _both];

    /// <summary>What a sweep sets itself.</summary>
    internal Option[] Swept => [_weight];

    internal void AddTo(Command command)
    {
        foreach (var option in (Option[])[_robust, .. Details])
            command.Options.Add(option);
    }

    internal bool IsSet(ParseResult parsed) => parsed.GetValue(_robust);

    internal double Epsilon(ParseResult parsed) => parsed.GetValue(_epsilon);

    internal PerturbationNorm Norm(ParseResult parsed) => parsed.GetValue(_norm) == "l2" ? PerturbationNorm.L2 : PerturbationNorm.Linf;

    /// <summary>The constraints with prices, or none.</summary>
    internal TabularConstraints? Prices(ParseResult parsed) => parsed.GetValue(_prices) is { } file ? ConstraintsFile.Read(file) : null;

    /// <summary>Null without <c>--robust</c>.</summary>
    internal RobustOptions? Read(ParseResult parsed, FeatureSchema schema)
    {
        if (!parsed.GetValue(_robust))
            return null;
        var options = Basic(parsed);
        return Prices(parsed) is { } prices ? Priced(options, prices, schema) : options;
    }

    /// <summary>For images: every pixel of every class may move. Null without <c>--robust</c>.</summary>
    internal RobustOptions? ReadForImages(ParseResult parsed)
    {
        if (parsed.GetValue(_prices) is not null)
            throw new CommandException("Pixels have no prices.", "leave out --attack-prices");
        return IsSet(parsed) ? Basic(parsed) with { OnlyPositives = false } : null;
    }

    private RobustOptions Basic(ParseResult parsed) => new()
    {
        Method = s_methods[parsed.GetRequiredValue(_method)],
        Norm = parsed.GetValue(_norm) == "l2" ? RobustNorm.Length : RobustNorm.LargestChange,
        CleanWeight = parsed.GetValue(_clean),
        Epsilon = parsed.GetValue(_epsilon),
        Steps = parsed.GetValue(_steps),
        AdversarialWeight = parsed.GetValue(_weight),
        WeightPerturbation = parsed.GetValue(_push),
        OnlyPositives = !parsed.GetValue(_both),
    };

    private static RobustOptions Priced(RobustOptions options, TabularConstraints prices, FeatureSchema schema)
    {
        var encoder = new FeatureEncoder(schema);
        try
        {
            var space = new TabularSpace(encoder, prices.Compile(schema));
            if (!space.MutableColumns.Contains(true))
                throw new CommandException("Robust training moves mutable features; none is declared so.", "say mutable: true in the constraints or in the schema, or name them with --mutable");
            // What cannot be moved costs more than anyone pays; the mask keeps it, and the report needs finite figures.
            double[] costs = [.. RelaxedPrices.Of(space).Select(price => Math.Min(price, NeverPaid))];
            return AttackerReach.Within(options with { Norm = RobustNorm.Cost, Costs = costs, Mutable = space.MutableColumns.ToArray() }, encoder);
        }
        catch (InvalidDataException fault)
        {
            throw new CommandException(fault.Message, "prices are described in docs/formats/constraints.md");
        }
    }
}
