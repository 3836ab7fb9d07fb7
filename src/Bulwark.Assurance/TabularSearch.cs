namespace Bulwark.Assurance;

/// <summary>Query search under constraints: groups of values go to those of the other class, to random places or back, whatever can be sent and raises the score against the row stays.</summary>
/// <remarks>
/// The tabular analogue of a random search with restarts (Andriushchenko et al., "Square Attack", ECCV 2020, arXiv:1912.00049, with feature groups for
/// squares); proposals from the other class find what gradients miss on discrete features. Works on any model. Draws come from the seed and the row, so
/// a result depends neither on batches nor on shards. Immutable and thread-safe.
/// </remarks>
internal sealed record TabularSearch
{
    /// <summary>How far a row may go.</summary>
    internal required TabularReach Reach { get; init; }

    /// <summary>Queries that a row may cost.</summary>
    internal int Queries { get; init; } = 1000;

    /// <summary>Queries without a gain after which the search begins anew from the original.</summary>
    internal int Patience { get; init; } = 150;

    /// <summary>Names the draws.</summary>
    internal ulong Seed { get; init; }

    /// <summary>Perturbs raw rows.</summary>
    /// <param name="model">The model.</param>
    /// <param name="space">Encoding and constraints.</param>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="donors">Rows of class 0 and of class 1 whose values are tried, each of shape (rows, Width).</param>
    /// <param name="adversarial">Shape (rows, Width); overwritten with the row that was scored worst; each can be sent.</param>
    /// <param name="spent">Shape (rows), or empty: queries asked for each row.</param>
    /// <returns>Which rows the model gets wrong.</returns>
    internal bool[] Run(RowModel model, TabularSpace space, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, (float[] Negative, float[] Positive) donors, Span<float> adversarial, Span<int> spent = default)
    {
        if (raw.Length != labels.Length * space.Encoder.Width || adversarial.Length != raw.Length)
            throw new ArgumentException($"{raw.Length} values do not make {labels.Length} rows of {space.Encoder.Width}.", nameof(raw));
        var search = new TabularSearchState(this, space, raw.ToArray(), labels.ToArray(), donors);
        search.Run(model);
        search.Best.CopyTo(adversarial);
        if (!spent.IsEmpty)
            search.Spent.CopyTo(spent);
        return search.Wrong;
    }
}

/// <summary>One batch on its way through <see cref="TabularSearch"/>: each round asks once for every row that still resists.</summary>
internal sealed class TabularSearchState
{
    private const int TriesPerQuery = 6;
    private readonly TabularSearch _search;
    private readonly TabularSpace _space;
    private readonly float[] _raw;
    private readonly float[] _encoded;
    private readonly int[] _labels;
    private readonly (float[] Negative, float[] Positive) _donors;
    private readonly SeededDraws[] _draws;
    private readonly int[] _features;
    private readonly float[] _current;
    private readonly float[] _score;
    private readonly float[] _bestScore;
    private readonly int[] _idle;
    private readonly float[] _scratch;
    private readonly int _width;

    internal TabularSearchState(TabularSearch search, TabularSpace space, float[] raw, int[] labels, (float[] Negative, float[] Positive) donors)
    {
        (_search, _space, _raw, _labels, _donors, _width) = (search, space, raw, labels, donors, space.Encoder.Width);
        _encoded = space.Encoder.Encode(raw);
        _draws = [.. Enumerable.Range(0, labels.Length).Select(row => SeededDraws.Of<float>(search.Seed, Row(raw, row)))];
        var mutable = space.Constraints.Mutable.ToArray();
        _features = [.. Enumerable.Range(0, _width).Where(feature => mutable[feature])];
        (_current, Best, _scratch) = ([.. raw], [.. raw], new float[space.Encoder.EncodedWidth]);
        (_score, _bestScore, _idle, Spent, Wrong) = (new float[labels.Length], new float[labels.Length], new int[labels.Length], new int[labels.Length], new bool[labels.Length]);
    }

    internal float[] Best { get; }

    internal int[] Spent { get; }

    internal bool[] Wrong { get; }

    internal void Run(RowModel model)
    {
        var resisting = Enumerable.Range(0, _labels.Length).ToList();
        var candidates = new float[_raw.Length];
        var leads = new float[_labels.Length];
        var asked = new List<int>(resisting.Count);
        for (var query = 0; query < _search.Queries && resisting.Count > 0; query++)
        {
            asked.Clear();
            foreach (var row in resisting)
            {
                if (Propose(row, query, candidates.AsSpan(asked.Count * _width, _width)))
                    asked.Add(row);
            }

            model.Lead(candidates.AsSpan(0, asked.Count * _width), asked.Count, leads.AsSpan(0, asked.Count));
            var won = false;
            for (var i = 0; i < asked.Count; i++)
                won |= Judge(asked[i], leads[i], candidates.AsSpan(i * _width, _width), first: query == 0);
            if (won)
                resisting.RemoveAll(row => Wrong[row]);
        }
    }

    /// <summary>True when the row is won.</summary>
    private bool Judge(int row, float lead, ReadOnlySpan<float> candidate, bool first)
    {
        Spent[row]++;
        var against = RowModel.Against(lead, _labels[row]);
        Wrong[row] = RowModel.IsWrong(lead, _labels[row]);
        if (first || Wrong[row] || against > _bestScore[row])
        {
            _bestScore[row] = against;
            candidate.CopyTo(Row(Best, row));
        }

        if (first || against > _score[row])
        {
            (_score[row], _idle[row]) = (against, 0);
            candidate.CopyTo(Row(_current, row));
        }
        else if (++_idle[row] > _search.Patience)
        {
            (_score[row], _idle[row]) = (float.NegativeInfinity, 0);
            Row(_raw, row).CopyTo(Row(_current, row));
        }

        return Wrong[row];
    }

    /// <summary>A row that can be sent, in reach; false when several tries made none.</summary>
    private bool Propose(int row, int query, Span<float> candidate)
    {
        var original = Row(_raw, row);
        if (query == 0)
        {
            original.CopyTo(candidate);
            return true;
        }

        for (var attempt = 0; attempt < TriesPerQuery; attempt++)
        {
            Row(_current, row).CopyTo(candidate);
            Change(row, original, candidate);
            _space.Constraints.Repair(candidate, original);
            if (Fits(row, candidate, original))
                return true;
        }

        return false;
    }

    private void Change(int row, ReadOnlySpan<float> original, Span<float> candidate)
    {
        var draws = _draws[row];
        var most = _idle[row] < 20 ? int.Max(1, _features.Length / 3) : _idle[row] < 80 ? 5 : 2;
        var count = 1 + draws.Below(most);
        var pool = _labels[row] == 1 ? _donors.Negative : _donors.Positive;
        var kind = draws.Uniform();
        var donor = kind < 0.6 && pool.Length > 0 ? draws.Below(pool.Length / _width) * _width : -1;
        var share = (float)(draws.Uniform() < 0.5 ? 1 : draws.Uniform());
        for (var k = 0; k < count; k++)
        {
            var feature = _features[draws.Below(_features.Length)];
            if (float.IsNaN(original[feature]))
                continue;
            if (donor >= 0)
                candidate[feature] = Towards(candidate[feature], pool[donor + feature], share, feature);
            else if (kind < 0.85)
                candidate[feature] = Random(candidate[feature], feature, draws);
            else
                candidate[feature] = original[feature];
        }
    }

    private float Towards(float from, float to, float share, int feature) =>
        float.IsNaN(to) ? from : _space.Constraints.Schema.Features[feature].Kind == Models.FeatureKind.Categorical ? to : from + ((to - from) * share);

    private float Random(float value, int feature, SeededDraws draws)
    {
        var (low, high) = (_space.Constraints.Lowest(feature), _space.Constraints.Highest(feature));
        if (_space.Constraints.Schema.Features[feature].Kind is Models.FeatureKind.Categorical or Models.FeatureKind.Binary)
            return (float)Math.Round(low + (draws.Uniform() * (high - low)));
        var moved = value + (draws.Normal() * double.Min(1, _search.Reach.Epsilon) * 0.5 * (high - low) * Math.Pow(10, -2 * draws.Uniform()));
        return (float)(_space.Constraints.IsWhole(feature) ? Math.Round(moved) : moved);
    }

    /// <summary>Shortens what is too far once, in the encoded space; then asks whether the row can be sent.</summary>
    private bool Fits(int row, Span<float> candidate, ReadOnlySpan<float> original)
    {
        var encodedOriginal = _encoded.AsSpan(row * _scratch.Length, _scratch.Length);
        _space.Encoder.Encode(candidate, 1, _scratch);
        var distance = PerturbationBall<float>.Distance(_search.Reach.Norm, _scratch, encodedOriginal);
        if (distance > _search.Reach.Epsilon)
        {
            if (_search.Reach.Norm == PerturbationNorm.Linf)
                StepKernels.ClipToCube(encodedOriginal, (float)_search.Reach.Epsilon, _scratch);
            else
                Shorten(encodedOriginal, (float)(_search.Reach.Epsilon / distance));
            _space.Decode(_scratch, encodedOriginal, original, candidate);
            _space.Encoder.Encode(candidate, 1, _scratch);
        }

        if (!double.IsPositiveInfinity(_search.Reach.Budget))
            KeepToBudget(row, candidate, original);
        return _search.Reach.Reject(_space, candidate, original, _scratch, encodedOriginal) is null;
    }

    private void Shorten(ReadOnlySpan<float> original, float share)
    {
        for (var j = 0; j < original.Length; j++)
            _scratch[j] = original[j] + ((_scratch[j] - original[j]) * share);
    }

    /// <summary>Takes back random changes until the rest can be paid.</summary>
    private void KeepToBudget(int row, Span<float> candidate, ReadOnlySpan<float> original)
    {
        var start = _draws[row].Below(_features.Length);
        for (var k = 0; k < _features.Length && _space.Constraints.Cost(candidate, original) > _search.Reach.Budget; k++)
        {
            var feature = _features[(start + k) % _features.Length];
            candidate[feature] = original[feature];
        }

        _space.Constraints.Repair(candidate, original);
        _space.Encoder.Encode(candidate, 1, _scratch);
    }

    private Span<float> Row(float[] matrix, int row) => matrix.AsSpan(row * _width, _width);
}
