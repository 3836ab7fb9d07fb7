using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>Models that an attacker trains by the same recipe on random halves of rows that he holds, to see how a model speaks of rows that it was trained on.</summary>
internal sealed class ShadowModels
{
    private ShadowModels(double[][] confidences, bool[][] isIn) => (Confidences, IsIn) = (confidences, isIn);

    /// <summary>φ of each model for each row; see <see cref="LikelihoodRatio.Confidence(double)"/>.</summary>
    internal double[][] Confidences { get; }

    internal bool[][] IsIn { get; }

    /// <summary>Trains them; each row is in half of them.</summary>
    /// <param name="pool">The rows.</param>
    /// <param name="recipe">How; what is private is trained so, without a ledger.</param>
    /// <param name="models">How many; even, at least 2.</param>
    /// <param name="seed">Names the halves.</param>
    /// <param name="progress">Told after each.</param>
    /// <param name="cancel">Stops.</param>
    internal static ShadowModels Train(EncodedDataset pool, TrainingOptions recipe, int models, int seed, IProgress<double>? progress, CancellationToken cancel)
    {
        var (confidences, isIn) = (new double[models][], Enumerable.Range(0, models).Select(_ => new bool[pool.Rows]).ToArray());
        var random = new Random(seed);
        var order = Enumerable.Range(0, models).ToArray();
        for (var row = 0; row < pool.Rows; row++)
        {
            random.Shuffle(order);   // every row is in as many models as it is out of
            for (var i = 0; i < models / 2; i++)
                isIn[order[i]][row] = true;
        }

        var done = 0;
        Parallel.For(0, models, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel }, model =>
        {
            var network = RecipeRun.Train(Half(pool, isIn[model]), recipe, (ulong)(seed + model), cancel);
            confidences[model] = Confidence(network, pool);
            progress?.Report((double)Interlocked.Increment(ref done) / models);
        });
        return new(confidences, isIn);
    }

    /// <summary>φ from logits: the row's own class against the other.</summary>
    internal static double[] Confidence(DenseNetwork<float> network, EncodedDataset rows)
    {
        var logits = new float[rows.Rows];
        network.Forward(rows.Features, rows.Rows, logits);
        return [.. logits.Select((logit, row) => Kept(rows.Labels[row] == 1 ? logit : -logit))];
    }

    /// <summary>What a probability in single precision can tell: the same for shadows as for a model that is only asked.</summary>
    internal static double Kept(double confidence) => double.IsNaN(confidence) ? 0 : Math.Clamp(confidence, -16, 16);

    private static EncodedDataset Half(EncodedDataset pool, bool[] isIn)
    {
        var count = isIn.Count(true);
        var (features, labels) = (new float[(long)count * pool.Width], new int[count]);
        for (int row = 0, at = 0; row < pool.Rows; row++)
        {
            if (!isIn[row])
                continue;
            pool.Row(row).CopyTo(features.AsSpan(at * pool.Width));
            labels[at++] = pool.Labels[row];
        }

        return new EncodedDataset(features, pool.Width, labels, pool.Quantities, pool.Sources);
    }
}
