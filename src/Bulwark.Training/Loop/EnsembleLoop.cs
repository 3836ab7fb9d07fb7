using System.Diagnostics;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Several networks that differ in their initial weights and in the order of their batches, joined into one: the mean of their logits.</summary>
internal static class EnsembleLoop
{
    private const ulong SeedStride = 1_000_003;

    internal static TrainedNetwork Run(TrainingOptions options, EncodedDataset train, EncodedDataset? validation, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var (members, reports, steps) = (new List<DenseNetwork<float>>(), new List<EpochReport>(), 0L);
        for (var member = 0; member < options.Members; member++)
        {
            var own = options with { Members = 1, Seed = unchecked(options.Seed + ((ulong)member * SeedStride)) };
            var trained = new PlainLoop(Trainer.NewNetwork(train, own), own).Run(train, validation, started, progress is null ? null : new Part(progress, member, options.Members), cancel);
            members.Add(trained.Network);
            reports.AddRange(trained.Epochs);
            steps += trained.Steps;
        }

        return new(JointNetwork.MeanOf(members), null, reports, null, steps, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private sealed class Part(IProgress<TrainingProgress> all, int member, int members) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => all.Report(new((member + value.Fraction) / members, $"member {member + 1} of {members}, {value.Phase}"));
    }
}
