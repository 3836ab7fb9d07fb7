using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>What an epoch is chosen by, and what the guard of one-step methods watches.</summary>
internal sealed class ValidationScore(DenseNetwork<float> network, TrainingOptions options, EncodedDataset rows)
{
    private const int Slice = 512;
    private const int MostAttacked = 1000;
    private const int GuardRows = 512;
    private const int JudgeSteps = 10;

    /// <summary>Of a plain run PR-AUC, with more classes accuracy; of a robust run the mean of PR-AUC on clean and on moved rows, with more classes the accuracy on moved rows.</summary>
    internal EpochScore Judge(TrainingAttack? attack)
    {
        if (network.Shape.Outputs == 1)
        {
            var clean = Evaluation.AveragePrecision(Trainer.Score(network, rows), rows.Labels);
            return attack is null ? new(clean, clean, null) : new(clean, (clean + Evaluation.AveragePrecision(MovedScores(attack), rows.Labels)) / 2, null);
        }

        if (attack is null)
            return new(double.NaN, Right(null, rows.Rows), null);
        var robust = Right(Strong(attack.Options), Math.Min(rows.Rows, MostAttacked));
        return new(double.NaN, robust, robust);
    }

    /// <summary>Accuracy on moved rows, of an attacker with small steps.</summary>
    internal double Guarded(RobustOptions robust) => Right(Strong(robust), Math.Min(rows.Rows, GuardRows));

    private TrainingAttack Strong(RobustOptions robust) =>
        new(robust with { Method = RobustMethod.ProjectedGradient, Steps = JudgeSteps, StepSize = 2.5 * robust.Epsilon / JudgeSteps }, network, options.Seed);

    private double Right(TrainingAttack? attack, int count)
    {
        var (batch, right, outputs) = (new Batch(Slice, rows.Width), 0, network.Shape.Outputs);
        var logits = new float[Slice * outputs];
        for (var row = 0; row < count; row += Slice)
        {
            batch.Load(rows, Enumerable.Range(row, Math.Min(Slice, count - row)).ToArray());
            network.Forward(attack is null ? batch.Inputs : attack.Move(batch), batch.Rows, logits.AsSpan(0, batch.Rows * outputs));
            for (var i = 0; i < batch.Rows; i++)
                right += LossFunction.Predict<float>(logits.AsSpan(i * outputs, outputs)) == batch.Labels[i] ? 1 : 0;
        }

        return (double)right / count;
    }

    private float[] MovedScores(TrainingAttack attack)
    {
        var (batch, scores) = (new Batch(Slice, rows.Width), new float[rows.Rows]);
        for (var row = 0; row < rows.Rows; row += Slice)
        {
            batch.Load(rows, Enumerable.Range(row, Math.Min(Slice, rows.Rows - row)).ToArray());
            network.Forward(attack.Move(batch), batch.Rows, scores.AsSpan(row, batch.Rows));
        }

        TensorPrimitives.Sigmoid(scores, scores);
        return scores;
    }
}

/// <summary>What validation said of an epoch.</summary>
/// <param name="PrAuc">Average precision on clean rows; NaN with more than two classes.</param>
/// <param name="Choice">What the best epoch has most of.</param>
/// <param name="RobustAccuracy">Accuracy on moved rows; null where it was not measured.</param>
internal readonly record struct EpochScore(double PrAuc, double Choice, double? RobustAccuracy);
