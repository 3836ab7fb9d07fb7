using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Copies the model by asking it, fools the copies, and tries on the model what fooled them.</summary>
/// <remarks>
/// Sources: Papernot et al., "Practical Black-Box Attacks against Machine Learning", ASIA CCS 2017 (arXiv:1602.02697), for the questions: rows, then points around them and points moved
/// along a copy's slope, in turn; Dong et al., "Boosting Adversarial Attacks with Momentum", CVPR 2018 (arXiv:1710.06081), for the steps on three copies at once. What does not fool the model
/// so is climbed once more on the copies by APGD. Learns from the rows that it is given, so it alone depends on the shard.
/// </remarks>
internal static class ExtractedTransfer
{
    private const int Rounds = 7;
    private const int PoolRows = 1000;
    private const int Steps = 20;
    private static readonly int[][] s_shapes = [[64, 32], [128], [48, 48]];

    internal static SuiteTrial Run(SuiteTask task)
    {
        var rows = task.Labels.Length;
        var asked = Extract(task, out var questions);
        var copies = new MeanLogits([.. s_shapes.Select((hidden, k) => Student.Train(asked.Points, asked.Answers, task.Target.Inputs, task.Target.Classes, hidden, task.Options.Seed + (ulong)k))]);
        var sent = task.Target.Send(Momentum(copies, task), task.Rows);
        var fooled = SuiteRun.Judge(task, sent);
        var again = new float[task.Points.Length];
        new AutoProjectedGradientDescent { Norm = task.Reach.Norm, Epsilon = task.Reach.Epsilon, Steps = int.Min(task.Options.Steps, 50), Loss = Loss.Margin, Seed = task.Options.Seed }
            .Run(copies, task.Points, task.Labels, [], task.Target.Mutable, again);
        var second = task.Target.Send(again, task.Rows);
        var width = task.Target.Width;
        for (var row = 0; row < rows; row++)
        {
            if (!fooled[row])
                second.AsSpan(row * width, width).CopyTo(sent.AsSpan(row * width));
        }

        return new(sent, [.. Enumerable.Repeat(questions + 2, rows)]);
    }

    /// <summary>Questions about the rows, about rows that the attacker holds, and around both; no more a row than the task allows.</summary>
    private static (float[] Points, float[] Answers) Extract(SuiteTask task, out int questions)
    {
        var (inputs, classes, rows) = (task.Target.Inputs, task.Target.Classes, task.Labels.Length);
        List<float> points = [], answers = [];
        void Ask(float[] batch, float[] originals)
        {
            var sent = task.Target.Send(batch, originals);
            var scores = new float[batch.Length / inputs * classes];
            task.Target.Score(sent, batch.Length / inputs, scores);
            points.AddRange(task.Target.Points(sent));
            for (var at = 0; at < scores.Length; at += classes)
                answers.AddRange(Probabilities(scores.AsSpan(at, classes)));
        }

        Ask([.. task.Points], task.Rows);
        var budget = int.Clamp(task.Options.Queries - 3, 0, Rounds);
        questions = 1 + budget;
        if (budget > 2 && task.Target is TabularTarget { Donors: var donors } && donors.Negative.Length + donors.Positive.Length > 0)
        {
            float[] pool = [.. donors.Negative, .. donors.Positive];
            var (width, all) = (task.Target.Width, pool.Length / task.Target.Width);
            var most = int.Min(int.Min(PoolRows, all), rows * (budget - 2));
            pool = AttackSuite.Pick(pool, width, [.. Enumerable.Range(0, most).Select(i => (int)((long)i * all / most))]);
            Ask(task.Target.Points(pool), pool);
            budget -= (most + rows - 1) / rows;
        }

        for (var round = 0; round < budget; round++)
        {
            float[] moved = [.. task.Points];
            var ball = new PerturbationBall<float>(task.Reach.Norm, (float)task.Reach.Epsilon, task.Target.Mutable);
            if (round % 2 == 0)
                RandomStarts.Scatter(ball, task.Points, moved, inputs, task.Options.Seed + (ulong)round);
            else
                FastGradientSign.Run(Student.Train([.. points], [.. answers], inputs, classes, s_shapes[0], task.Options.Seed), task.Points, task.Labels, (float)task.Reach.Epsilon, task.Target.Mutable, moved);
            for (var row = 0; row < rows; row++)
                ball.Project(task.Points.AsSpan(row * inputs, inputs), moved.AsSpan(row * inputs, inputs));
            Ask(moved, task.Rows);
        }

        return ([.. points], [.. answers]);
    }

    /// <summary>Scores as they are where they are probabilities, else their softmax.</summary>
    private static float[] Probabilities(ReadOnlySpan<float> scores)
    {
        float[] own = scores.ToArray();
        if (own.Any(float.IsNaN))
            return [.. own.Select(_ => 1f / own.Length)];
        if (own.All(score => score is >= 0 and <= 1) && Math.Abs(own.Sum() - 1) < 1e-4)
            return own;
        Student.ToProbabilities(own);
        return own;
    }

    private static float[] Momentum(MeanLogits copies, SuiteTask task)
    {
        var (inputs, rows) = (task.Target.Inputs, task.Labels.Length);
        var ball = new PerturbationBall<float>(task.Reach.Norm, (float)task.Reach.Epsilon, task.Target.Mutable);
        float[] points = [.. task.Points];
        var step = (float)(2.5 * task.Reach.Epsilon / Steps);
        for (var at = 0; at < rows; at += copies.MaxRows)
        {
            var count = int.Min(copies.MaxRows, rows - at);
            var batch = points.AsSpan(at * inputs, count * inputs);
            var (momentum, gradient, slopes, losses) = (new float[batch.Length], new float[batch.Length], new float[count * copies.Outputs], new float[count]);
            for (var k = 0; k < Steps; k++)
            {
                LossFunction.Evaluate(Loss.SoftmaxCrossEntropy, copies.Forward(batch, count), task.Labels.AsSpan(at, count), copies.Outputs, losses, slopes);
                copies.Backward(slopes, gradient);
                for (var row = 0; row < count; row++)
                    Move(gradient.AsSpan(row * inputs, inputs), momentum.AsSpan(row * inputs, inputs), batch.Slice(row * inputs, inputs), task, ball, task.Points.AsSpan((at + row) * inputs, inputs), step);
            }
        }

        return points;
    }

    private static void Move(ReadOnlySpan<float> gradient, Span<float> momentum, Span<float> point, SuiteTask task, PerturbationBall<float> ball, ReadOnlySpan<float> original, float step)
    {
        var (sum, length) = (0f, 0.0);
        foreach (var slope in gradient)
            sum += float.Abs(slope);
        for (var j = 0; j < gradient.Length; j++)
        {
            momentum[j] += sum == 0 ? 0 : gradient[j] / sum;
            length += ball.MayMove(j) ? momentum[j] * momentum[j] : 0;
        }

        var scale = length == 0 ? 0 : (float)(step / Math.Sqrt(length));
        for (var j = 0; j < point.Length; j++)
        {
            if (ball.MayMove(j))
                point[j] += task.Reach.Norm == PerturbationNorm.Linf ? step * Math.Sign(momentum[j]) : momentum[j] * scale;
        }

        ball.Project(original, point);
    }
}

/// <summary>Several networks of the same inputs and outputs as one: the mean of their logits.</summary>
internal sealed class MeanLogits(IReadOnlyList<DenseNetwork<float>> networks) : IDifferentiableModel<float>
{
    private readonly DifferentiableNetwork<float>[] _parts = [.. networks.Select(network => new DifferentiableNetwork<float>(network))];
    private float[] _logits = [];
    private float[] _part = [];

    public int Inputs => _parts[0].Inputs;

    public int Outputs => _parts[0].Outputs;

    public int MaxRows => _parts[0].MaxRows;

    public ReadOnlySpan<float> Forward(ReadOnlySpan<float> points, int rows)
    {
        if (_logits.Length < rows * Outputs)
            _logits = new float[rows * Outputs];
        var logits = _logits.AsSpan(0, rows * Outputs);
        logits.Clear();
        foreach (var part in _parts)
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(part.Forward(points, rows), 1f / _parts.Length, logits, logits);
        return logits;
    }

    public void Backward(ReadOnlySpan<float> outputGradient, Span<float> inputGradient)
    {
        if (_part.Length < inputGradient.Length)
            _part = new float[inputGradient.Length];
        inputGradient.Clear();
        foreach (var part in _parts)
        {
            var own = _part.AsSpan(0, inputGradient.Length);
            part.Backward(outputGradient, own);
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(own, 1f / _parts.Length, inputGradient, inputGradient);
        }
    }
}
