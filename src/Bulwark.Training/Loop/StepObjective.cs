using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>The gradient of one step's loss by the parameters: clean rows, moved rows, or both.</summary>
internal sealed class StepObjective(DenseNetwork<float> network, TrainingOptions options, int size)
{
    private readonly NetworkGradients<float> _gradients = new(network, size);
    private readonly Loss _loss = LossFunction.LogLoss(network.Shape.Outputs);
    private readonly float[] _adversarial = options.Robust is null ? [] : new float[network.Parameters.Length];
    private readonly float[] _cleanSlopes = options.Robust is null ? [] : new float[size * network.Shape.Outputs];
    private readonly float[] _movedSlopes = options.Robust is null ? [] : new float[size * network.Shape.Outputs];
    private readonly WeightPerturbation? _push = options.Robust is { WeightPerturbation: > 0 and var share } ? new(network, share) : null;
    private NetworkGradients<float>? _ofMoved;

    internal float[] Gradient { get; } = new float[network.Parameters.Length];

    /// <summary>Fills <see cref="Gradient"/>; returns the weighted loss.</summary>
    internal double Of(Batch batch, TrainingAttack? attack)
    {
        if (attack is null)
            return _gradients.Backward(batch.Inputs, batch.Classes, _loss, Gradient, batch.Weigh(options.PositiveWeight, 1));
        attack.NextRound();
        var moved = attack.Move(batch);
        if (_push is null)
            return Of(batch, moved, attack.Options);
        Of(batch, moved, attack.Options);
        _push.Push(Gradient);
        var loss = Of(batch, moved, attack.Options);
        _push.Restore();
        return loss;
    }

    private double Of(Batch batch, ReadOnlySpan<float> moved, RobustOptions robust) =>
        robust.Method is RobustMethod.Trades or RobustMethod.Mart ? OfPair(batch, moved, robust) : OfSum(batch, moved, robust);

    /// <summary>The gradients by parameters and inputs of rows that carry a perturbation already, from one pass.</summary>
    internal double Of(Batch batch, ReadOnlySpan<float> moved, Span<float> slopes) =>
        _gradients.Backward(moved, batch.Classes, _loss, Gradient, batch.Weigh(options.PositiveWeight, 1), slopes);

    private double OfSum(Batch batch, ReadOnlySpan<float> moved, RobustOptions robust)
    {
        var (clean, adversarial) = (robust.CleanWeight, robust.AdversarialWeight);
        if (clean == 0)
            return _gradients.Backward(moved, batch.Classes, _loss, Gradient, batch.Weigh(options.PositiveWeight, 1));
        double loss = _gradients.Backward(batch.Inputs, batch.Classes, _loss, Gradient, batch.Weigh(options.PositiveWeight, clean / (clean + adversarial)));
        loss += _gradients.Backward(moved, batch.Classes, _loss, _adversarial, batch.Weigh(options.PositiveWeight, adversarial / (clean + adversarial)));
        TensorPrimitives.Add(Gradient, _adversarial, Gradient);
        return loss;
    }

    private double OfPair(Batch batch, ReadOnlySpan<float> moved, RobustOptions robust)
    {
        _ofMoved ??= new(network, size);
        var outputs = network.Shape.Outputs;
        var logits = _gradients.Forward(batch.Inputs, batch.Rows);
        var ofMoved = _ofMoved.Forward(moved, batch.Rows);
        var cleanSlopes = _cleanSlopes.AsSpan(0, logits.Length);
        var movedSlopes = _movedSlopes.AsSpan(0, logits.Length);
        var weight = (float)robust.AdversarialWeight;
        double loss = robust.Method == RobustMethod.Trades
            ? RobustLoss.Trades(logits, ofMoved, batch.Classes, outputs, weight, cleanSlopes, movedSlopes)
            : RobustLoss.Mart(logits, ofMoved, batch.Classes, outputs, weight, cleanSlopes, movedSlopes);
        Weigh(batch, cleanSlopes, movedSlopes, outputs);
        Array.Clear(Gradient);
        _gradients.BackwardToParameters(cleanSlopes, Gradient);
        _ofMoved.BackwardToParameters(movedSlopes, Gradient);
        return loss;
    }

    private void Weigh(Batch batch, Span<float> clean, Span<float> moved, int outputs)
    {
        if (options.PositiveWeight == 1)
            return;
        for (var row = 0; row < batch.Rows; row++)
        {
            var weight = batch.Labels[row] == 1 ? (float)options.PositiveWeight : 1f;
            for (var k = row * outputs; k < (row + 1) * outputs; k++)
                (clean[k], moved[k]) = (clean[k] * weight, moved[k] * weight);
        }
    }
}
