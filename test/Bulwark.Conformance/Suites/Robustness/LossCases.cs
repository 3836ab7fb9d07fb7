using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Losses of given logits and their derivatives.</summary>
internal static class LossCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var y = v.Whole("y");
        var logits = v.Flat("logits_nat");
        var outputs = logits.Length / y.Length;
        yield return Vectors.Try($"{name}/ce", () => Values($"{name}/ce", v, "ce_nat", null, Loss.SoftmaxCrossEntropy, logits, y, outputs));
        yield return Vectors.Try($"{name}/margin", () => Values($"{name}/margin", v, "margin_nat", null, Loss.Margin, logits, y, outputs));
        if (v.TryGetProperty("dlr_nat", out _))
            yield return Vectors.Try($"{name}/dlr", () => Values($"{name}/dlr", v, "dlr_nat", "dlr_grad_nat", Loss.Dlr, logits, y, outputs));
        if (v.TryGetProperty("dlr_targeted_nat", out var targeted))
        {
            foreach (var run in targeted.EnumerateArray())
                yield return Vectors.Try($"{name}/dlr_targeted", () => Targeted($"{name}/dlr_targeted", run, logits, y, outputs));
        }

        foreach (var member in (string[])["trades", "mart"])
        {
            if (v.TryGetProperty(member, out _))
                yield return Vectors.Try($"{name}/{member}", () => Pair($"{name}/{member}", v, member, logits, y, outputs));
        }

        if (v.TryGetProperty("kl_per_sample", out _))
            yield return Vectors.Try($"{name}/kl_per_sample", () => Divergence($"{name}/kl_per_sample", v, logits, y.Length, outputs));
    }

    /// <summary>Losses of clean and moved logits, weight 6 as published, with the derivatives of the mean by both.</summary>
    private static CaseResult Pair(string id, JsonElement v, string member, double[] logits, int[] y, int outputs)
    {
        var moved = v.Flat("logits_adv");
        var (clean, adversarial) = (new double[logits.Length], new double[logits.Length]);
        var loss = member == "trades"
            ? RobustLoss.Trades(logits, moved, y, outputs, 6, clean, adversarial)
            : RobustLoss.Mart(logits, moved, y, outputs, 6, clean, adversarial);
        var results = (CaseResult[])
        [
            Vectors.Close(id, [v.Number(member)], [loss], 1e-12),
            Vectors.Close(id, v.Flat($"{member}_grad_nat"), clean, 1e-12),
            Vectors.Close(id, v.Flat($"{member}_grad_adv"), adversarial, 1e-12),
        ];
        return results.FirstOrDefault(result => result.Outcome != Outcome.Passed) ?? results[0];
    }

    private static CaseResult Divergence(string id, JsonElement v, double[] logits, int rows, int outputs)
    {
        var losses = new double[rows];
        RobustLoss.Divergence(logits, v.Flat("logits_adv"), outputs, losses, new double[logits.Length]);
        return Vectors.Close(id, v.Flat("kl_per_sample"), losses, 1e-12);
    }

    private static CaseResult Targeted(string id, JsonElement v, double[] logits, int[] y, int outputs)
    {
        var (losses, gradient) = (new double[y.Length], new double[logits.Length]);
        new AttackObjective(null).Evaluate<double>(logits, y, v.Whole("target"), outputs, losses, gradient);
        var values = Vectors.Close(id, v.Flat("loss"), losses, 1e-12);
        return values.Outcome == Outcome.Passed && v.TryGetProperty("grad", out var published) ? Vectors.Close(id, published.Flat(), gradient, 1e-11) : values;
    }

    private static CaseResult Values(string id, JsonElement v, string member, string? gradientMember, Loss loss, double[] logits, int[] y, int outputs)
    {
        var (losses, gradient) = (new double[y.Length], new double[logits.Length]);
        LossFunction.Evaluate(loss, logits, y, outputs, losses, gradient);
        var values = Vectors.Close(id, v.Flat(member), losses, 1e-12);
        if (values.Outcome != Outcome.Passed || gradientMember is null)
            return values;

        // The published derivative is of the sum or of the mean: both are the same up to one factor.
        var published = v.Flat(gradientMember);
        var summed = Vectors.Close(id, published, gradient, 1e-11);
        return summed.Outcome == Outcome.Passed ? summed : Vectors.Close(id, published, [.. gradient.Select(value => value / y.Length)], 1e-11);
    }
}
