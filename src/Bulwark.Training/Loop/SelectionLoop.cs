using System.Diagnostics;
using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>Runs candidates and releases the best; see <see cref="SelectionOptions"/>. One reservation covers all, before the number of runs is drawn.</summary>
internal sealed class SelectionLoop(TrainingOptions options)
{
    private readonly SelectionOptions _selection = options.Selection!;

    /// <summary>The plan of each run, with the noise that keeps the whole selection within ε.</summary>
    internal static PrivatePlan Plan(TrainingOptions options) => PrivatePlan.Of(options, run => Booked(options.Selection!, run));

    /// <summary>What the selection costs when each run costs <paramref name="run"/>.</summary>
    internal static PrivacyEvent Booked(SelectionOptions selection, PrivacyEvent run) =>
        new RepeatAndSelectEvent(new ComposedEvent([run, new GaussianEvent(selection.ScoreNoise)]), selection.Mean, selection.Shape);

    internal TrainedNetwork Run(EncodedDataset train, PrivacyAccount account, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        progress?.Report(new TrainingProgress(0, "calibrating the noise"));
        var plan = Plan(options);
        var booked = Booked(_selection, plan.Event);
        var reservation = account.Ledger.Reserve(account.Dataset, booked, $"private selection of hyper-parameters, {_selection.Mean} runs expected");
        using var random = new SecureRandom();
        using var parts = new PrivateParts(Environment.ProcessorCount);
        reservation.Begin();
        var runs = new RunCount(_selection.Mean, _selection.Shape).Draw(random);
        (double Score, DenseNetwork<float>? Network, TrainingOptions Options) best = (double.NegativeInfinity, null, options);
        for (var run = 0; run < runs; run++)
        {
            var (candidate, step) = Candidate(random);
            var network = Trainer.NewNetwork(train, candidate);
            new PrivateLoop(network, candidate, parts, stepFactor: step).Descend(train, plan, parts, null, cancel);
            var score = parts.Noisy(Right(network, train), _selection.ScoreNoise);
            if (score > best.Score || best.Network is null)
                best = (score, network, candidate);
            progress?.Report(new TrainingProgress(0.5, "selecting"));   // not how many: that number is secret
        }

        reservation.Commit();
        var statement = PrivateLoop.Statement(best.Options, plan, best.Options.Private!.ClippingNorm!.Value, booked);
        return new TrainedNetwork(best.Network!, statement with
        {
            Notes = [.. statement.Notes, $"Hyper-parameters were chosen privately: a secret number of runs, {_selection.Mean} expected, is counted in epsilon."],
        }, [], null, plan.Steps, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private (TrainingOptions Options, double Step) Candidate(SecureRandom random)
    {
        var step = _selection.StepFactors[(int)(random.NextDouble() * _selection.StepFactors.Count)];
        var clipping = _selection.ClippingFactors[(int)(random.NextDouble() * _selection.ClippingFactors.Count)];
        return (options with { Private = options.Private! with { ClippingNorm = clipping * PrivateLoop.Norm(options) } }, step);
    }

    private static int Right(DenseNetwork<float> network, EncodedDataset train)
    {
        var scores = Trainer.Score(network, train);
        return Enumerable.Range(0, train.Rows).Count(row => scores[row] > 0.5f == (train.Labels[row] == 1));
    }
}
