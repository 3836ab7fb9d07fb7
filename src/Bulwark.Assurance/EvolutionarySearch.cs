namespace Bulwark.Assurance;

/// <summary>An evolutionary attack on tables: a population of rows a row, bred for three aims at once: the wrong answer, nearness, and few broken constraints.</summary>
/// <remarks>
/// Sources: Simonetto et al., "A Unified Framework for Adversarial Attack and Defense in Constrained Feature Space" (MOEVA2), IJCAI 2022 (arXiv:2112.01156), for aims and operators: two-point crossover,
/// polynomial mutation (η = 20); Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEC 6 (2002), for survival by fronts and crowding, in place of reference points. Every row is repaired
/// before it is asked, and only what can be sent counts as a success; rows that break relations live on while their kin improve. Draws come from the seed and the row. Works on any model.
/// </remarks>
internal sealed record EvolutionarySearch
{
    internal required TabularReach Reach { get; init; }

    /// <summary>Queries that a row may cost.</summary>
    internal int Queries { get; init; } = 1000;

    /// <summary>Rows alive at a time.</summary>
    internal int Population { get; init; } = 40;

    internal ulong Seed { get; init; }

    /// <summary>Perturbs raw rows.</summary>
    /// <param name="model">The model.</param>
    /// <param name="space">Encoding and constraints.</param>
    /// <param name="raw">Shape (rows, Width).</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="adversarial">Shape (rows, Width); overwritten with a success that can be sent, or the row.</param>
    /// <param name="spent">Shape (rows): queries asked for each row.</param>
    internal void Run(RowModel model, TabularSpace space, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, Span<float> adversarial, Span<int> spent)
    {
        var width = space.Encoder.Width;
        if (raw.Length != labels.Length * width || adversarial.Length != raw.Length || spent.Length != labels.Length)
            throw new ArgumentException($"{raw.Length} values do not make {labels.Length} rows of {width}.", nameof(raw));
        raw.CopyTo(adversarial);
        for (var row = 0; row < labels.Length; row++)
        {
            var breed = new Breed(this, model, space, raw.Slice(row * width, width).ToArray(), labels[row]);
            if (breed.Run() is { } found)
                found.CopyTo(adversarial[(row * width)..]);
            spent[row] = breed.Spent;
        }
    }

    /// <summary>One row that was asked: how wrong, how far, how broken; smaller is better in all three.</summary>
    private sealed record Life(float[] Row, double Right, double Distance, double Broken)
    {
        internal double[] Aims => [Right, Distance, Broken];

        internal bool Beats(Life other) =>
            Right <= other.Right && Distance <= other.Distance && Broken <= other.Broken && (Right < other.Right || Distance < other.Distance || Broken < other.Broken);
    }

    private sealed class Breed
    {
        private const double Eta = 20;
        private readonly EvolutionarySearch _search;
        private readonly RowModel _model;
        private readonly TabularSpace _space;
        private readonly float[] _original;
        private readonly float[] _encodedOriginal;
        private readonly int _label;
        private readonly int[] _features;
        private readonly SeededDraws _draws;
        private float[]? _found;

        internal Breed(EvolutionarySearch search, RowModel model, TabularSpace space, float[] original, int label)
        {
            (_search, _model, _space, _original, _label) = (search, model, space, original, label);
            _encodedOriginal = space.Encoder.Encode(original);
            var mutable = space.Constraints.Mutable.ToArray();
            _features = [.. Enumerable.Range(0, original.Length).Where(j => mutable[j] && !float.IsNaN(original[j]))];
            _draws = SeededDraws.Of<float>(search.Seed ^ 0xE0, original);
        }

        internal int Spent { get; private set; }

        internal float[]? Run()
        {
            var alive = Ask([_original]);
            if (_features.Length == 0 || _found is not null)
                return _found;
            alive.AddRange(Ask([.. Enumerable.Range(0, _search.Population - 1).Select(_ => Mutated([.. _original], first: true))]));
            while (_found is null && Spent < _search.Queries)
            {
                var children = new List<float[]>();
                while (children.Count < _search.Population)
                {
                    var (one, other) = Crossed(Parent(alive).Row, Parent(alive).Row);
                    children.Add(Mutated(one, first: false));
                    children.Add(Mutated(other, first: false));
                }

                alive.AddRange(Ask(children));
                alive = Survivors(alive);
            }

            return _found;
        }

        private List<Life> Ask(List<float[]> rows)
        {
            var (width, count) = (_original.Length, int.Min(rows.Count, _search.Queries - Spent));
            var (candidates, leads) = (new float[count * width], new float[count]);
            for (var i = 0; i < count; i++)
            {
                var row = candidates.AsSpan(i * width, width);
                rows[i].CopyTo(row);
                _space.Constraints.Repair(row, _original);
            }

            _model.Lead(candidates, count, leads);
            Spent += count;
            var lives = new List<Life>();
            var raw = new double[width];
            var violations = new double[_space.Constraints.Relations.Count];
            for (var i = 0; i < count; i++)
            {
                var row = candidates.AsSpan(i * width, width);
                var encoded = _space.Encoder.Encode(row);
                for (var j = 0; j < width; j++)
                    raw[j] = row[j];
                _space.Constraints.Violations(raw, violations);
                // Past the reach and over the budget count as broken too.
                double distance = PerturbationBall<float>.Distance(_search.Reach.Norm, encoded, _encodedOriginal);
                var over = Math.Max(0, distance - _search.Reach.Epsilon) + (double.IsPositiveInfinity(_search.Reach.Budget) ? 0 : Math.Max(0, _space.Constraints.Cost(row, _original) - _search.Reach.Budget) / _search.Reach.Budget);
                lives.Add(new(row.ToArray(), -RowModel.Against(leads[i], _label), distance, violations.Where(double.IsFinite).Sum() + over));
                if (_found is null && RowModel.IsWrong(leads[i], _label) && _search.Reach.Reject(_space, row, _original, encoded, _encodedOriginal) is null)
                    _found = row.ToArray();
            }

            return lives;
        }

        /// <summary>The better of two by front, then by how wrong.</summary>
        private Life Parent(List<Life> alive)
        {
            var (one, other) = (alive[_draws.Below(alive.Count)], alive[_draws.Below(alive.Count)]);
            return one.Beats(other) ? one : other.Beats(one) ? other : one.Broken + one.Right < other.Broken + other.Right ? one : other;
        }

        private (float[] One, float[] Other) Crossed(float[] mother, float[] father)
        {
            var (from, to) = (_draws.Below(_features.Length), _draws.Below(_features.Length));
            float[] one = [.. mother], other = [.. father];
            for (var k = int.Min(from, to); k <= int.Max(from, to); k++)
                (one[_features[k]], other[_features[k]]) = (father[_features[k]], mother[_features[k]]);
            return (one, other);
        }

        private float[] Mutated(float[] row, bool first)
        {
            var share = first ? 0.3 : Math.Max(1.0 / _features.Length, 0.05);
            foreach (var j in _features)
            {
                if (_draws.Uniform() < share)
                    row[j] = Mutated(row[j], j, first);
            }

            return row;
        }

        /// <summary>Polynomial mutation within bounds; the first generation is spread over the reach; whole numbers move by at least one.</summary>
        private float Mutated(float value, int j, bool first)
        {
            var (low, high, kind) = (_space.Constraints.Lowest(j), _space.Constraints.Highest(j), _space.Constraints.Schema.Features[j].Kind);
            if (kind is Models.FeatureKind.Binary or Models.FeatureKind.Categorical)
                return (float)Math.Round(low + (_draws.Uniform() * (high - low)));
            var u = _draws.Uniform();
            var shift = first ? ((u * 2) - 1) * Math.Min(1, _search.Reach.Epsilon) : u < 0.5 ? Math.Pow(2 * u, 1 / (Eta + 1)) - 1 : 1 - Math.Pow(2 * (1 - u), 1 / (Eta + 1));
            var moved = value + (shift * (high - low));
            if (_space.Constraints.IsWhole(j))
                moved = Math.Abs(moved - value) < 1 ? value + Math.Sign(shift) : Math.Round(moved);
            return (float)Math.Clamp(moved, Math.Min(low, value), Math.Max(high, value));
        }

        /// <summary>Whole fronts while they fit, then the least crowded of the next.</summary>
        private List<Life> Survivors(List<Life> alive)
        {
            var (kept, rest) = (new List<Life>(), alive);
            while (rest.Count > 0 && kept.Count < _search.Population)
            {
                var front = rest.Where(life => !rest.Any(other => other.Beats(life))).ToList();
                rest = [.. rest.Except(front, ReferenceEqualityComparer.Instance).Cast<Life>()];
                kept.AddRange(kept.Count + front.Count <= _search.Population ? front : Crowding(front).OrderByDescending(pair => pair.Room).Take(_search.Population - kept.Count).Select(pair => pair.Life));
            }

            return kept;
        }

        private static IEnumerable<(Life Life, double Room)> Crowding(List<Life> front)
        {
            var room = new double[front.Count];
            for (var aim = 0; aim < 3; aim++)
            {
                int[] order = [.. Enumerable.Range(0, front.Count).OrderBy(i => front[i].Aims[aim])];
                var range = front[order[^1]].Aims[aim] - front[order[0]].Aims[aim];
                (room[order[0]], room[order[^1]]) = (double.PositiveInfinity, room[order[^1]] + 1);
                for (var k = 1; k < order.Length - 1 && range > 0; k++)
                    room[order[k]] += (front[order[k + 1]].Aims[aim] - front[order[k - 1]].Aims[aim]) / range;
            }

            return front.Select((life, i) => (life, room[i]));
        }
    }
}
