using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>A small network: logits, losses, gradients, and the points that attacks end at.</summary>
internal static class NetworkAttackCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var network = Network(v);
        var (x, y) = (v.Flat("x"), v.Whole("y"));
        var outputs = network.Shape.Outputs;
        var logits = new double[y.Length * outputs];
        network.Forward(x, y.Length, logits);
        yield return Vectors.Close($"{name}/logits", v.Flat("logits"), logits, 1e-12);
        yield return Vectors.Try($"{name}/ce", () => Losses(name, v, "ce", "grad_ce", Loss.SoftmaxCrossEntropy, network, x, y));
        yield return Vectors.Try($"{name}/margin", () => Losses(name, v, "margin", null, Loss.Margin, network, x, y));
        if (v.TryGetProperty("dlr", out _))
            yield return Vectors.Try($"{name}/dlr", () => Losses(name, v, "dlr", "grad_dlr", Loss.Dlr, network, x, y));
        yield return Vectors.Try($"{name}/fgsm", () => Fgsm(name, v.GetProperty("fgsm"), network, x, y));
        foreach (var norm in (string[])["linf", "l2"])
            yield return Vectors.Try($"{name}/pgd_{norm}", () => Pgd($"{name}/pgd_{norm}", v.GetProperty($"pgd_{norm}"), norm, network, x, y));
        if (!v.TryGetProperty("apgd", out var runs))
            yield break;
        foreach (var run in runs.EnumerateArray())
        {
            var id = $"{name}/apgd_{run.GetProperty("loss").GetString()}_{run.Number("n_iter")}";
            yield return Vectors.Try(id, () => Apgd(id, run, network, x, y));
        }
    }

    /// <summary>Published weights are (outputs, inputs); ours are (inputs, outputs).</summary>
    private static DenseNetwork<double> Network(JsonElement v)
    {
        int[] sizes = [.. v.Whole("sizes")];
        var network = new DenseNetwork<double>(new(sizes[0], sizes[1..^1], sizes[^1]));
        for (var layer = 0; layer < network.Shape.Layers; layer++)
        {
            var published = v.GetProperty("weights")[layer].Flat();
            var (inputs, outputs) = (network.Shape.LayerInputs(layer), network.Shape.LayerOutputs(layer));
            for (var i = 0; i < inputs * outputs; i++)
                network.Weights(layer)[(i % inputs * outputs) + (i / inputs)] = published[i];
            v.GetProperty("biases")[layer].Flat().CopyTo(network.Biases(layer));
        }

        return network;
    }

    private static CaseResult Losses(string name, JsonElement v, string member, string? gradientMember, Loss loss, DenseNetwork<double> network, double[] x, int[] y)
    {
        var (losses, gradient) = (new double[y.Length], new double[x.Length]);
        new NetworkGradients<double>(network, y.Length).InputGradient(x, y, loss, gradient, losses);
        var first = Vectors.Close($"{name}/{member}", v.Flat(member), losses, 1e-12);
        return first.Outcome == Outcome.Passed && gradientMember is not null
            ? Vectors.Close($"{name}/{member}", v.Flat(gradientMember), gradient, 1e-12)
            : first;
    }

    private static CaseResult Fgsm(string name, JsonElement v, DenseNetwork<double> network, double[] x, int[] y)
    {
        var adversarial = new double[x.Length];
        FastGradientSign.Run(network, x, y, v.Number("eps"), [], adversarial);
        return Vectors.Close($"{name}/fgsm", v.Flat("x_adv"), adversarial, 1e-9);
    }

    private static CaseResult Pgd(string id, JsonElement v, string norm, DenseNetwork<double> network, double[] x, int[] y)
    {
        var adversarial = new double[x.Length];
        new ProjectedGradientDescent
        {
            Norm = norm == "l2" ? PerturbationNorm.L2 : PerturbationNorm.Linf,
            Epsilon = v.Number("eps"),
            StepSize = v.Number("step"),
            Steps = (int)v.Number("steps"),
        }.Run(network, x, y, [], adversarial);
        var points = Vectors.Close(id, v.Flat("x_adv"), adversarial, 1e-9);
        if (points.Outcome != Outcome.Passed)
            return points;
        var logits = new double[y.Length * network.Shape.Outputs];
        network.Forward(adversarial, y.Length, logits);
        var losses = new double[y.Length];
        LossFunction.Evaluate(Loss.SoftmaxCrossEntropy, logits, y, network.Shape.Outputs, losses, []);
        var success = Enumerable.Range(0, y.Length).Select(row => LossFunction.Predict<double>(logits.AsSpan(row * network.Shape.Outputs, network.Shape.Outputs)) != y[row]);
        return v.Flags("success").SequenceEqual(success) ? Vectors.Close(id, v.Flat("ce"), losses, 1e-9) : CaseResult.Fail(id, "other rows are misclassified than published");
    }

    private static CaseResult Apgd(string id, JsonElement v, DenseNetwork<double> network, double[] x, int[] y)
    {
        if (v.TryGetProperty("random_start", out var start) && start.GetBoolean())
            return CaseResult.Skip(id, "not built: random starts of another library's generator");
        var loss = v.GetProperty("loss").GetString() switch
        {
            "ce" => Loss.SoftmaxCrossEntropy,
            "dlr" => Loss.Dlr,
            var other => throw new InvalidDataException($"unknown loss {other}"),
        };
        var (best, losses, broken) = (new double[x.Length], new double[y.Length], new bool[y.Length]);
        new AutoProjectedGradientDescent { Epsilon = v.Number("eps"), Steps = (int)v.Number("n_iter"), Rho = v.Number("rho"), Loss = loss }
            .Run(network, x, y, [], new double[x.Length], losses, broken, best);
        var (stable, expectedLosses, robust, expected) = (v.Flags("stable"), v.Flat("best_loss"), v.Flags("robust"), v.Flat("x_best"));
        var width = network.Shape.Inputs;
        for (var row = 0; row < y.Length; row++)
        {
            if (!stable[row])
                continue;
            if (!(Math.Abs(losses[row] - expectedLosses[row]) <= 1e-9 * Math.Max(1, Math.Abs(expectedLosses[row]))))
                return CaseResult.Fail(id, $"row {row}: best loss {losses[row]:R}, published {expectedLosses[row]:R}");
            if (broken[row] == robust[row])
                return CaseResult.Fail(id, $"row {row}: robust is {!broken[row]}, published {robust[row]}");
            var point = Vectors.Close(id, expected.AsSpan(row * width, width), best.AsSpan(row * width, width), 1e-9);
            if (point.Outcome != Outcome.Passed)
                return point with { Reason = $"row {row}: {point.Reason}" };
        }

        return CaseResult.Pass(id);
    }
}
