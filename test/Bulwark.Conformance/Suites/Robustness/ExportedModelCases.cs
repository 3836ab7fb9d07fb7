using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Networks trained elsewhere, attacked on published test images: how many stay right.</summary>
internal static class ExportedModelCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v, DirectoryInfo directory)
    {
        var file = new FileInfo(Path.Combine(directory.FullName, "models", v.GetProperty("file").GetString()!));
        if (!file.Exists)
            file = new(Path.Combine(directory.FullName, file.Name));
        if (!file.Exists)
            return [CaseResult.Skip(name, $"its weights, {file.Name}, are absent")];
        var bytes = File.ReadAllBytes(file.FullName);
        if (v.TryGetProperty("sha256", out var hash) && !Convert.ToHexStringLower(SHA256.HashData(bytes)).Equals(hash.GetString(), StringComparison.Ordinal))
            return [CaseResult.Fail(name, $"{file.Name} has another SHA-256 than published")];
        return TestImages(directory) is { } images
            ? Compare(name, v, Network(v, bytes), images.Pixels, images.Labels)
            : [CaseResult.Skip(name, "its test images are absent: data/fashion-mnist beside vectors")];
    }

    private static IEnumerable<CaseResult> Compare(string name, JsonElement v, DenseNetwork<float> network, float[] pixels, int[] labels)
    {
        var (from, to, width) = (v.Whole("rows")[0], v.Whole("rows")[1], network.Shape.Inputs);
        var x = pixels[(from * width)..(to * width)];
        var y = labels[from..to];
        var eps = (float)v.Number("eps");
        var logits = Logits(network, x, y.Length);
        var published = v.Flat("logits_first4");
        yield return Vectors.Close($"{name}/logits", published, [.. logits.Take(published.Length).Select(value => (double)value)], 1e-4);
        yield return Count($"{name}/clean", v.Number("clean_correct"), Correct(logits, y, network.Shape.Outputs), 0);
        foreach (var (member, steps) in ((string, int)[])[("pgd7", 7), ("pgd20", 20)])
        {
            if (!v.TryGetProperty(member, out var run))
                continue;
            var adversarial = new float[x.Length];
            new ProjectedGradientDescent { Epsilon = eps, StepSize = run.Number("step"), Steps = steps }.Run(network, x, y, [], adversarial);
            var attacked = Logits(network, adversarial, y.Length);
            yield return Count($"{name}/{member}", run.Number("robust"), Correct(attacked, y, network.Shape.Outputs), 2);
            var losses = new float[y.Length];
            LossFunction.Evaluate(Loss.SoftmaxCrossEntropy, attacked, y, network.Shape.Outputs, losses, []);
            yield return Vectors.Close($"{name}/{member} mean loss", [run.Number("mean_ce")], [losses.Average()], 2e-3);
        }

        if (v.TryGetProperty("apgd_ce", out var apgd))
        {
            var broken = new bool[y.Length];
            var best = new float[y.Length];
            var model = new DifferentiableNetwork<float>(network);
            var attack = new AutoProjectedGradientDescent { Epsilon = eps, Steps = (int)apgd.Number("n_iter") };
            attack.Run(model, x, y, [], [], new float[x.Length], best, broken);
            yield return Count($"{name}/apgd_ce", apgd.Number("robust"), broken.Count(flag => !flag), 2);
            yield return Vectors.Close($"{name}/apgd_ce mean loss", [apgd.Number("best_loss_mean")], [best.Average()], 2e-3);
            if (v.TryGetProperty("apgd_t_after", out var targeted))
            {
                TargetedEnsemble.Climb(attack with { RandomStart = true }, model, x, y, [], new float[x.Length], broken);
                yield return Count($"{name}/apgd_t_after", targeted.Number("robust"), broken.Count(flag => !flag), 2);
            }
        }
    }

    private static CaseResult Count(string id, double expected, int actual, int tolerance) =>
        CaseResult.Of(id, Math.Abs(expected - actual) <= tolerance, $"{actual} rows stay right, published {expected}");

    /// <summary>Little-endian single precision, layer by layer: convolutions (out, in, kernel, kernel), dense weights (outputs, inputs), biases after each.</summary>
    private static DenseNetwork<float> Network(JsonElement v, byte[] bytes)
    {
        int[][] layers = [.. v.GetProperty("layers").EnumerateArray().Select(layer => layer.Flat().Select(value => (int)value).ToArray())];
        int[][] dense = [.. layers.Where(shape => shape.Length == 2)];
        var shape = layers[0].Length == 4
            ? ConvolutionCases.Shape(ConvolutionCases.Architecture(v.GetProperty("arch").GetString()!), new(layers[0][1], 28, 28), layers)
            : new NetworkShape(dense[0][1], [.. dense[..^1].Select(tensor => tensor[0])], dense[^1][0]);
        var network = new DenseNetwork<double>(shape);
        ConvolutionCases.Fill(network, [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(value => (double)value)]);
        return network.ToSingle();
    }

    private static (float[] Pixels, int[] Labels)? TestImages(DirectoryInfo vectors)
    {
        for (var folder = vectors; folder is not null; folder = folder.Parent)
        {
            var data = Path.Combine(folder.FullName, "data", "fashion-mnist");
            if (!File.Exists(Path.Combine(data, "t10k-images-idx3-ubyte.gz")))
                continue;
            var (images, labels) = (Idx(Path.Combine(data, "t10k-images-idx3-ubyte.gz"), 16), Idx(Path.Combine(data, "t10k-labels-idx1-ubyte.gz"), 8));
            return ([.. images.Select(pixel => pixel / 255f)], [.. labels.Select(label => (int)label)]);
        }

        return null;
    }

    private static byte[] Idx(string path, int headerBytes)
    {
        using var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var all = new MemoryStream();
        stream.CopyTo(all);
        var bytes = all.ToArray();
        return BinaryPrimitives.ReadInt32BigEndian(bytes) >> 8 == 8 ? bytes[headerBytes..] : throw new InvalidDataException($"{path} is not an IDX file of bytes.");
    }

    private static float[] Logits(DenseNetwork<float> network, float[] x, int rows)
    {
        var logits = new float[rows * network.Shape.Outputs];
        network.Forward(x, rows, logits);
        return logits;
    }

    private static int Correct(float[] logits, int[] y, int outputs) =>
        Enumerable.Range(0, y.Length).Count(row => LossFunction.Predict<float>(logits.AsSpan(row * outputs, outputs)) == y[row]);
}
