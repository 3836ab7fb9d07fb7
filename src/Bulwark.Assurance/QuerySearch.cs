using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>One batch of rows on its way through <see cref="QueryAttack"/>: each round asks once for every row that still resists.</summary>
internal sealed class QuerySearch
{
    private readonly QueryAttack _attack;
    private readonly IScorer _scorer;
    private readonly FeatureEncoder _encoder;
    private readonly SendableRows _sendable;
    private readonly float[] _raw;
    private readonly int[] _labels;
    private readonly float[] _encoded;
    private readonly float[] _current;
    private readonly double[] _currentScore;
    private readonly int[] _columns;
    private readonly int[][] _donors;
    private readonly SeededDraws _draws;

    internal QuerySearch(QueryAttack attack, IScorer scorer, FeatureEncoder encoder, float[] raw, int[] labels)
    {
        (_attack, _scorer, _encoder, _raw, _labels) = (attack, scorer, encoder, raw, labels);
        _sendable = new(encoder, attack.Epsilon);
        _encoded = encoder.Encode(raw);
        _current = [.. _encoded];
        Best = [.. raw];
        Spent = new int[labels.Length];
        _currentScore = new double[labels.Length];
        var mask = encoder.MutableMask.ToArray();
        _columns = [.. Enumerable.Range(0, mask.Length).Where(column => mask[column])];
        _donors = [.. ((int[])[0, 1]).Select(label => Enumerable.Range(0, labels.Length).Where(row => labels[row] != label).ToArray())];
        _draws = new(attack.Seed);
    }

    internal float[] Best { get; }

    internal int[] Spent { get; }

    internal void Run()
    {
        int[] resisting = [.. Enumerable.Range(0, _labels.Length)];
        var (candidates, rows) = ((float[])[.. _encoded], (float[])[.. _raw]);
        for (var query = 0; query < _attack.Queries && resisting.Length > 0; query++)
        {
            if (query > 0)
                Propose(resisting, (double)query / _attack.Queries, candidates, rows);
            var scores = new float[resisting.Length];
            _scorer.Score(rows.AsSpan(0, resisting.Length * _encoder.Width), resisting.Length, scores);
            resisting = Keep(resisting, scores, candidates, rows, first: query == 0);
        }
    }

    private void Propose(int[] resisting, double spent, float[] candidates, float[] rows)
    {
        var (width, encodedWidth) = (_encoder.Width, _encoder.EncodedWidth);
        var original = new float[resisting.Length * encodedWidth];
        var originalRaw = new float[resisting.Length * width];
        for (var i = 0; i < resisting.Length; i++)
        {
            var row = resisting[i];
            var candidate = candidates.AsSpan(i * encodedWidth, encodedWidth);
            _current.AsSpan(row * encodedWidth, encodedWidth).CopyTo(candidate);
            _encoded.AsSpan(row * encodedWidth, encodedWidth).CopyTo(original.AsSpan(i * encodedWidth));
            _raw.AsSpan(row * width, width).CopyTo(originalRaw.AsSpan(i * width));
            Change(candidate, original.AsSpan(i * encodedWidth, encodedWidth), _labels[row], spent);
        }

        _sendable.Make(candidates.AsSpan(0, original.Length), original, originalRaw, resisting.Length, rows.AsSpan(0, originalRaw.Length));
    }

    /// <summary>A random group of columns goes to corners of the ball, or to another row's values as far as the ball allows.</summary>
    private void Change(Span<float> candidate, ReadOnlySpan<float> original, int label, double spent)
    {
        var epsilon = (float)_attack.Epsilon;
        var donors = _donors[label];
        var donor = donors.Length > 0 && _draws.Uniform() < 0.5 ? donors[_draws.Below(donors.Length)] : -1;
        var size = int.Max(1, (int)Math.Round(QueryAttack.GroupShare(spent) * _columns.Length));
        for (var k = 0; k < size; k++)
        {
            var swap = k + _draws.Below(_columns.Length - k);
            (_columns[k], _columns[swap]) = (_columns[swap], _columns[k]);
            var column = _columns[k];
            var target = donor >= 0 ? _encoded[(donor * _encoder.EncodedWidth) + column] : original[column] + (_draws.Uniform() < 0.5 ? epsilon : -epsilon);
            candidate[column] = Math.Clamp(Math.Clamp(target, original[column] - epsilon, original[column] + epsilon), 0, 1);
        }
    }

    /// <summary>Takes what lowers the score of the row's class; returns the rows that still resist.</summary>
    private int[] Keep(int[] resisting, float[] scores, float[] candidates, float[] rows, bool first)
    {
        var (width, encodedWidth) = (_encoder.Width, _encoder.EncodedWidth);
        var still = new List<int>(resisting.Length);
        for (var i = 0; i < resisting.Length; i++)
        {
            var row = resisting[i];
            Spent[row]++;
            var score = _labels[row] == 1 ? scores[i] : -(double)scores[i];
            var evades = scores[i] >= _attack.Threshold != (_labels[row] == 1);
            if (first || evades || score < _currentScore[row])
            {
                _currentScore[row] = score;
                candidates.AsSpan(i * encodedWidth, encodedWidth).CopyTo(_current.AsSpan(row * encodedWidth));
                rows.AsSpan(i * width, width).CopyTo(Best.AsSpan(row * width));
            }

            if (!evades)
                still.Add(row);
        }

        return [.. still];
    }
}
