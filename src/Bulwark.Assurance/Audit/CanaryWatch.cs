using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance.Audit;

/// <summary>
/// White-box canaries: rows with a huge value in a column of their own, so that their gradient is clipped and points where no other row's does. Each step's noisy sum is read in
/// those places, as an adversary who sees every release could, and then cleared there, so that a canary's direction stays what it was.
/// </summary>
internal sealed class CanaryWatch : IPrivateObserver
{
    /// <summary>What a canary has in its column: enough to be clipped at any output.</summary>
    internal const float Height = 1e4f;

    private readonly NetworkGradients<float> _reference;
    private readonly float[] _row;
    private readonly float[] _gradient;
    private readonly double[] _direction;
    private readonly int _first;
    private readonly int _outputs;
    private readonly bool[] _isIn;

    internal CanaryWatch(DenseNetwork<float> network, float[] canary, bool[] isIn)
    {
        _reference = new NetworkGradients<float>(network, 1);
        _row = canary;
        _gradient = new float[network.Parameters.Length];
        _isIn = isIn;
        _first = network.Shape.Inputs - isIn.Length;
        _outputs = network.Shape.LayerOutputs(0);
        _direction = new double[_outputs];
        Scores = new double[isIn.Length];
        network.Weights(0)[(_first * _outputs)..].Clear();
    }

    /// <summary>One a canary: how much of its direction was in all that was released.</summary>
    internal double[] Scores { get; }

    internal List<int> BatchSizes { get; } = [];

    internal List<double> Divisors { get; } = [];

    /// <summary>What each step really added, by the canaries that were out: mean square over the deviation that the plan booked for it.</summary>
    internal double NoiseSquares { get; private set; }

    internal long NoiseValues { get; private set; }

    internal long Steps { get; private set; }

    /// <summary>Largest noise multiplier and clipping norm seen, by step, for the account of what was done.</summary>
    internal List<double> Multipliers { get; } = [];

    public void Drawn(long step, ReadOnlySpan<int> batch) => BatchSizes.Add(batch.Length);

    public void Released(long step, DenseNetwork<float> network, Span<double> noisySum, double clipping, double deviation, double divisor)
    {
        Steps++;
        Divisors.Add(divisor);
        Multipliers.Add(deviation / (clipping * PrivateLoop.Rounding));
        Array.Clear(_gradient);
        _reference.ClippedSum(_row, [1], Loss.Logistic, 1, _gradient);
        System.Numerics.Tensors.TensorPrimitives.ConvertChecked<float, double>(_gradient.AsSpan(_first * _outputs, _outputs), _direction);   // the row is the first canary's
        var direction = _direction.AsSpan();
        var length = System.Numerics.Tensors.TensorPrimitives.Norm(direction);
        for (var canary = 0; canary < _isIn.Length; canary++)
        {
            var place = noisySum.Slice((_first + canary) * _outputs, _outputs);
            if (length > 0)
                Scores[canary] += System.Numerics.Tensors.TensorPrimitives.Dot(place, direction) / length * clipping / (deviation * deviation);
            if (!_isIn[canary])
            {
                NoiseSquares += System.Numerics.Tensors.TensorPrimitives.SumOfSquares(place) / (deviation * deviation);
                NoiseValues += _outputs;
            }

            place.Clear();
        }
    }

    /// <summary>The rows with as many more columns as there are canaries, and one more row for each canary that is in.</summary>
    internal static (EncodedDataset Rows, float[] FirstCanary) Plant(EncodedDataset rows, bool[] isIn)
    {
        var width = rows.Width + isIn.Length;
        var count = rows.Rows + isIn.Count(coin => coin);
        var (features, labels) = (new float[(long)count * width], new int[count]);
        for (var row = 0; row < rows.Rows; row++)
        {
            rows.Row(row).CopyTo(features.AsSpan(row * width));
            labels[row] = rows.Labels[row];
        }

        var at = rows.Rows;
        for (var canary = 0; canary < isIn.Length; canary++)
        {
            if (!isIn[canary])
                continue;
            Canary(rows.Width, canary, width).CopyTo(features, (long)at * width);
            labels[at++] = 1;
        }

        IReadOnlyList<bool> quantities = rows.Quantities.Count == 0 ? [] : [.. rows.Quantities, .. new bool[isIn.Length]];
        return (new EncodedDataset(features, width, labels, quantities), Canary(rows.Width, 0, width));
    }

    private static float[] Canary(int plain, int index, int width)
    {
        var row = new float[width];
        row.AsSpan(0, plain).Fill(0.5f);   // hidden layers need something to be awake
        row[plain + index] = Height;
        return row;
    }
}
