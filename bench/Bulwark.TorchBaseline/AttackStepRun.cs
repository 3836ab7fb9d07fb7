using Bulwark.Benchmarks;
using Bulwark.Networks;
using Bulwark.Training.Loop;
using static TorchSharp.torch;

namespace Bulwark.TorchBaseline;

/// <summary>One step of projected gradient ascent (forward, gradient to the inputs, sign, projection), the same network and batch on both sides, one thread, interleaved.</summary>
internal static class AttackStepRun
{
    private const int Batch = 128;
    private const float Step = 0.01f;
    private const float Radius = 0.1f;

    internal static void Print(TextWriter output, TimeSpan duration)
    {
        var images = new ConvolutionStack(new(1, 28, 28), [new(16, 4, 2, 1), new(32, 4, 2, 1)]);
        (string Name, NetworkShape Shape)[] networks =
        [
            ("CNN", NetworkShape.OfImages(images, [100], 10)),
            ("MLP 784-256-128-10", new(784, [256, 128], 10)),
            ("table 63-128-64-32-2", new(63, [128, 64, 32], 2)),
        ];
        Contender[] all = [NetworkContenders.Peak(), .. networks.SelectMany(network => (Contender[])[Ours(network.Name, network.Shape), Theirs(network.Name, network.Shape)])];
        var minimum = InterleavedRun.MinimumMicroseconds(all, duration);
        output.WriteLine();
        var peak = all[0].MegaFlop / minimum[0];
        output.WriteLine($"Attack step, batch {Batch}, microseconds a row, minimum of interleaved calls; limit: half of libtorch's time. Dense: what all multiply-adds of the step would take at this core's peak of {1e3 * peak:F0} GFLOP/s");
        output.WriteLine();
        output.WriteLine("| network | Bulwark | libtorch | share of its time | dense, at the peak | share of libtorch's time that the peak allows |");
        output.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        for (var i = 0; i < networks.Length; i++)
        {
            var (ours, theirs) = (minimum[(2 * i) + 1] / Batch, minimum[(2 * i) + 2] / Batch);
            var least = MegaFlop(networks[i].Shape) / peak;
            output.WriteLine(FormattableString.Invariant($"| {networks[i].Name} | {ours:F2} | {theirs:F2} | {ours / theirs:P0} ({(ours <= theirs / 2 ? "held" : "MISSED")}) | {least:F2} | {least / theirs:P0} |"));
        }
    }

    /// <summary>A row's multiplications and additions, forth and back to the inputs, zeros among them.</summary>
    private static double MegaFlop(NetworkShape shape)
    {
        double products = Enumerable.Range(0, shape.Layers).Sum(layer => (double)shape.LayerInputs(layer) * shape.LayerOutputs(layer));
        for (var layer = 0; layer < (shape.Convolutions?.Layers.Count ?? 0); layer++)
            products += (double)shape.Convolutions!.WeightCount(layer) * shape.Convolutions.LayerImage(layer + 1).Height * shape.Convolutions.LayerImage(layer + 1).Width;
        return 4 * products / 1e6;
    }

    private static Contender Ours(string name, NetworkShape shape)
    {
        var network = DenseNetwork<float>.Create(shape, 1);
        var gradients = new NetworkGradients<float>(network, Batch) { ParametersAreFixed = true };
        var (rows, labels) = Data(shape);
        var (moved, slopes) = ((float[])[.. rows], new float[rows.Length]);
        return new($"Bulwark {name}", 0, () =>
        {
            gradients.InputGradient(moved, labels, Loss.SoftmaxCrossEntropy, slopes);
            for (var row = 0; row < Batch; row++)
            {
                var place = row * shape.Inputs;
                AttackStep.Sign(moved.AsSpan(place, shape.Inputs), slopes.AsSpan(place, shape.Inputs), rows.AsSpan(place, shape.Inputs), Step, Radius);
            }
        });
    }

    private static Contender Theirs(string name, NetworkShape shape)
    {
        var layers = new List<nn.Module<Tensor, Tensor>>();
        var channels = 1;
        foreach (var convolution in shape.Convolutions?.Layers ?? [])
        {
            layers.Add(nn.Conv2d(channels, convolution.Channels, convolution.Kernel, stride: convolution.Stride, padding: convolution.Padding));
            layers.Add(nn.ReLU());
            channels = convolution.Channels;
        }

        if (shape.Convolutions is not null)
            layers.Add(nn.Flatten());
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            layers.Add(nn.Linear(shape.LayerInputs(layer), shape.LayerOutputs(layer)));
            if (layer < shape.Layers - 1)
                layers.Add(nn.ReLU());
        }

        var network = nn.Sequential(layers);
        var (values, classes) = Data(shape);
        long[] form = shape.Convolutions is null ? [Batch, shape.Inputs] : [Batch, 1, 28, 28];
        var rows = tensor(values).reshape(form);
        var labels = tensor(classes.Select(label => (long)label).ToArray());
        var moved = rows.clone();
        return new($"libtorch {name}", 0, () =>
        {
            using var scope = NewDisposeScope();
            var point = moved.detach().requires_grad_(true);
            var loss = nn.functional.cross_entropy(network.forward(point), labels, reduction: nn.Reduction.Sum);
            var slope = autograd.grad([loss], [point])[0];
            using var unused = no_grad();
            var stepped = point + (Step * slope.sign());
            stepped = max(min(stepped, rows + Radius), rows - Radius).clamp(0, 1);
            moved.copy_(stepped);
        });
    }

    private static (float[] Rows, int[] Labels) Data(NetworkShape shape)
    {
        var random = new Random(2);
        return ([.. Enumerable.Range(0, Batch * shape.Inputs).Select(_ => random.NextSingle())], [.. Enumerable.Range(0, Batch).Select(_ => random.Next(shape.Classes))]);
    }
}
