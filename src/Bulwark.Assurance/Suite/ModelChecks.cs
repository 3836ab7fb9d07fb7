using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>What the model itself gives away: F4 to F7, F12 and F13.</summary>
internal static class ModelChecks
{
    private const int Repeats = 5;

    internal static IEnumerable<RedFlag> Find(SuiteRun run)
    {
        foreach (var suspect in run.Target.Suspects)
            yield return new(suspect.Flag, Meaning(suspect));
        foreach (var flag in Determinism(run).Concat(Batches(run)))
            yield return flag;
        if (run.Target.Gradients is null)
            yield break;
        foreach (var flag in ZeroGradients(run).Concat(Probabilities(run)).Concat(TwoModels(run)))
            yield return flag;
    }

    private static string Meaning(SuspectOperator suspect) => suspect.Flag switch
    {
        "F6" => $"The model holds {suspect.Operator}: its answers are random; average over draws (EOT) before counting.",
        "F7" => $"The model holds {suspect.Operator}: it may optimise while it answers, and gradients do not see that.",
        _ => $"The model holds {suspect.Operator}: it was exported in training mode and answers differently in use.",
    };

    /// <summary>F4: where the gradient vanishes a gradient attack is blind.</summary>
    private static IEnumerable<RedFlag> ZeroGradients(SuiteRun run)
    {
        var (model, points) = (run.Target.Gradients!, run.Target.Points(run.Rows));
        foreach (var (name, loss) in ((string, Loss)[])[("log loss", LossFunction.LogLoss(model.Outputs)), ("margin", Loss.Margin)])
        {
            var blind = 0;
            for (var at = 0; at < run.Labels.Length; at += model.MaxRows)
            {
                var count = int.Min(model.MaxRows, run.Labels.Length - at);
                var (slopes, gradient) = (new float[count * model.Outputs], new float[count * model.Inputs]);
                LossFunction.Evaluate(loss, model.Forward(points.AsSpan(at * model.Inputs, count * model.Inputs), count), run.Labels.AsSpan(at, count), model.Outputs, [], slopes);
                model.Backward(slopes, gradient);
                for (var row = 0; row < count; row++)
                    blind += !run.CleanWrong[at + row] && Vanishes(gradient.AsSpan(row * model.Inputs, model.Inputs), run.Target.Mutable) ? 1 : 0;
            }

            if (blind > 0)
                yield return new("F4", $"On {blind} of {run.Labels.Length} rows the {name} has no gradient at all: attacks cannot start there and robustness looks higher than it is.");
        }
    }

    private static bool Vanishes(ReadOnlySpan<float> gradient, bool[] mutable)
    {
        for (var j = 0; j < gradient.Length; j++)
        {
            if (gradient[j] != 0 && (mutable.Length == 0 || mutable[j]))
                return false;
        }

        return true;
    }

    /// <summary>F5: rows of outputs between 0 and 1 that add up to 1 are probabilities; their loss saturates.</summary>
    private static IEnumerable<RedFlag> Probabilities(SuiteRun run)
    {
        var model = run.Target.Gradients!;
        if (model.Outputs < 2)
            yield break;
        var count = int.Min(model.MaxRows, run.Labels.Length);
        var logits = model.Forward(run.Target.Points(run.Rows).AsSpan(0, count * model.Inputs), count);
        var all = true;
        for (var row = 0; row < count && all; row++)
        {
            var sum = 0f;
            foreach (var logit in logits.Slice(row * model.Outputs, model.Outputs))
            {
                all &= logit is >= -1e-5f and <= 1 + 1e-5f;
                sum += logit;
            }

            all &= Math.Abs(sum - 1) <= 1e-5f * model.Outputs;
        }

        if (all)
            yield return new("F5", "The outputs that attacks climb are probabilities: attack the logits before the softmax.");
    }

    /// <summary>F6: the same rows, asked five times.</summary>
    private static IEnumerable<RedFlag> Determinism(SuiteRun run)
    {
        var count = int.Min(200, run.Labels.Length);
        var rows = run.Rows.AsSpan(0, count * run.Target.Width).ToArray();
        var first = Ask(run, rows, count);
        for (var repeat = 1; repeat < Repeats; repeat++)
        {
            var different = Different(run, first, Ask(run, rows, count), 1e-4);
            if (different == 0)
                continue;
            yield return new("F6", $"Asked again, the model answers {different} of {count} rows differently: average over draws (EOT) before counting.");
            yield break;
        }
    }

    /// <summary>F12: a row alone and among others must get the same answer; a batch statistic in training mode gives another.</summary>
    private static IEnumerable<RedFlag> Batches(SuiteRun run)
    {
        var count = int.Min(50, run.Labels.Length);
        var together = Ask(run, run.Rows.AsSpan(0, count * run.Target.Width).ToArray(), count);
        var alone = new float[together.Length];
        for (var row = 0; row < count; row++)
            Ask(run, run.Rows.AsSpan(row * run.Target.Width, run.Target.Width).ToArray(), 1).CopyTo(alone, row * run.Target.Classes);
        var different = Different(run, together, alone, 1e-3);
        if (different > 0)
            yield return new("F12", $"{different} of {count} rows are answered differently alone and among others: the model is in training mode (dropout, batch normalisation).");
    }

    /// <summary>F13: the gradients' model on encoded rows and the model on raw rows must say the same.</summary>
    private static IEnumerable<RedFlag> TwoModels(SuiteRun run)
    {
        var (model, points, different) = (run.Target.Gradients!, run.Target.Points(run.Rows), 0);
        for (var at = 0; at < run.Labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, run.Labels.Length - at);
            var logits = model.Forward(points.AsSpan(at * model.Inputs, count * model.Inputs), count);
            for (var row = 0; row < count; row++)
                different += LossFunction.Predict(logits.Slice(row * model.Outputs, model.Outputs)) != run.Labels[at + row] != run.CleanWrong[at + row] ? 1 : 0;
        }

        if (different > run.Labels.Length / 500)
            yield return new("F13", $"On {different} of {run.Labels.Length} rows the model whose gradients are used decides otherwise than the model that answers: preprocessing inside and outside differ.");
    }

    private static float[] Ask(SuiteRun run, float[] rows, int count)
    {
        var scores = new float[count * run.Target.Classes];
        run.Target.Score(rows, count, scores);
        return scores;
    }

    private static int Different(SuiteRun run, float[] one, float[] other, double share)
    {
        var (classes, different) = (run.Target.Classes, 0);
        for (var at = 0; at < one.Length; at += classes)
        {
            var (distance, length) = (0.0, 0.0);
            for (var k = at; k < at + classes; k++)
                (distance, length) = (distance + Math.Pow(one[k] - other[k], 2), length + Math.Pow(one[k], 2));
            different += !(Math.Sqrt(distance) <= share * Math.Max(1, Math.Sqrt(length))) ? 1 : 0;
        }

        return different;
    }
}
