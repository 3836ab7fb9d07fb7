using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>A model whose logits can be derived by its inputs: what gradient attacks climb.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <remarks>Holds one thread's working memory: not thread-safe.</remarks>
public interface IDifferentiableModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Numbers in an input row.</summary>
    int Inputs { get; }

    /// <summary>Logits of a row: 1 for a binary decision by the logistic function, else one a class.</summary>
    int Outputs { get; }

    /// <summary>Most rows of one call.</summary>
    int MaxRows { get; }

    /// <summary>The logits, kept for <see cref="Backward"/>.</summary>
    /// <param name="points">Shape (rows, <see cref="Inputs"/>).</param>
    /// <param name="rows">How many, at most <see cref="MaxRows"/>.</param>
    /// <returns>Shape (rows, <see cref="Outputs"/>); valid until the next call.</returns>
    ReadOnlySpan<T> Forward(ReadOnlySpan<T> points, int rows);

    /// <summary>After <see cref="Forward"/>: carries a loss's derivative by the logits back to the inputs.</summary>
    /// <param name="outputGradient">Shape (rows, <see cref="Outputs"/>).</param>
    /// <param name="inputGradient">Shape (rows, <see cref="Inputs"/>); overwritten.</param>
    void Backward(ReadOnlySpan<T> outputGradient, Span<T> inputGradient);
}

/// <summary>A dense network as a model to climb.</summary>
internal sealed class DifferentiableNetwork<T> : IDifferentiableModel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    internal const int BatchRows = 528;
    private readonly NetworkGradients<T> _gradients;

    internal DifferentiableNetwork(DenseNetwork<T> network, int rows = BatchRows)
    {
        _gradients = new(network, int.Clamp(rows, 1, BatchRows));
        (Inputs, Outputs) = (network.Shape.Inputs, network.Shape.Outputs);
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public int MaxRows => _gradients.MaxRows;

    public ReadOnlySpan<T> Forward(ReadOnlySpan<T> points, int rows) => _gradients.Forward(points, rows);

    public void Backward(ReadOnlySpan<T> outputGradient, Span<T> inputGradient) => _gradients.BackwardToInputs(outputGradient, inputGradient);
}
