using Bulwark.Planning;

namespace Bulwark.Tests.Planning;

public class PlannerTests
{
    /// <summary>Never reached: what a plan says must not depend on how busy the machine is.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);

    [Fact]
    public void The_exact_choice_is_the_best_of_all_choices()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var (set, budget) = RandomMeasures(seed);
            var best = Every(set).Where(portfolio => portfolio.Cost <= budget).Min(portfolio => portfolio.ResidualLoss);
            var plan = Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = budget });
            Assert.True(plan.ProvenOptimal);
            Assert.Equal(best, plan.Best.ResidualLoss, set.UndefendedLoss * 1e-6);
            Assert.True(plan.Best.Cost <= budget);
            Assert.True(plan.Greedy.ResidualLoss >= best - 1e-9 && plan.Greedy.Cost <= budget);
            Assert.Equal(plan.Best.ResidualLoss, plan.Remainders.Sum(remainder => remainder.After) + set.Safeguards.Where(safeguard => plan.Best.Chosen.Contains(safeguard.Id)).Sum(safeguard => safeguard.AddedLoss?.Value ?? 0), 6);
        }
    }

    [Fact]
    public void The_front_is_every_choice_that_no_other_beats()
    {
        for (var seed = 100; seed < 106; seed++)
        {
            var (set, _) = RandomMeasures(seed);
            var expected = new List<(double Cost, double Loss)>();
            foreach (var portfolio in Every(set).OrderBy(portfolio => portfolio.Cost).ThenBy(portfolio => portfolio.ResidualLoss))
            {
                if (expected.Count == 0 || portfolio.ResidualLoss < expected[^1].Loss - set.UndefendedLoss * 1e-5)
                    expected.Add((portfolio.Cost, portfolio.ResidualLoss));
            }

            var front = Planner.ParetoFront(set, Limit);
            Assert.Equal(expected.Select(point => Math.Round(point.Loss, 3)), front.Select(point => Math.Round(point.ResidualLoss, 3)));
            Assert.Equal(expected.Select(point => point.Cost), front.Select(point => point.Cost));
        }
    }

    [Fact]
    public void Greedy_is_shown_to_lose_where_effects_overlap()
    {
        // Two cheap screens of one layer look like twice the benefit; only one counts. The model's own robustness is another layer.
        var set = Measures([Threat("evasion", 100)],
            Safeguard("screen-a", "gateway", 10, ("evasion", 0.5)), Safeguard("screen-b", "gateway", 10, ("evasion", 0.5)), Safeguard("robust", "model", 14, ("evasion", 0.4)));
        var plan = Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 24 });
        Assert.Equal(20, plan.Best.ResidualLoss, 9);
        Assert.Contains("robust", plan.Best.Chosen);
        Assert.Equal(50, plan.Greedy.ResidualLoss, 9);
        Assert.Equal(1.5, plan.GreedyGap, 9);
    }

    [Fact]
    public void Layers_multiply_and_within_a_layer_the_strongest_counts()
    {
        var set = Measures([Threat("t", 1000)], Safeguard("a", "one", 1, ("t", 0.5)), Safeguard("b", "one", 1, ("t", 0.2)), Safeguard("c", "two", 1, ("t", 0.1)));
        var plan = Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 3 });
        Assert.Equal(["b", "c"], plan.Best.Chosen);      // a would avoid nothing: it is not bought
        Assert.Equal(20, plan.Best.ResidualLoss, 9);
        Assert.Equal(["b", "c"], plan.Remainders.Single().Through);
        Assert.Equal(200, plan.Reasons.Single(reason => reason.Safeguard == "c").LossWithout, 9);
        Assert.Null(plan.NextStep);
    }

    [Fact]
    public void Prerequisites_exclusions_limits_and_harm_are_kept()
    {
        var set = Measures([Threat("t", 100)],
            Safeguard("log", "base", 5), Safeguard("receipts", "base", 5, ("t", 0.1)) with { Requires = ["log"] },
            Safeguard("slow", "model", 1, ("t", 0.01)) with { Overheads = new Dictionary<string, Figure> { ["µs a request"] = Measured(50) } },
            Safeguard("harmful", "gateway", 0, ("t", 0.5)) with { AddedLoss = Measured(60) },
            Safeguard("rival", "other", 0, ("t", 0.9)) with { Excludes = ["receipts"] }) with
        { Limits = new Dictionary<string, double> { ["µs a request"] = 40 } };
        Assert.Equal(["rival"], Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 9 }).Best.Chosen);
        var plan = Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 10 });
        Assert.Equal(["log", "receipts"], plan.Best.Chosen);
        Assert.Equal(100, plan.Reasons.Single(reason => reason.Safeguard == "log").LossWithout, 9);
    }

    [Fact]
    public void The_risk_tolerance_decides_the_verdict_and_finds_the_cheapest_way_to_it()
    {
        var set = Measures([Threat("t", 100)], Safeguard("a", "one", 10, ("t", 0.5)), Safeguard("b", "two", 30, ("t", 0.2)));
        var missed = Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 10, MaximumResidual = 20 });
        Assert.Equal(PlanVerdict.ToleranceMissed, missed.Verdict);
        Assert.Equal(30, missed.CheapestWithinTolerance!.Cost);
        Assert.Equal(PlanVerdict.WithinTolerance, Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 30, MaximumResidual = 20 }).Verdict);
        Assert.Null(Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = 1000, MaximumResidual = 9 }).CheapestWithinTolerance);
        Assert.Equal(PlanVerdict.ToleranceMissed, default);
    }

    [Fact]
    public void The_pessimistic_set_takes_the_bad_ends()
    {
        var set = Measures([Threat("t", 100) with { Loss = Measured(100) with { Worst = 150 } }], Safeguard("a", "one", 10) with { Effects = [new("t", Measured(0.5) with { Worst = 0.8 })] });
        Assert.Equal(120, Planner.Choose(set.Pessimistic(), new PlanOptions { TimeLimit = Limit, Budget = 10 }).Best.ResidualLoss, 9);
    }

    [Fact]
    public void Thirty_safeguards_against_forty_threats_are_proven()
    {
        var (set, _) = RandomMeasures(7, safeguards: 30, threats: 40, oneIn: 8);
        var plan = Planner.Choose(set, new PlanOptions { TimeLimit = Limit, Budget = set.Safeguards.Sum(safeguard => safeguard.Cost.Value) / 4 });
        Assert.True(plan.ProvenOptimal);
        Assert.True(plan.Best.ResidualLoss <= plan.Greedy.ResidualLoss);
    }

    [Theory]
    [InlineData("\"survival\":{\"value\":1.2,", "above 1")]
    [InlineData("\"survival\":{\"value\":-0.1,", "at least 0")]
    [InlineData("\"survival\":{\"surprise\":0,\"value\":0.5,", "surprise")]
    public void Measures_are_read_strictly(string replacement, string says)
    {
        var json = System.Text.Encoding.UTF8.GetString(Measures([Threat("t", 1)], Safeguard("a", "one", 1, ("t", 0.25))).ToJson()).Replace(" ", "").Replace("\n", "");
        Assert.Contains("\"survival\":{\"value\":0.25,", json);
        Assert.Contains(says, Assert.Throws<FormatException>(() => MeasureSet.Parse(System.Text.Encoding.UTF8.GetBytes(json.Replace("\"survival\":{\"value\":0.25,", replacement)))).Message);
    }

    [Fact]
    public void All_faults_of_the_measures_are_told_at_once()
    {
        var set = Measures([Threat("t", 1)], Safeguard("a", "", 1, ("x", 0.5)) with { Requires = ["nobody"] }, Safeguard("t", "one", 1) with { Cost = Measured(1) with { Source = " " } });
        Assert.Equal(5, set.Faults().Count());
    }

    [Fact]
    public async Task The_command_exits_1_when_the_tolerance_is_missed()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, Measures([Threat("t", 100)], Safeguard("a", "one", 10, ("t", 0.5))).ToJson(), TestContext.Current.CancellationToken);
            var output = new StringWriter();
            Assert.Equal(0, await Bulwark.Cli.BulwarkCommand.RunAsync(["plan", "--measures", path, "--budget", "10", "--front"], output, TextWriter.Null));
            Assert.Contains("proven best", output.ToString());
            Assert.Equal(1, await Bulwark.Cli.BulwarkCommand.RunAsync(["plan", "--measures", path, "--budget", "10", "--max-residual", "40", "--json"], TextWriter.Null, TextWriter.Null));
            Assert.Equal(2, await Bulwark.Cli.BulwarkCommand.RunAsync(["plan", "--measures", path, "--budget", "-1"], TextWriter.Null, TextWriter.Null));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static (MeasureSet Set, double Budget) RandomMeasures(int seed, int safeguards = 9, int threats = 4, int oneIn = 2)
    {
        var random = new Random(seed);
        string[] layers = ["data", "model", "gateway"];
        var set = Measures([.. Enumerable.Range(0, threats).Select(i => Threat($"t{i}", random.Next(1, 1000)))], [.. Enumerable.Range(0, safeguards).Select(i =>
            Safeguard($"s{i}", layers[random.Next(layers.Length)], random.Next(1, 40),
                [.. Enumerable.Range(0, threats).Where(_ => random.Next(oneIn) == 0).Select(t => ($"t{t}", Math.Round(random.NextDouble(), 2)))]) with
            {
                Requires = i > 0 && random.Next(4) == 0 ? [$"s{random.Next(i)}"] : [],
                Excludes = i > 1 && random.Next(5) == 0 ? [$"s{random.Next(i)}"] : [],
                AddedLoss = random.Next(3) == 0 ? Measured(random.Next(30)) : null,
            })]);
        return (set, set.Safeguards.Sum(safeguard => safeguard.Cost.Value) * random.NextDouble() * 0.7);
    }

    /// <summary>Every allowed choice, computed here without the planner: the second route to the same numbers.</summary>
    private static IEnumerable<Portfolio> Every(MeasureSet set)
    {
        for (var bits = 0; bits < 1 << set.Safeguards.Count; bits++)
        {
            var chosen = set.Safeguards.Where((_, i) => (bits >> i & 1) == 1).ToList();
            var ids = chosen.Select(safeguard => safeguard.Id).ToHashSet();
            if (chosen.Any(safeguard => !safeguard.Requires.All(ids.Contains) || safeguard.Excludes.Any(ids.Contains)))
                continue;
            var loss = chosen.Sum(safeguard => safeguard.AddedLoss?.Value ?? 0);
            foreach (var threat in set.Threats)
            {
                var left = threat.Loss.Value;
                foreach (var layer in chosen.Select(safeguard => safeguard.Layer).Distinct())
                    left *= chosen.Where(safeguard => safeguard.Layer == layer).SelectMany(safeguard => safeguard.Effects).Where(effect => effect.Threat == threat.Id).Select(effect => effect.Survival.Value).DefaultIfEmpty(1).Min();
                loss += left;
            }

            yield return new([.. ids], chosen.Sum(safeguard => safeguard.Cost.Value), loss);
        }
    }

    private static MeasureSet Measures(IReadOnlyList<Threat> threats, params Safeguard[] safeguards) =>
        new() { Format = MeasureSet.FormatName, CostUnit = "EUR a year", LossUnit = "EUR a year", Threats = threats, Safeguards = safeguards };

    private static Threat Threat(string id, double loss) => new() { Id = id, Name = id, Loss = Measured(loss) };

    private static Safeguard Safeguard(string id, string layer, double cost, params (string Threat, double Survival)[] effects) =>
        new() { Id = id, Name = id, Layer = layer, Cost = Measured(cost), Effects = [.. effects.Select(effect => new Effect(effect.Threat, Measured(effect.Survival)))] };

    private static Figure Measured(double value) => new() { Value = value, Basis = FigureBasis.Measured, Source = "bench.json" };
}
