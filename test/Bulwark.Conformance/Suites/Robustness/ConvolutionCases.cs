using System.Text.Json;
using System.Text.RegularExpressions;
using Bulwark.Networks;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>A small network of convolutions: logits, losses, gradients by inputs and by parameters.</summary>
internal static partial class ConvolutionCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var side = (int)v.Number("hw");
        var published = v.GetProperty("params").EnumerateArray().ToList();
        int[][] dims = [.. published.Select(Dims)];
        var network = new DenseNetwork<double>(Shape(Architecture(v.GetProperty("note").GetString()!), new(dims[0][1], side, side), dims));
        Fill(network, [.. published.SelectMany(tensor => tensor.Flat())]);
        var (x, y) = (v.Flat("x"), v.Whole("y"));
        var logits = new double[y.Length * network.Shape.Outputs];
        network.Forward(x, y.Length, logits);
        yield return Vectors.Close($"{name}/logits", v.Flat("logits"), logits, 1e-12);
        var (losses, slopes) = (new double[y.Length], new double[x.Length]);
        var gradients = new NetworkGradients<double>(network, y.Length);
        gradients.InputGradient(x, y, Loss.SoftmaxCrossEntropy, slopes, losses);
        yield return Vectors.Close($"{name}/loss", v.Flat("loss"), losses, 1e-12);
        yield return Vectors.Close($"{name}/grad_x", v.Flat("grad_x"), slopes, 1e-12);
        var gradient = new double[network.Parameters.Length];
        gradients.Backward(x, y, Loss.SoftmaxCrossEntropy, gradient);
        var expected = new DenseNetwork<double>(network.Shape);
        Fill(expected, [.. v.GetProperty("grad_params").EnumerateArray().SelectMany(tensor => tensor.Flat())]);
        yield return Vectors.Close($"{name}/grad_params", expected.Parameters.ToArray(), gradient, 1e-12);
    }

    /// <summary>Steps and paddings of the convolutions that a description names: <c>conv k4 s2 p1</c> or <c>conv(1,16,k4,s2,p1)</c>.</summary>
    internal static (int Stride, int Padding)[] Architecture(string description) =>
        [.. Layer().Matches(description).Select(match => (int.Parse(match.Groups[1].Value), int.Parse(match.Groups[2].Value)))];

    /// <summary>The network of published tensors: four dimensions are a convolution, two a dense layer.</summary>
    internal static NetworkShape Shape((int Stride, int Padding)[] windows, ImageShape image, int[][] dims)
    {
        int[][] convolutions = [.. dims.Where(tensor => tensor.Length == 4)], dense = [.. dims.Where(tensor => tensor.Length == 2)];
        var layers = convolutions.Select((tensor, layer) => new Convolution(tensor[0], tensor[2], windows[layer].Stride, windows[layer].Padding));
        return NetworkShape.OfImages(new(image, [.. layers]), [.. dense[..^1].Select(tensor => tensor[0])], dense[^1][0]);
    }

    /// <summary>Published dense weights are (outputs, inputs); ours are (inputs, outputs). Convolutions are alike.</summary>
    internal static void Fill(DenseNetwork<double> network, double[] values)
    {
        var at = network.Shape.Convolutions?.ParameterCount ?? 0;
        values.AsSpan(0, at).CopyTo(network.Parameters);
        for (var layer = 0; layer < network.Shape.Layers; layer++)
        {
            var (inputs, outputs) = (network.Shape.LayerInputs(layer), network.Shape.LayerOutputs(layer));
            for (var i = 0; i < inputs * outputs; i++)
                network.Weights(layer)[(i % inputs * outputs) + (i / inputs)] = values[at++];
            for (var i = 0; i < outputs; i++)
                network.Biases(layer)[i] = values[at++];
        }
    }

    private static int[] Dims(JsonElement tensor)
    {
        var dims = new List<int>();
        for (; tensor.ValueKind == JsonValueKind.Array; tensor = tensor[0])
            dims.Add(tensor.GetArrayLength());
        return [.. dims];
    }

    [GeneratedRegex(@"conv[( ][0-9,]*k\d+[, ]s(\d+)[, ]p(\d+)")]
    private static partial Regex Layer();
}
