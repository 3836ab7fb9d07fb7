using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>CAPGD on a published network and rows, under the constraints as published: at least as many rows fall as to the published attack, and each could be sent.</summary>
internal static class ConstrainedAttackCases
{
    private const string Phishing = "url-phishing.json";

    internal static IEnumerable<CaseResult> Run(string name, JsonElement v, DirectoryInfo directory)
    {
        var network = Network(v);
        var (low, high) = (v.Flat("x_min"), v.Flat("x_max"));
        // The names of the features stand in the vectors of the constraints, beside these.
        using var names = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory.FullName, "constraints.json")));
        var schema = Schema(names.RootElement, low, high);
        var encoder = new FeatureEncoder(schema);
        float[] rows = [.. v.Flat("x").Select(value => (float)value)];
        var model = new DifferentiableNetwork<float>(network);
        var logits = model.Forward(encoder.Encode(rows), rows.Length / schema.Width).ToArray();
        yield return Vectors.Close($"{name}/logits", v.Flat("logits"), [.. logits.Select(value => (double)value)], 2e-4);
        foreach (var run in v.GetProperty("out").EnumerateObject())
        {
            var id = $"{name}/{run.Name}";
            yield return Vectors.Try(id, () => Attack(id, run, model, new(encoder, ConstraintCases.AsPublished(ConstraintCases.Sample(Phishing)).Compile(schema)), rows));
        }
    }

    private static CaseResult Attack(string id, JsonProperty run, IDifferentiableModel<float> model, TabularSpace space, float[] rows)
    {
        var parts = run.Name.Split('-');
        var (norm, epsilon, steps) = (parts[0] == "L2" ? PerturbationNorm.L2 : PerturbationNorm.Linf, double.Parse(parts[1]), int.Parse(parts[2]));
        var labels = Enumerable.Repeat(1, rows.Length / space.Encoder.Width).ToArray();
        var adversarial = new float[rows.Length];
        var success = new ConstrainedGradientDescent { Norm = norm, Epsilon = epsilon, Steps = steps }.Run(model, space, rows, labels, adversarial);
        var (before, after) = (space.Encoder.Encode(rows), space.Encoder.Encode(adversarial));
        var (width, encodedWidth) = (space.Encoder.Width, space.Encoder.EncodedWidth);
        for (var row = 0; row < labels.Length; row++)
        {
            var fault = new TabularReach(norm, epsilon).Reject(
                space, adversarial.AsSpan(row * width, width), rows.AsSpan(row * width, width), after.AsSpan(row * encodedWidth, encodedWidth), before.AsSpan(row * encodedWidth, encodedWidth));
            if (success[row] && fault is not null)
                return CaseResult.Fail(id, $"row {row} could not be sent: {fault}");
        }

        var published = run.Value.Flags("success").Count(flag => flag);
        return CaseResult.Of(id, success.Count(flag => flag) >= published, $"{success.Count(flag => flag)} rows fall, to the published attack {published}");
    }

    private static FeatureSchema Schema(JsonElement document, double[] low, double[] high)
    {
        var url = document.GetProperty("url");
        string[] types = [.. url.GetProperty("types").EnumerateArray().Select(type => type.GetString()!)];
        return ConstraintCases.Schema(url.GetProperty("names"), low, high, types);
    }

    private static DenseNetwork<float> Network(JsonElement v)
    {
        var weights = v.GetProperty("weights");
        var layers = weights.GetArrayLength();
        int[] widths = [.. Enumerable.Range(0, layers).Select(layer => weights[layer].GetArrayLength())];
        var network = new DenseNetwork<float>(new(weights[0][0].GetArrayLength(), widths[..^1], widths[^1]));
        for (var layer = 0; layer < layers; layer++)
        {
            var (inputs, outputs) = (network.Shape.LayerInputs(layer), network.Shape.LayerOutputs(layer));
            var published = weights[layer].Flat();
            for (var i = 0; i < inputs * outputs; i++)
                network.Weights(layer)[(i % inputs * outputs) + (i / inputs)] = (float)published[i];
            for (var i = 0; i < outputs; i++)
                network.Biases(layer)[i] = (float)v.GetProperty("biases")[layer][i].GetDouble();
        }

        return network;
    }
}
