using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Moves the rows of a batch where they cost the network most, inside [0, 1] and the attacker's ball, over mutable values only.</summary>
/// <remarks>
/// Each moved row depends on that row and the network alone, its random start included: it is drawn from a hash of the row. A stream shared by the rows
/// would let one added row change every later one, and no clipping would bound that: differential privacy would be lost.
/// </remarks>
internal sealed class TrainingAttack
{
    private const float NoiseOverEpsilon = 2;       // of N-FGSM, as its authors chose it
    private const float DivergenceStart = 0.001f;   // TRADES starts beside the row, where the divergence has no slope
    private readonly DenseNetwork<float> _network;
    private readonly ulong _seed;
    private readonly float[]? _mask;
    private readonly double[] _costs;
    private readonly WholeSteps? _whole;
    private readonly WorstPoints? _worst;
    private NetworkGradients<float>? _gradients;
    private float[] _slopes = [];
    private float[] _moved = [];
    private float[] _clean = [];
    private float[] _divergence = [];
    private float[] _losses = [];
    private ulong _round;

    internal TrainingAttack(RobustOptions options, DenseNetwork<float> network, ulong seed)
    {
        (Options, _network, _seed) = (options, network, seed);
        _costs = [.. options.Costs];
        if (options.Units.Any(unit => unit > 0))
            (_whole, _worst) = (new(options.Units, options.Epsilon), new(network.Shape.Inputs));
        if (options.Mutable.Count > 0 || options.Norm == RobustNorm.Cost)
            _mask = [.. Enumerable.Range(0, network.Shape.Inputs).Select(i => (options.Mutable.Count == 0 || options.Mutable[i]) && (_costs.Length == 0 || double.IsFinite(_costs[i])) ? 1f : 0f)];
    }

    internal RobustOptions Options { get; }

    /// <summary>The moved rows; valid until the next call. Each row depends on itself and the network only.</summary>
    internal ReadOnlySpan<float> Move(Batch batch)
    {
        var inputs = batch.Inputs;
        Prepare(batch);
        var moved = _moved.AsSpan(0, inputs.Length);
        inputs.CopyTo(moved);
        Start(batch, moved);
        var (steps, step, radius) = Way();
        _worst?.Forget();
        _gradients!.ParametersAreFixed = true;
        if (Options.Method == RobustMethod.Trades)
            _gradients.Forward(inputs, batch.Rows).CopyTo(_clean);
        for (var k = 0; k < steps; k++)
        {
            Slopes(batch, moved);
            _worst?.Keep(moved, _losses.AsSpan(0, batch.Rows));
            Ascend(batch, moved, step, radius);
        }

        if (_worst is not null)
        {
            Slopes(batch, moved);
            _worst.Keep(moved, _losses.AsSpan(0, batch.Rows));
            _worst.Take(moved);
        }

        _gradients.ParametersAreFixed = false;
        return moved;
    }

    /// <summary>One step of a row's slopes: what <see cref="RobustMethod.Free"/> does to its standing perturbation.</summary>
    internal void Ascend(Batch batch, Span<float> moved, ReadOnlySpan<float> slopes)
    {
        Prepare(batch);
        slopes.CopyTo(_slopes);
        Ascend(batch, moved, (float)(Options.StepSize ?? Options.Epsilon), (float)Options.Epsilon);
    }

    /// <summary>Another start in each round: the caller's steps count the rounds, which are public.</summary>
    internal void NextRound() => _round++;

    private void Prepare(Batch batch)
    {
        if (_gradients is not null && _gradients.MaxRows >= batch.Rows)
            return;
        (_gradients, _slopes, _moved) = (new(_network, batch.Labels.Length), new float[batch.Features.Length], new float[batch.Features.Length]);
        var logits = batch.Labels.Length * _network.Shape.Outputs;
        (_clean, _divergence, _losses) = (new float[logits], new float[logits], new float[batch.Labels.Length]);
    }

    private (int Steps, float Step, float Radius) Way()
    {
        var epsilon = (float)Options.Epsilon;
        return Options.Method switch
        {
            RobustMethod.RandomStartFgsm => (1, (float)(Options.StepSize ?? 1.25 * epsilon), epsilon),
            RobustMethod.NoisyFgsm => (1, (float)(Options.StepSize ?? epsilon), float.PositiveInfinity),
            _ => (Options.Steps, (float)(Options.StepSize ?? 1.25 * epsilon / Options.Steps), epsilon),
        };
    }

    private void Slopes(Batch batch, ReadOnlySpan<float> moved)
    {
        var slopes = _slopes.AsSpan(0, moved.Length);
        var losses = _worst is null ? [] : _losses.AsSpan(0, batch.Rows);
        var outputs = _network.Shape.Outputs;
        if (Options.Method != RobustMethod.Trades)
        {
            _gradients!.InputGradient(moved, batch.Classes, LossFunction.LogLoss(outputs), slopes, losses);
            return;
        }

        var divergence = _divergence.AsSpan(0, batch.Rows * outputs);
        RobustLoss.Divergence(_clean.AsSpan(0, divergence.Length), _gradients!.Forward(moved, batch.Rows), outputs, losses, divergence);
        _gradients.BackwardToInputs(divergence, slopes);
    }

    private void Ascend(Batch batch, Span<float> moved, float step, float radius)
    {
        var width = _network.Shape.Inputs;
        for (var row = 0; row < batch.Rows; row++)
        {
            if (!Attacks(batch.Labels[row]))
                continue;
            var centre = batch.Inputs.Slice(row * width, width);
            var point = moved.Slice(row * width, width);
            var slopes = _slopes.AsSpan(row * width, width);
            if (_mask is not null)
                TensorPrimitives.Multiply(slopes, _mask, slopes);
            if (Options.Norm == RobustNorm.LargestChange)
                AttackStep.Sign(point, slopes, centre, step, radius);
            else if (_whole is not null)
                _whole.Ascend(point, slopes, centre, step, radius);
            else if (Options.Norm == RobustNorm.Length)
                AttackStep.Length(point, slopes, centre, step, radius);
            else
                AttackStep.Cost(point, slopes, centre, _costs, step, radius);
        }
    }

    private void Start(Batch batch, Span<float> moved)
    {
        var width = _network.Shape.Inputs;
        var epsilon = (float)Options.Epsilon;
        for (var row = 0; row < batch.Rows; row++)
        {
            if (!Attacks(batch.Labels[row]))
                continue;
            var centre = batch.Inputs.Slice(row * width, width);
            var point = moved.Slice(row * width, width);
            var reach = Options.Method switch
            {
                RobustMethod.Trades => DivergenceStart,
                RobustMethod.NoisyFgsm => NoiseOverEpsilon * epsilon,
                _ => Options.Norm == RobustNorm.LargestChange ? epsilon : epsilon / MathF.Sqrt(width),
            };
            RowNoise.Add(point, reach, RowNoise.Hash(centre, _seed, _round));
            if (_mask is not null)
                KeepUnmasked(point, centre);
            _whole?.Settle(point, centre);
            if (Options.Norm == RobustNorm.Length)
                AttackStep.BackToLength(point, centre, epsilon);
            else if (Options.Norm == RobustNorm.Cost)
                AttackStep.BackToCost(point, centre, _costs, epsilon);
            else
                TensorPrimitives.Clamp<float>(point, 0, 1, point);
        }
    }

    private void KeepUnmasked(Span<float> point, ReadOnlySpan<float> centre)
    {
        for (var i = 0; i < point.Length; i++)
            point[i] = _mask![i] == 0 ? centre[i] : point[i];
    }

    private bool Attacks(int label) => !Options.OnlyPositives || label == 1;
}
