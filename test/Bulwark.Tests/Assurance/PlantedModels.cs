using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

/// <summary>A network of three classes on 20 numbers, rows that it gets right, and ways to spoil what attacks see of it.</summary>
internal static class PlantedModels
{
    internal const int Width = 20;
    internal const int Rows = 60;

    internal static DenseNetwork<float> Network { get; } = Make();

    internal static float[] Inputs { get; } = Draw();

    internal static int[] Labels { get; } = [.. Enumerable.Range(0, Rows).Select(row => Class(Network, Inputs.AsSpan(row * Width, Width)))];

    internal static PointTarget Target(Func<IDifferentiableModel<float>, IDifferentiableModel<float>>? gradients = null, Func<IQueriedModel, IQueriedModel>? answers = null)
    {
        var asked = new QueriedNetwork(new DifferentiableNetwork<float>(Network));
        var climbed = new DifferentiableNetwork<float>(Network);
        return new(answers is null ? asked : answers(asked), gradients is null ? climbed : gradients(climbed));
    }

    internal static int Class(DenseNetwork<float> network, ReadOnlySpan<float> row)
    {
        Span<float> logits = stackalloc float[network.Shape.Outputs];
        network.Forward(row, 1, logits);
        return LossFunction.Predict<float>(logits);
    }

    private static DenseNetwork<float> Make()
    {
        var network = DenseNetwork<float>.Create(new(Width, [32, 32], 3), 11);
        var logits = new float[Rows * 3];
        network.Forward(Draw(), Rows, logits);
        for (var k = 0; k < 3; k++)   // no class far ahead of the others
            network.Biases(2)[k] -= Enumerable.Range(0, Rows).Average(row => logits[(row * 3) + k]);
        return network;
    }

    private static float[] Draw()
    {
        var draws = new SeededDraws(21);
        return [.. Enumerable.Range(0, Rows * Width).Select(_ => (float)draws.Uniform())];
    }
}

/// <summary>Gradients with a planted defect.</summary>
internal sealed class BentGradients(IDifferentiableModel<float> inner, Func<float[], float[]>? logits = null, Func<float[], float[]>? gradient = null) : IDifferentiableModel<float>
{
    public int Inputs => inner.Inputs;

    public int Outputs => inner.Outputs;

    public int MaxRows => inner.MaxRows;

    public ReadOnlySpan<float> Forward(ReadOnlySpan<float> points, int rows)
    {
        var own = inner.Forward(points, rows);
        return logits is null ? own : logits(own.ToArray());
    }

    public void Backward(ReadOnlySpan<float> outputGradient, Span<float> inputGradient)
    {
        inner.Backward(outputGradient, inputGradient);
        gradient?.Invoke(inputGradient.ToArray()).CopyTo(inputGradient);
    }
}

/// <summary>Answers with a planted defect.</summary>
internal sealed class BentAnswers(IQueriedModel inner, Func<float[], float[], float[]> bend, Func<float[], float[]>? before = null) : IQueriedModel
{
    public int Inputs => inner.Inputs;

    public int Classes => inner.Classes;

    public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores)
    {
        inner.Score(before is null ? points : before(points.ToArray()), rows, scores);
        bend(points.ToArray(), scores.ToArray()).CopyTo(scores);
    }
}
