namespace Bulwark.Assurance;

/// <summary>Copies a model by asking it, and measures how well against the number of questions and against how much an answer says.</summary>
/// <remarks>
/// Sources: Tramèr et al., "Stealing Machine Learning Models via Prediction APIs", USENIX Security 2016; Jagielski et al., "High Accuracy and High Fidelity Extraction",
/// USENIX Security 2020, section 3 (fidelity); strategies in <see cref="QueryStrategy"/>. What asks without regard to answers asks once for all views.
/// </remarks>
internal static class ModelExtraction
{
    /// <param name="target">The model, and the rows that the attacker holds.</param>
    /// <param name="held">Points on which copies are judged: shape (rows, Inputs); none of them in the pool.</param>
    /// <param name="labels">Their classes; empty when not known.</param>
    /// <param name="options">What to try.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancel">Stops between copies.</param>
    /// <exception cref="ArgumentException">The options have faults, or a length does not fit.</exception>
    internal static ExtractionReport Run(ExtractionTarget target, float[] held, int[] labels, ExtractionOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        if (string.Join(' ', options.Faults()) is { Length: > 0 } faults)
            throw new ArgumentException(faults, nameof(options));
        var rows = held.Length / target.Inputs;
        if (rows == 0 || held.Length % target.Inputs != 0 || (labels.Length > 0 && labels.Length != rows))
            throw new ArgumentException($"{held.Length} values and {labels.Length} labels do not make held-out rows of {target.Inputs}.", nameof(held));
        held = [.. held];
        var asked = (long)rows;
        var truth = Classes(target.Ask(held), target.Classes);
        var (curves, all) = (new List<ExtractionCurve>(), options.Strategies.Count * options.Views.Count * options.Queries.Count);
        var done = 0;
        foreach (var strategy in options.Strategies)
        {
            (float[] Points, float[] Answers)? shared = null;
            foreach (var view in options.Views)
            {
                var query = QueryStrategy.Of(strategy, target, options, view);
                if (query.IgnoresAnswers && shared is null)
                {
                    shared = query.Ask(options.Queries[^1], cancel);
                    asked += options.Queries[^1];
                }

                var points = new List<ExtractionPoint>();
                foreach (var count in options.Queries)
                {
                    cancel.ThrowIfCancellationRequested();
                    var before = query.Asked;
                    var (x, y) = shared ?? query.Ask(count, cancel);
                    asked += query.IgnoresAnswers ? 0 : query.Asked - before;
                    var seen = Blur(y[..(count * target.Classes)], target.Classes, view, options.Decimals);
                    var copy = Student.Train(x[..(count * target.Inputs)], seen, target.Inputs, target.Classes, options.Hidden, options.Seed);
                    var guesses = Student.Classes(copy, held);
                    points.Add(new(count, Alike(guesses, truth), labels.Length > 0 ? Alike(guesses, labels) : null));
                    progress?.Report((double)++done / all);
                }

                curves.Add(new(strategy, view, points, points.FirstOrDefault(point => point.Fidelity.Rate >= 0.95)?.Queries));
            }
        }

        return new()
        {
            Options = options,
            Rows = rows,
            ModelAccuracy = labels.Length > 0 ? Alike(truth, labels) : null,
            Constant = RowShare.From(truth.GroupBy(label => label).Max(group => group.Count()), rows),
            Curves = curves,
            Asked = asked,
        };
    }

    /// <summary>What a view leaves of probabilities.</summary>
    internal static float[] Blur(float[] answers, int classes, OutputView view, int decimals)
    {
        if (view == OutputView.Full)
            return answers;
        var seen = new float[answers.Length];
        for (var at = 0; at < answers.Length; at += classes)
        {
            if (view == OutputView.Label)
            {
                seen[at + Scores.Class(answers.AsSpan(at, classes))] = 1;
                continue;
            }

            for (var k = at; k < at + classes; k++)
                seen[k] = (float)Math.Round(answers[k], decimals);
        }

        return seen;
    }

    private static int[] Classes(float[] answers, int classes) => [.. Enumerable.Range(0, answers.Length / classes).Select(row => Scores.Class(answers.AsSpan(row * classes, classes)))];

    private static RowShare Alike(int[] one, int[] other) => RowShare.From(one.Zip(other).Count(pair => pair.First == pair.Second), one.Length);
}
