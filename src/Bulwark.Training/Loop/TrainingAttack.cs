using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Projected gradient ascent on the rows of a batch, inside [0, 1] and the L∞ ball, over mutable values only.</summary>
internal sealed class TrainingAttack(RobustOptions options, DenseNetwork<float> network, ulong seed)
{
    private readonly Random _random = new(unchecked((int)seed) ^ 0xA77AC);
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
        for (var i = 0; i < moved.Length; i++)
        {
            if (Attacked(batch, i, width))
                moved[i] = Project(moved[i] + (radius * ((2 * _random.NextSingle()) - 1)), inputs[i], radius);
        }

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

    private static float Project(float value, float centre, float radius) =>
        Math.Clamp(Math.Clamp(value, centre - radius, centre + radius), 0, 1);

    private bool Attacked(Batch batch, int i, int width) =>
        (!options.OnlyPositives || batch.Labels[i / width] == 1) && (options.Mutable.Count == 0 || options.Mutable[i % width]);
}
