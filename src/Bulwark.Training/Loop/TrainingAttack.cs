using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Projected gradient ascent on the rows of a batch, inside [0, 1] and the L∞ ball, over mutable values only.</summary>
/// <remarks>
/// Each moved row depends on that row and the network alone, its random start included: it is drawn from a hash of the row. A stream shared by the rows
/// would let one added row change every later one, and no clipping would bound that: differential privacy would be lost.
/// </remarks>
internal sealed class TrainingAttack(RobustOptions options, DenseNetwork<float> network, ulong seed)
{
    private ulong _round;
    private NetworkGradients<float>? _gradients;
    private float[] _slopes = [];
    private float[] _moved = [];

    internal RobustOptions Options => options;

    /// <summary>The moved rows; valid until the next call. Each row depends on itself and the network only.</summary>
    internal ReadOnlySpan<float> Move(Batch batch)
    {
        var inputs = batch.Inputs;
        var width = network.Shape.Inputs;
        if (_gradients is null || _gradients.MaxRows < batch.Rows)
            (_gradients, _slopes, _moved) = (new(network, batch.Labels.Length), new float[batch.Features.Length], new float[batch.Features.Length]);
        var (radius, step) = ((float)options.Epsilon, (float)(1.25 * options.Epsilon / options.Steps));
        var moved = _moved.AsSpan(0, inputs.Length);
        inputs.CopyTo(moved);
        for (var row = 0; row < inputs.Length / width; row++)
            Start(batch, row, width, radius, moved);

        for (var k = 0; k < options.Steps; k++)
        {
            var slopes = _slopes.AsSpan(0, inputs.Length);
            _gradients.InputGradient(moved, batch.Classes, Loss.Logistic, slopes);
            for (var i = 0; i < moved.Length; i++)
            {
                if (slopes[i] != 0 && Attacked(batch, i, width))
                    moved[i] = Project(moved[i] + MathF.CopySign(step, slopes[i]), inputs[i], radius);
            }
        }

        return moved;
    }

    /// <summary>Another start in each round: the caller's steps count the rounds, which are public.</summary>
    internal void NextRound() => _round++;

    private void Start(Batch batch, int row, int width, float radius, Span<float> moved)
    {
        var values = batch.Inputs.Slice(row * width, width);
        var state = Mix(seed ^ 0xA77AC, _round);
        foreach (var value in values)
            state = Mix(state, BitConverter.SingleToUInt32Bits(value));
        for (var i = 0; i < width; i++)
        {
            if (!Attacked(batch, (row * width) + i, width))
                continue;
            state = Mix(state, 1);
            moved[(row * width) + i] = Project(values[i] + (radius * (((state >> 40) * (1f / (1 << 23))) - 1)), values[i], radius);
        }
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): spreads starts, hides nothing.</summary>
    private static ulong Mix(ulong state, ulong value)
    {
        var mixed = unchecked(state + (value * 0xBF58476D1CE4E5B9) + 0x9E3779B97F4A7C15);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB);
        return mixed ^ (mixed >> 31);
    }

    private static float Project(float value, float centre, float radius) =>
        Math.Clamp(Math.Clamp(value, centre - radius, centre + radius), 0, 1);

    private bool Attacked(Batch batch, int i, int width) =>
        (!options.OnlyPositives || batch.Labels[i / width] == 1) && (options.Mutable.Count == 0 || options.Mutable[i % width]);
}
