using BenchmarkDotNet.Attributes;
using Bulwark.Networks;

namespace Bulwark.Benchmarks;

/// <summary>One network step at a time, with BenchmarkDotNet's statistics; for following a change over time on a quiet machine.</summary>
public class NetworkBenchmarks
{
    private readonly DenseNetwork<float> _network = DenseNetwork<float>.Create(NetworkContenders.Shape, 1);
    private readonly float[] _inputs;
    private readonly int[] _labels;
    private readonly float[] _gradient;
    private readonly float[] _inputGradient;
    private readonly float[] _logits = new float[NetworkContenders.Batch * 2];
    private readonly NetworkGradients<float> _gradients;
    private readonly AdamOptimizer<float> _adam;

    public NetworkBenchmarks()
    {
        (_inputs, _labels) = NetworkContenders.Data();
        _gradient = new float[_network.Parameters.Length];
        _inputGradient = new float[_inputs.Length];
        _gradients = new(_network, NetworkContenders.Batch);
        _adam = new(_gradient.Length);
    }

    [Benchmark]
    public void Forward() => _network.Forward(_inputs, NetworkContenders.Batch, _logits);

    [Benchmark]
    public void InputGradient() => _gradients.InputGradient(_inputs, _labels, Loss.SoftmaxCrossEntropy, _inputGradient);

    [Benchmark]
    public void TrainingStep()
    {
        _gradients.Backward(_inputs, _labels, Loss.SoftmaxCrossEntropy, _gradient);
        _adam.Step(_network.Parameters, _gradient, 1e-3f);
    }

    [Benchmark]
    public void ClippedTrainingStep()
    {
        _gradient.AsSpan().Clear();
        _gradients.ClippedSum(_inputs, _labels, Loss.SoftmaxCrossEntropy, 1f, _gradient);
        _adam.Step(_network.Parameters, _gradient, 1e-3f);
    }
}
