using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>What an attack of the suite is given: the rows that still resist.</summary>
internal sealed record SuiteTask(SuiteTarget Target, SuiteOptions Options, TabularReach Reach, float[] Rows, int[] Labels)
{
    internal float[] Points { get; } = Target.Points(Rows);
}

/// <summary>What an attack tried last for each row, as it would be sent; and the questions asked.</summary>
internal sealed record SuiteTrial(float[] Sent, int[] Queries)
{
    /// <summary>Climbs that were ended early: row of the task and target.</summary>
    internal IReadOnlyList<(int Row, int Target)> RuledOut { get; init; } = [];
}

/// <summary>The attacks of the suite by name.</summary>
internal static class SuiteAttacks
{
    private static readonly Dictionary<string, (bool WhiteBox, Func<SuiteTarget, bool> Fits, Func<SuiteTask, SuiteTrial> Run)> s_attacks = new(StringComparer.Ordinal)
    {
        ["apgd-ce"] = (true, _ => true, task => Climb(task, new() { Epsilon = 0, Rescaled = true })),
        ["apgd-dlr"] = (true, target => target.Classes >= 3, task => Climb(task, new() { Epsilon = 0, Loss = Loss.Dlr })),
        ["apgd-margin"] = (true, _ => true, task => Climb(task, new() { Epsilon = 0, Loss = Loss.Margin })),
        ["apgd-t"] = (true, _ => true, Targeted),
        ["fab-t"] = (true, _ => true, Boundary),
        ["cw"] = (true, _ => true, Nearest),
        ["capgd"] = (true, target => target is TabularTarget, Constrained),
        ["square"] = (false, target => target.Image is not null, Square),
        ["search"] = (false, target => target is TabularTarget, Search),
        ["price"] = (false, target => target is TabularTarget { Space.Constraints.HasCosts: true }, Paid),
        ["uniform-cost"] = (false, target => target is TabularTarget { Space.Constraints.HasCosts: true }, Cheapest),
        ["evolve"] = (false, target => target is TabularTarget, Evolve),
        ["hopskipjump"] = (false, _ => true, Decisions),
        ["boundary"] = (false, _ => true, Walk),
        ["random"] = (false, _ => true, Noise),
        ["transfer"] = (false, _ => true, ExtractedTransfer.Run),
    };

    internal static IReadOnlyCollection<string> Known => s_attacks.Keys;

    internal static bool IsWhiteBox(string name) => s_attacks[name].WhiteBox;

    internal static bool Fits(string name, SuiteTarget target) => s_attacks[name].Fits(target) && (!s_attacks[name].WhiteBox || target.Gradients is not null);

    internal static SuiteTrial Run(string name, SuiteTask task) => s_attacks[name].Run(task);

    /// <summary>The ensemble for a model: AutoAttack's four for images and many classes; for tables its binary-safe kin, constrained gradients and the search; without gradients what can be asked.</summary>
    internal static string[] Default(SuiteTarget target)
    {
        string[] names = target switch
        {
            TabularTarget { Gradients: not null } => ["apgd-ce", "apgd-t", "capgd", "fab-t", "search", "price"],
            TabularTarget => ["search", "price", "hopskipjump"],
            { Gradients: not null, Image: not null } => ["apgd-ce", "apgd-t", "fab-t", "square"],
            { Gradients: not null } => ["apgd-ce", "apgd-t", "fab-t", "hopskipjump"],
            { Image: not null } => ["square", "hopskipjump"],
            _ => ["random", "hopskipjump"],
        };
        return [.. names.Where(name => Fits(name, target))];
    }

    private static SuiteTrial Climb(SuiteTask task, AutoProjectedGradientDescent attack)
    {
        var points = new float[task.Points.Length];
        var configured = attack with { Norm = task.Reach.Norm, Epsilon = task.Reach.Epsilon, Steps = task.Options.Steps, Seed = task.Options.Seed };
        if (task.Target is TabularTarget tabular)
            return new(SendableClimb.Run(tabular, task, configured), new int[task.Labels.Length]);
        (configured with { VerdictOnly = true }).Run(task.Target.Gradients!, task.Points, task.Labels, [], task.Target.Mutable, points);
        return new(task.Target.Send(points, task.Rows), new int[task.Labels.Length]);
    }

    private static SuiteTrial Targeted(SuiteTask task)
    {
        var (points, broken) = ((float[])[.. task.Points], new bool[task.Labels.Length]);
        var ruledOut = new List<(int, int)>();
        var attack = Targeted(task.Options, task.Reach) with { VerdictOnly = task.Target is PointTarget, RuledOut = (row, target) => ruledOut.Add((row, target)) };
        TargetedEnsemble.Climb(attack, task.Target.Gradients!, task.Points, task.Labels, task.Target.Mutable, points, broken);
        return new(task.Target.Send(points, task.Rows), new int[task.Labels.Length]) { RuledOut = ruledOut };
    }

    /// <summary>What climbs towards a target, to the end.</summary>
    internal static AutoProjectedGradientDescent Targeted(SuiteOptions options, TabularReach reach) =>
        new() { Norm = reach.Norm, Epsilon = reach.Epsilon, Steps = options.Steps, RandomStart = true, Seed = options.Seed };

    private static SuiteTrial Boundary(SuiteTask task)
    {
        var (points, broken) = ((float[])[.. task.Points], new bool[task.Labels.Length]);
        var attack = new FastAdaptiveBoundary { Norm = task.Reach.Norm, Steps = task.Options.Steps };
        TargetedEnsemble.Boundary(attack, task.Reach.Epsilon, task.Target.Gradients!, task.Points, task.Labels, task.Target.Mutable, points, broken);
        return new(task.Target.Send(points, task.Rows), new int[task.Labels.Length]);
    }

    private static SuiteTrial Constrained(SuiteTask task)
    {
        var sent = new float[task.Rows.Length];
        new ConstrainedGradientDescent { Norm = task.Reach.Norm, Epsilon = task.Reach.Epsilon, Steps = int.Min(task.Options.Steps, 40), Seed = task.Options.Seed }
            .Run(task.Target.Gradients!, ((TabularTarget)task.Target).Space, task.Rows, task.Labels, sent);
        return new(sent, new int[task.Labels.Length]);
    }

    private static SuiteTrial Search(SuiteTask task)
    {
        var (target, sent, spent) = ((TabularTarget)task.Target, new float[task.Rows.Length], new int[task.Labels.Length]);
        new TabularSearch { Reach = task.Reach, Queries = task.Options.Queries, Seed = task.Options.Seed }
            .Run(target.Rows, target.Space, task.Rows, task.Labels, target.Donors, sent, spent);
        return new(sent, spent);
    }

    private static SuiteTrial Paid(SuiteTask task)
    {
        var (target, sent, spent) = ((TabularTarget)task.Target, new float[task.Rows.Length], new int[task.Labels.Length]);
        new PriceSearch { Reach = task.Reach, Queries = task.Options.Queries }.Run(target.Rows, target.Space, task.Rows, task.Labels, sent, spent);
        return new(sent, spent);
    }

    private static SuiteTrial Cheapest(SuiteTask task)
    {
        var (target, sent, spent) = ((TabularTarget)task.Target, new float[task.Rows.Length], new int[task.Labels.Length]);
        new UniformCostSearch { Reach = task.Reach, Queries = task.Options.Queries }.Run(target.Rows, target.Space, task.Rows, task.Labels, sent, spent);
        return new(sent, spent);
    }

    private static SuiteTrial Square(SuiteTask task)
    {
        var (image, points) = (task.Target.Image!.Value, new float[task.Points.Length]);
        var attack = new SquareAttack { Norm = task.Reach.Norm, Epsilon = task.Reach.Epsilon, Channels = image.Channels, Height = image.Height, Width = image.Width, Queries = task.Options.Queries, Seed = task.Options.Seed };
        return new(points, attack.Run(new AskedTarget(task.Target), task.Points, task.Labels, points));
    }

    private static SuiteTrial Decisions(SuiteTask task)
    {
        var points = new float[task.Points.Length];
        var spent = new HopSkipJump { Norm = task.Reach.Norm, Queries = task.Options.Queries, Enough = task.Reach.Epsilon, Seed = task.Options.Seed }
            .Run(new AskedRows(task), task.Points, task.Labels, task.Target.Mutable, points);
        return new(task.Target.Send(points, task.Rows), spent);
    }

    private static SuiteTrial Walk(SuiteTask task)
    {
        var points = new float[task.Points.Length];
        var spent = new BoundaryAttack { Norm = task.Reach.Norm, Queries = task.Options.Queries, Enough = task.Reach.Epsilon, Seed = task.Options.Seed }
            .Run(new AskedRows(task), task.Points, task.Labels, task.Target.Mutable, points);
        return new(task.Target.Send(points, task.Rows), spent);
    }

    private static SuiteTrial Nearest(SuiteTask task)
    {
        var points = new float[task.Points.Length];
        new CarliniWagner { Steps = task.Options.Steps }.Run(task.Target.Gradients!, task.Points, task.Labels, task.Target.Mutable, points);
        return new(task.Target.Send(points, task.Rows), new int[task.Labels.Length]);
    }

    private static SuiteTrial Evolve(SuiteTask task)
    {
        var (target, sent, spent) = ((TabularTarget)task.Target, new float[task.Rows.Length], new int[task.Labels.Length]);
        new EvolutionarySearch { Reach = task.Reach, Queries = task.Options.Queries, Seed = task.Options.Seed }.Run(target.Rows, target.Space, task.Rows, task.Labels, sent, spent);
        return new(sent, spent);
    }

    private static SuiteTrial Noise(SuiteTask task)
    {
        var asked = new AskedRows(task);
        var (points, spent) = RandomPoints.Search(asked, task.Reach, task.Points, task.Labels, task.Target.Mutable, int.Min(task.Options.Queries, 200), task.Options.Seed);
        return new(task.Target.Send(points, task.Rows), spent);
    }
}

/// <summary>Climbing with a look at every misclassified point as it would be sent.</summary>
internal static class SendableClimb
{
    internal static float[] Run(TabularTarget target, SuiteTask task, AutoProjectedGradientDescent attack)
    {
        var (sent, width, inputs) = ((float[])[.. task.Rows], target.Width, target.Inputs);
        var model = target.Gradients!;
        for (var at = 0; at < task.Labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, task.Labels.Length - at);
            var (rows, points, labels) = (task.Rows[(at * width)..((at + count) * width)], task.Points[(at * inputs)..((at + count) * inputs)], task.Labels[at..(at + count)]);
            var way = new SendableWay(target.Space, task.Reach, rows, points, labels, repairs: false);
            way.Judge = (candidates, waiting) =>
            {
                var logits = model.Forward(candidates.AsSpan(0, waiting * inputs), waiting);
                var wrong = new bool[waiting];
                for (var i = 0; i < waiting; i++)
                    wrong[i] = LossFunction.Predict(logits.Slice(i * model.Outputs, model.Outputs)) != way.LabelOfWaiting(i);
                return wrong;
            };
            new AutoStepState<float>(attack, model, points, labels, [], target.Mutable, way).Run();
            way.Best.CopyTo(sent, at * width);
        }

        return sent;
    }
}

/// <summary>A target asked about its points, which are what is sent.</summary>
internal sealed class AskedTarget(SuiteTarget target) : IQueriedModel
{
    public int Inputs => target.Inputs;

    public int Classes => target.Classes;

    public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores) => target.Score(points, rows, scores);
}
