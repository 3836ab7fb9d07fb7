using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>What an attribute inference came to.</summary>
/// <param name="Feature">The feature that was guessed.</param>
/// <param name="Values">How many values there were to choose from; numbers are guessed as one of eight equal parts of their range.</param>
/// <param name="Members">Training rows guessed, and how many rightly with the model.</param>
/// <param name="Others">Rows that were not trained on, and how many rightly with the model.</param>
/// <param name="Imputed">Training rows guessed rightly without the model, from the other features, the label and public rows.</param>
/// <param name="Commonest">Training rows guessed rightly by always saying the commonest value of public rows.</param>
/// <param name="GainOverImputation">Share that the model adds on training rows; what is at most 0 is no leak through the model.</param>
/// <param name="GapToOthers">Share right on training rows less that on others: what the model remembers of its own rows.</param>
/// <param name="GapLower">Lower end of the gap, from the ends of two 95 % Clopper-Pearson intervals.</param>
public sealed record AttributeReport(
    string Feature, int Values, GuessCount Members, GuessCount Others, GuessCount Imputed, GuessCount Commonest, double GainOverImputation, double GapToOthers, double GapLower);

/// <summary>Guesses and how many were right.</summary>
/// <param name="Right">Right ones.</param>
/// <param name="Of">All.</param>
public sealed record GuessCount(int Right, int Of)
{
    /// <summary>Share of right ones.</summary>
    public double Share => Of == 0 ? 0 : (double)Right / Of;
}

/// <summary>Guesses one feature of a row from the others, the label and the model's answers, beside guesses without the model.</summary>
/// <remarks>
/// Sources: Fredrikson et al., USENIX Security 2014 (the guess: prior times the chance of the label); Yeom et al., CSF 2018 (the gap between members and others);
/// Jayaraman and Evans, CCS 2022 (arXiv:2209.01292: imputation is the baseline, or what anyone could infer is taken for a leak). The imputation is naive Bayes over the
/// public rows' other features and label.
/// </remarks>
public static class AttributeInference
{
    private const int Parts = 8;
    private const int BatchRows = 1024;

    /// <summary>Runs the attack.</summary>
    /// <param name="scorer">The model; one probability a row.</param>
    /// <param name="members">Rows that it was trained on.</param>
    /// <param name="others">Rows that it was not: one half is public knowledge, the other is guessed.</param>
    /// <param name="feature">Index of the feature.</param>
    /// <exception cref="ArgumentException">The rows do not fit, or the feature has one value only.</exception>
    public static AttributeReport Run(IScorer scorer, Dataset members, Dataset others, int feature)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(others);
        if (scorer.Classes != 1 || scorer.Width != members.Width || others.Width != members.Width)
            throw new ArgumentException("The model must be binary and take rows of the data's width.", nameof(scorer));
        if (others.Rows < 4)
            throw new ArgumentException("Too few rows that were not trained on.", nameof(others));
        var values = new Parted(members.Schema);
        if (values.Count(feature) < 2)
            throw new ArgumentException($"There is nothing to guess of {members.Schema.Features[feature].Name}.", nameof(feature));
        int[] known = [.. Enumerable.Range(0, others.Rows).Where(row => row % 2 == 0)];
        int[] hidden = [.. Enumerable.Range(0, others.Rows).Where(row => row % 2 == 1)];
        var imputation = new Imputation(values, others, known, feature);

        var (own, alone, commonest) = Guess(scorer, members, [.. Enumerable.Range(0, members.Rows)], feature, values, imputation);
        var (strangers, _, _) = Guess(scorer, others, hidden, feature, values, imputation);
        var gap = ClopperPearson.Interval(own.Right, own.Of).Lower - ClopperPearson.Interval(strangers.Right, strangers.Of).Upper;
        return new(members.Schema.Features[feature].Name, values.Count(feature), own, strangers, alone, commonest, own.Share - alone.Share, own.Share - strangers.Share, gap);
    }

    private static (GuessCount Model, GuessCount Imputed, GuessCount Commonest) Guess(IScorer scorer, Dataset data, int[] rows, int feature, Parted values, Imputation imputation)
    {
        var (right, imputed, common, guessed) = (0, 0, 0, 0);
        var count = values.Count(feature);
        var (raw, scores) = (new float[BatchRows * count * data.Width], new float[BatchRows * count]);
        for (var at = 0; at < rows.Length; at += BatchRows)
        {
            var batch = rows.AsSpan(at, Math.Min(BatchRows, rows.Length - at));
            for (var i = 0; i < batch.Length; i++)
            {
                for (var value = 0; value < count; value++)
                {
                    var place = raw.AsSpan(((i * count) + value) * data.Width, data.Width);
                    data.Row(batch[i]).CopyTo(place);
                    place[feature] = values.Raw(feature, value);
                }
            }

            scorer.Score(raw.AsSpan(0, batch.Length * count * data.Width), batch.Length * count, scores.AsSpan(0, batch.Length * count));
            for (var i = 0; i < batch.Length; i++)
            {
                var row = data.Row(batch[i]);
                var label = data.Labels[batch[i]];
                var truth = values.Of(feature, row[feature]);
                if (truth < 0)
                    continue;
                guessed++;
                var prior = imputation.LogChances(row, label);
                var joint = prior.Select((chance, value) => chance + Math.Log(Math.Max(label == 1 ? scores[(i * count) + value] : 1 - (double)scores[(i * count) + value], 1e-12))).ToArray();
                right += Best(joint) == truth ? 1 : 0;
                imputed += Best(prior) == truth ? 1 : 0;
                common += imputation.Commonest == truth ? 1 : 0;
            }
        }

        return (new(right, guessed), new(imputed, guessed), new(common, guessed));
    }

    private static int Best(double[] values) => Array.IndexOf(values, values.Max());

    /// <summary>Features as a few values each.</summary>
    private sealed class Parted(FeatureSchema schema)
    {
        internal int Features => schema.Features.Count;

        internal int Count(int feature) => schema.Features[feature] switch
        {
            { Kind: FeatureKind.Categorical } one => one.Categories.Count,
            { Kind: FeatureKind.Binary } => 2,
            _ => Parts,
        };

        /// <summary>-1 where it is missing or unknown.</summary>
        internal int Of(int feature, float raw) => !float.IsFinite(raw) ? -1 : schema.Features[feature] switch
        {
            { Kind: FeatureKind.Categorical } one => raw >= 0 && raw < one.Categories.Count ? (int)raw : -1,
            { Kind: FeatureKind.Binary } => raw > 0.5f ? 1 : 0,
            var number => Math.Clamp((int)((raw - number.Minimum!.Value) / (number.Maximum!.Value - number.Minimum.Value) * Parts), 0, Parts - 1),
        };

        internal float Raw(int feature, int value) => schema.Features[feature] switch
        {
            { Kind: FeatureKind.Categorical or FeatureKind.Binary } => value,
            var number => (float)(number.Minimum!.Value + ((number.Maximum!.Value - number.Minimum.Value) * (value + 0.5) / Parts)),
        };
    }

    /// <summary>Naive Bayes: what anyone with public rows would guess.</summary>
    private sealed class Imputation
    {
        private readonly Parted _values;
        private readonly int _feature;
        private readonly double[] _prior;
        private readonly double[][][] _given;   // feature, its value, the guessed value
        private readonly double[][] _label;

        internal Imputation(Parted values, Dataset data, int[] rows, int feature)
        {
            (_values, _feature) = (values, feature);
            var count = values.Count(feature);
            var prior = new double[count];
            _given = [.. Enumerable.Range(0, values.Features).Select(other => Enumerable.Range(0, values.Count(other)).Select(_ => new double[count]).ToArray())];
            _label = [new double[count], new double[count]];
            foreach (var row in rows)
            {
                var cells = data.Row(row);
                if (values.Of(feature, cells[feature]) is not (>= 0 and var value))
                    continue;
                prior[value]++;
                _label[data.Labels[row]][value]++;
                for (var other = 0; other < values.Features; other++)
                {
                    if (other != feature && values.Of(other, cells[other]) is >= 0 and var cell)
                        _given[other][cell][value]++;
                }
            }

            Commonest = Best(prior);
            _prior = [.. prior.Select(number => Math.Log(number + 1))];
            Normalise(_label, prior);
            foreach (var table in _given)
                Normalise(table, prior);
        }

        internal int Commonest { get; }

        internal double[] LogChances(ReadOnlySpan<float> row, int label)
        {
            var chances = _prior.ToArray();
            Add(chances, _label[label]);
            for (var other = 0; other < _values.Features; other++)
            {
                if (other != _feature && _values.Of(other, row[other]) is >= 0 and var cell)
                    Add(chances, _given[other][cell]);
            }

            return chances;
        }

        private static void Add(double[] chances, double[] more)
        {
            for (var i = 0; i < chances.Length; i++)
                chances[i] += more[i];
        }

        private static void Normalise(double[][] table, double[] prior)
        {
            foreach (var row in table)
            {
                for (var value = 0; value < row.Length; value++)
                    row[value] = Math.Log((row[value] + 1) / (prior[value] + table.Length));
            }
        }
    }
}
