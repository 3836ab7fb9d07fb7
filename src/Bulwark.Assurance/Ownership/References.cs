using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance.Ownership;

/// <summary>Models that others could have made of the same data: other seeds, other widths, other rows drawn with replacement, a third of them robust.</summary>
internal static class References
{
    private static readonly int[][] s_hidden = [[64, 32], [32], [128, 64], [48, 24]];

    internal static DenseNetwork<float> Train(EncodedDataset data, int reference, ulong seed, CancellationToken cancel)
    {
        var own = (seed * 1_000_003) + (ulong)reference + 1;
        var options = new TrainingOptions
        {
            Hidden = s_hidden[reference % s_hidden.Length],
            Seed = own,
            Epochs = 10,
            KeepBest = false,
            Robust = reference % 3 == 2 ? new RobustOptions() : null,
        };
        return Trainer.Train(Resampled(data, own), null, options, cancel: cancel).Network;
    }

    private static EncodedDataset Resampled(EncodedDataset data, ulong seed)
    {
        var random = new Random(unchecked((int)seed));
        var rows = Enumerable.Range(0, data.Rows).Select(_ => random.Next(data.Rows)).ToArray();
        var batch = new Batch(rows.Length, data.Width);
        batch.Load(data, rows);
        return new EncodedDataset(batch.Features, data.Width, batch.Labels, data.Quantities, data.Sources);
    }
}
