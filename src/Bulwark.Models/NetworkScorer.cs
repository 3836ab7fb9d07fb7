using System.Buffers;
using Bulwark.Networks;

namespace Bulwark.Models;

/// <summary>Scores raw rows with the managed engine: encoder, network, then the logistic function or softmax.</summary>
public sealed class NetworkScorer : IScorer
{
    private const int BatchRows = 256;
    private readonly FeatureEncoder _encoder;
    private readonly DenseNetwork<float> _network;

    /// <param name="schema">What the rows hold.</param>
    /// <param name="network">Takes the rows that <paramref name="schema"/> encodes to; kept, not copied.</param>
    /// <exception cref="ArgumentException">The schema has faults, or does not encode to the network's inputs.</exception>
    public NetworkScorer(FeatureSchema schema, DenseNetwork<float> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        _encoder = new FeatureEncoder(schema);
        _network = network;
        if (_encoder.EncodedWidth != network.Shape.Inputs)
            throw new ArgumentException($"The schema encodes to {_encoder.EncodedWidth} columns, the network takes {network.Shape.Inputs}.", nameof(network));
    }

    /// <inheritdoc/>
    public int Width => _encoder.Width;

    /// <inheritdoc/>
    public int Classes => _network.Shape.Outputs == 2 ? 1 : _network.Shape.Outputs;

    /// <inheritdoc/>
    public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
    {
        RowShape.Require(rawRows.Length, rows, Width, nameof(rawRows));
        RowShape.Require(probabilities.Length, rows, Classes, nameof(probabilities));
        var outputs = _network.Shape.Outputs;
        var batch = Math.Min(rows, BatchRows);
        var encoded = ArrayPool<float>.Shared.Rent(batch * _encoder.EncodedWidth);
        var logits = ArrayPool<float>.Shared.Rent(batch * outputs);
        for (var first = 0; first < rows; first += BatchRows)
        {
            var count = Math.Min(BatchRows, rows - first);
            var inputs = encoded.AsSpan(0, count * _encoder.EncodedWidth);
            _encoder.Encode(rawRows.Slice(first * Width, count * Width), count, inputs);
            _network.Forward(inputs, count, logits.AsSpan(0, count * outputs));
            Probability.FromLogits(logits.AsSpan(0, count * outputs), outputs, probabilities.Slice(first * Classes, count * Classes));
        }

        ArrayPool<float>.Shared.Return(encoded, clearArray: true);
        ArrayPool<float>.Shared.Return(logits);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
