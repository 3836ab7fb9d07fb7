using Bulwark.Assurance.Ownership;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>How a fingerprint is made.</summary>
public sealed record FingerprintOptions
{
    /// <summary>Rows to ask, those of many that the model is least sure of: a third from the data, a third mixed from two of them, a third from anywhere within the schema's bounds.</summary>
    public int Rows { get; init; } = 512;

    /// <summary>Reference models: up to eight explain what any model of the data answers, the others set the threshold.</summary>
    public int References { get; init; } = 20;

    /// <summary>The chance of calling an independent model derived.</summary>
    public double FalsePositiveRate { get; init; } = 0.001;

    /// <summary>Names the draws.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Rows is < 64 or > 100_000)
            yield return $"{nameof(Rows)} is {Rows}; it must lie between 64 and 100,000.";
        if (References < 8)
            yield return $"{nameof(References)} is {References}; it must be at least 8: half of them, or all but eight, set the threshold.";
        if (!(FalsePositiveRate is > 0 and < 0.5))
            yield return $"{nameof(FalsePositiveRate)} is {FalsePositiveRate}; it must lie between 0 and 0.5.";
    }
}

/// <summary>Makes fingerprints: trains reference models on the owner's data and keeps what they and the owner's model answer.</summary>
public static class FingerprintMaker
{
    private const int MostExplaining = 8;
    private const int Candidates = 16;
    private const double LeastDeviation = 0.02;

    /// <summary>Makes a fingerprint of a model.</summary>
    /// <param name="owner">The model; binary.</param>
    /// <param name="model">Digest of its file.</param>
    /// <param name="data">The data it was trained on, or others like them.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told after each reference model, 0 to 1.</param>
    /// <param name="cancel">Stops between reference models.</param>
    /// <exception cref="ArgumentException">The options have faults, the model is not binary, or the data have other features.</exception>
    public static ModelFingerprint Make(IScorer owner, string model, Dataset data, FingerprintOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToList();
        if (owner.Classes != 1 || owner.Width != data.Width)
            faults.Add($"A fingerprint is of a binary model on its own data; this one takes {owner.Width} features of {data.Width} and gives {owner.Classes} scores.");
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));

        var encoder = new FeatureEncoder(data.Schema);
        var encoded = data.Encode(encoder);
        var (raw, answers) = Undecided(owner, Rows(data, options, options.Rows * Candidates), options.Rows);
        var rows = encoder.Encode(raw);
        var logits = new List<double[]>();
        for (var reference = 0; reference < options.References; reference++)
        {
            cancel.ThrowIfCancellationRequested();
            logits.Add(Logits(References.Train(encoded, reference, options.Seed, cancel), rows));
            progress?.Report((reference + 1.0) / options.References);
        }

        return Judge(model, raw, [.. answers.Select(answer => Logit.Of(answer))], logits, options);
    }

    /// <summary>The threshold: what independent models score, and how far above them a further one would be with the chance that was asked for.</summary>
    /// <remarks>Scores are compared after Fisher's transformation, under which those of independent models are about normal.</remarks>
    private static ModelFingerprint Judge(string model, float[] raw, double[] owner, List<double[]> references, FingerprintOptions options)
    {
        var explaining = Math.Min(MostExplaining, references.Count / 2);
        var correlation = new PartialCorrelation(references.Take(explaining));
        var scores = references.Skip(explaining).Select(logits => Math.Atanh(correlation.Of(logits, owner))).ToList();
        var (centre, deviation) = (scores.Average(), Math.Max(LeastDeviation, Deviation(scores)));
        var bound = StudentT.UpperQuantile(options.FalsePositiveRate, scores.Count - 1) * deviation * Math.Sqrt(1 + (1.0 / scores.Count));
        return new ModelFingerprint
        {
            Format = ModelFingerprint.CurrentFormat,
            Model = model,
            Width = raw.Length / options.Rows,
            Rows = raw,
            Owner = owner,
            References = [.. references.Take(explaining)],
            IndependentMean = centre,
            IndependentDeviation = deviation,
            IndependentModels = scores.Count,
            FalsePositiveRate = options.FalsePositiveRate,
            Threshold = Math.Tanh(centre + bound),
        };
    }

    /// <summary>The rows of which the owner's model is least sure, with its answers: where it says 0.00 or 1.00 anyhow, an answer that is rounded says nothing.</summary>
    private static (float[] Rows, float[] Answers) Undecided(IScorer owner, float[] candidates, int wanted)
    {
        var all = new float[wanted * Candidates];
        owner.Score(candidates, all.Length, all);
        var kept = Enumerable.Range(0, all.Length).OrderBy(row => Math.Abs(Logit.Of(all[row]))).Take(wanted).Order().ToArray();
        return ([.. kept.SelectMany(row => candidates.AsSpan(row * owner.Width, owner.Width).ToArray())], [.. kept.Select(row => all[row])]);
    }

    private static float[] Rows(Dataset data, FingerprintOptions options, int count)
    {
        var random = new Random(unchecked((int)options.Seed));
        var rows = ModelEquality.MadeUpRows(data.Width, data.Schema, count);
        for (var row = 0; row < count; row++)
        {
            var one = data.Row(random.Next(data.Rows));
            var other = data.Row(random.Next(data.Rows));
            for (var column = 0; column < data.Width && row % 3 > 0; column++)
                rows[(row * data.Width) + column] = row % 3 == 1 || random.Next(2) == 0 ? one[column] : other[column];
        }

        return rows;
    }

    private static double[] Logits(DenseNetwork<float> network, float[] rows)
    {
        var logits = new float[rows.Length / network.Shape.Inputs];
        network.Forward(rows, logits.Length, logits);
        return [.. logits.Select(logit => Math.Clamp((double)logit, -13.8, 13.8))];
    }

    private static double Deviation(List<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }
}
