using Bulwark.Benchmarks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bulwark.TorchBaseline;

/// <summary>The same work by libtorch on one thread.</summary>
internal static class TorchContenders
{
    internal static Contender Product(int rows, int depth, int columns)
    {
        var (left, right) = (rand(rows, depth), rand(depth, columns));
        return new($"libtorch product {rows}x{depth}x{columns}", 2.0 * rows * depth * columns / 1e6, () =>
        {
            using var scope = NewDisposeScope();
            using var unused = no_grad();
            mm(left, right);
        });
    }

    internal static IEnumerable<Contender> Steps()
    {
        var network = nn.Sequential(nn.Linear(30, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2));
        var adam = optim.Adam(network.parameters(), lr: 1e-3);
        var (values, classes) = NetworkContenders.Data();
        var inputs = tensor(values).reshape(NetworkContenders.Batch, 30);
        var labels = tensor(classes.Select(label => (long)label).ToArray());
        var loss = nn.CrossEntropyLoss();
        yield return new("libtorch training step", 0, () => Train(network, adam, inputs, labels, loss));
        yield return new("libtorch gradient to inputs", 0, () => InputGradient(network, inputs, labels));
        yield return new("libtorch forward", 0, () =>
        {
            using var scope = NewDisposeScope();
            using var unused = no_grad();
            network.forward(inputs);
        });
    }

    private static void Train(Sequential network, optim.Optimizer adam, Tensor inputs, Tensor labels, CrossEntropyLoss loss)
    {
        using var scope = NewDisposeScope();
        adam.zero_grad();
        loss.forward(network.forward(inputs), labels).backward();
        adam.step();
    }

    private static void InputGradient(Sequential network, Tensor inputs, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var point = inputs.detach().requires_grad_(true);
        var loss = nn.functional.cross_entropy(network.forward(point), labels, reduction: nn.Reduction.Sum);
        autograd.grad([loss], [point]);
    }
}
