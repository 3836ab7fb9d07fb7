using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance.Audit;

/// <summary>White-box checks of the parts that a guarantee rests on, one at a time: sampling, clipping, noise. What each must do is exact, so each is asked directly.</summary>
internal sealed class PartProbes(TrainingOptions options, PrivatePlan plan, Func<PrivateParts> parts)
{
    /// <summary>Standard errors that chance does not reach: less than one in a million.</summary>
    private const double Beyond = 5.5;

    internal IEnumerable<AuditCheck> Run(EncodedDataset rows)
    {
        yield return Sampling();
        yield return Sensitivity(rows);
        foreach (var check in Noise())
            yield return check;
    }

    /// <summary>Sizes must spread as independent coins do, and two batches must share as many rows as chance gives them.</summary>
    private AuditCheck Sampling()
    {
        const int Rows = 400;
        const int Batches = 400;
        var q = plan.Batches.Probability;
        using var own = parts();
        var (sizes, shared, batch, before) = (new double[Batches], 0.0, new List<int>(), new HashSet<int>());
        for (var i = 0; i < Batches; i++)
        {
            own.Draw(plan.Batches, Rows, batch);
            if (batch.Any(row => row < 0 || row >= Rows) || batch.Distinct().Count() != batch.Count)
                return new("sampling", false, "a batch holds a row twice, or one that does not exist");
            sizes[i] = batch.Count;
            shared += i == 0 ? 0 : batch.Count(before.Contains);
            before = [.. batch];
        }

        var nobody = Math.Pow(1 - q, Rows);
        var empty = (sizes.Count(size => size == 0) - (Batches * nobody)) / Math.Sqrt(Math.Max(1, Batches * nobody * (1 - nobody)));
        if (q >= 1)
            return new("sampling", sizes.All(size => size == Rows), $"every batch holds every row: {sizes.All(size => size == Rows)}");
        var variance = Rows * q * (1 - q);
        var mean = (sizes.Average() - (Rows * q)) / Math.Sqrt(variance / Batches);
        var spread = ((sizes.Sum(size => Math.Pow(size - (Rows * q), 2)) / variance) - Batches) / Math.Sqrt(Batches * (2 + (1 / variance)));
        var overlap = ((shared / (Batches - 1)) - (Rows * q * q)) / Math.Sqrt(Rows * q * q * (1 - (q * q)) * (1 + (4 * q)) / (Batches - 1));
        var holds = Math.Abs(mean) < Beyond && Math.Abs(spread) < Beyond && Math.Abs(overlap) < Beyond && Math.Abs(empty) < Beyond;
        return new("sampling", holds, FormattableString.Invariant($"batch sizes off by {mean:f1} standard errors in mean, {spread:f1} in spread, shared rows by {overlap:f1}, empty ones by {empty:f1}"));
    }

    /// <summary>One more row may move a sum by the clipping norm and no more, whatever the row is.</summary>
    private AuditCheck Sensitivity(EncodedDataset rows)
    {
        var clipping = options.Private!.ClippingNorm ?? (options.Hidden.Count == 0 ? 1 : 5);
        var network = DenseNetwork<float>.Create(new NetworkShape(rows.Width, options.Hidden, 1), 7);
        var count = Math.Min(48, rows.Rows);
        var (features, labels) = (new float[(count + 1) * rows.Width], new int[count + 1]);
        rows.Features.AsSpan(0, count * rows.Width).CopyTo(features);
        rows.Labels.AsSpan(0, count).CopyTo(labels);
        var last = features.AsMemory(count * rows.Width);
        var set = new EncodedDataset(features, rows.Width, labels, rows.Quantities);
        using var own = parts();
        var (worst, at) = (0.0, "");
        foreach (var (name, value) in new (string, float)[] { ("ordinary", 0.5f), ("ten", 10), ("a thousand", 1e3f), ("a million", 1e6f), ("infinite", float.PositiveInfinity), ("not a number", float.NaN) })
        {
            for (var label = 0; label < 2; label++)
            {
                last.Span.Fill(value);
                labels[count] = label;
                var moved = Moved(own, network, set, count, (float)clipping);
                if (!(moved <= worst))
                    (worst, at) = (moved, name);
            }
        }

        return new("sensitivity", worst <= clipping * 1.001, FormattableString.Invariant($"one row moves a sum by at most {worst:g4} (a row of values that are {at}); the norm is {clipping:g4}"));
    }

    private double Moved(PrivateParts own, DenseNetwork<float> network, EncodedDataset set, int others, float clipping)
    {
        var gradients = new ClippedGradients(network, options with { Robust = null }, options.Robust is null ? InputCentre.Of(set) : null, 1, RowBlocks.Draw(set.Rows, set.Rows));
        int[] all = [.. Enumerable.Range(0, others + 1)];
        var (without, with) = (new double[network.Parameters.Length], new double[network.Parameters.Length]);
        own.AddClipped(gradients, set, all.AsSpan(0, others), clipping, without);
        own.AddClipped(gradients, set, all, clipping, with);
        double square = 0;
        for (var i = 0; i < with.Length; i++)
            square += Math.Pow(with[i] - without[i], 2);
        return double.IsNaN(square) ? double.PositiveInfinity : Math.Sqrt(square);
    }

    private IEnumerable<AuditCheck> Noise()
    {
        const int Values = 60_000;
        const double Deviation = 3;
        var (first, second, restarted) = (new double[Values], new double[Values], new double[Values]);
        using (var own = parts())
        {
            own.AddNoise(first, Deviation);
            own.AddNoise(second, Deviation);
        }

        using (var own = parts())
            own.AddNoise(restarted, Deviation);
        var square = first.Average(value => value * value);
        var off = ((square / (Deviation * Deviation)) - 1) * Math.Sqrt(Values / 2.0);
        var tails = first.Average(value => Math.Pow(value, 4)) / (square * square);
        yield return new("noise", Math.Abs(off) < Beyond && Math.Abs(tails - 3) < Beyond * Math.Sqrt(24.0 / Values), FormattableString.Invariant($"standard deviation {Math.Sqrt(square):g5} of {Deviation}, fourth moment {tails:f3} of 3"));
        (string, double)[] pairs =
        [
            ("two steps", Correlation(first, second)), ("a run and its restart", Correlation(first, restarted)),
            ("neighbouring values", Correlation(first.AsSpan(1), first.AsSpan(0, Values - 1))),
        ];
        var (name, worst) = pairs.MaxBy(pair => Math.Abs(pair.Item2));
        yield return new("fresh noise", Math.Abs(worst) < Beyond / Math.Sqrt(Values), FormattableString.Invariant($"largest correlation {worst:f4}, of {name}"));
    }

    private static double Correlation(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double product = 0, squareA = 0, squareB = 0;
        for (var i = 0; i < a.Length; i++)
        {
            product += a[i] * b[i];
            squareA += a[i] * a[i];
            squareB += b[i] * b[i];
        }

        return product / Math.Sqrt(squareA * squareB);
    }
}
