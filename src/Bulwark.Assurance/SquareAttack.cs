namespace Bulwark.Assurance;

/// <summary>Evasion of image models by scores only: squares of the largest change allowed, or in L2 windows between which change is moved, kept when they lower the margin.</summary>
/// <remarks>
/// Source: Andriushchenko et al., "Square Attack", ECCV 2020, Algorithms 1 to 3 (arXiv:1912.00049). Draws come from the seed and the row's
/// values. Immutable and thread-safe.
/// </remarks>
public sealed record SquareAttack
{
    /// <summary>How distance is measured: <see cref="PerturbationNorm.Linf"/> or <see cref="PerturbationNorm.L2"/>.</summary>
    public PerturbationNorm Norm { get; init; }

    /// <summary>Largest distance: of a value in Linf, of the row in L2; at least 0.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Rows of pixels of an image; above 0.</summary>
    public required int Height { get; init; }

    /// <summary>Pixels in a row; above 0.</summary>
    public required int Width { get; init; }

    /// <summary>Values of a pixel, stored plane after plane; above 0.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>Queries that a row may cost; above 0.</summary>
    public int Queries { get; init; } = 5000;

    /// <summary>Share of the pixels in the first squares.</summary>
    public double InitialShare { get; init; } = 0.8;

    /// <summary>Stretches the schedule, which is made for 10,000 queries, to <see cref="Queries"/>.</summary>
    public bool Rescale { get; init; }

    /// <summary>Names the draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>Perturbs each row.</summary>
    /// <param name="model">The model under attack; its inputs are Channels · Height · Width values.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten with the row of the largest margin found.</param>
    /// <returns>Queries spent on each row; one for a row that is misclassified as it is.</returns>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public int[] Run(IQueriedModel model, ReadOnlySpan<float> inputs, ReadOnlySpan<int> labels, Span<float> adversarial)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Inputs != Channels * Height * Width || inputs.Length != labels.Length * model.Inputs || adversarial.Length != inputs.Length)
            throw new ArgumentException($"{inputs.Length} inputs do not fit {labels.Length} rows of {Channels} × {Height} × {Width}.", nameof(inputs));
        if (Norm == PerturbationNorm.L1)
            throw new ArgumentException("Squares are for Linf and L2: choose another attack.", nameof(model));
        var search = new SquareSearch(this, model, inputs.ToArray(), labels.ToArray());
        search.Run();
        search.Best.CopyTo(adversarial);
        return search.Spent;
    }

    /// <summary>Share of the pixels that a square covers after so many queries.</summary>
    /// <param name="query">From 0.</param>
    public double Share(int query)
    {
        var at = Rescale ? (int)((double)query / Queries * 10_000) : query;
        int[] halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
        var share = InitialShare;
        foreach (var halving in halvings)
            share = at > halving ? share / 2 : share;
        return share;
    }

    /// <summary>Side of a square after so many queries, in pixels.</summary>
    /// <param name="query">From 0.</param>
    public int Side(int query) => int.Max((int)Math.Round(Math.Sqrt(Share(query) * Height * Width), MidpointRounding.ToEven), 1);
}

/// <summary>One batch on its way through <see cref="SquareAttack"/>.</summary>
internal sealed class SquareSearch
{
    private readonly SquareAttack _attack;
    private readonly IQueriedModel _model;
    private readonly float[] _original;
    private readonly int[] _labels;
    private readonly SeededDraws[] _draws;
    private readonly float[] _margins;

    internal SquareSearch(SquareAttack attack, IQueriedModel model, float[] original, int[] labels)
    {
        (_attack, _model, _original, _labels) = (attack, model, original, labels);
        _draws = [.. Enumerable.Range(0, labels.Length).Select(row => SeededDraws.Of(attack.Seed, Row(original, row)))];
        (Best, Spent, _margins) = ([.. original], new int[labels.Length], new float[labels.Length]);
    }

    internal float[] Best { get; }

    internal int[] Spent { get; }

    internal void Run()
    {
        int[] resisting = [.. Enumerable.Range(0, _labels.Length)];
        var candidates = new float[_original.Length];
        for (var query = 0; query < _attack.Queries && resisting.Length > 0; query++)
        {
            for (var i = 0; i < resisting.Length; i++)
                Propose(resisting[i], query, candidates.AsSpan(i * _model.Inputs, _model.Inputs));
            var scores = new float[resisting.Length * _model.Classes];
            _model.Score(candidates.AsSpan(0, resisting.Length * _model.Inputs), resisting.Length, scores);
            resisting = Keep(resisting, scores, candidates, query == 0);
        }
    }

    private void Propose(int row, int query, Span<float> candidate)
    {
        Row(Best, row).CopyTo(candidate);
        if (query == 0)
            return;
        var original = Row(_original, row);
        var (draws, plane) = (_draws[row], _attack.Height * _attack.Width);
        if (_attack.Norm == PerturbationNorm.L2)
        {
            if (query == 1)
                SquareWindows.Begin(_attack, draws, original, candidate);
            else
                SquareWindows.Move(_attack, draws, int.Min(_attack.Side(query - 2), int.Min(_attack.Height, _attack.Width)), original, candidate);
            return;
        }

        if (query == 1)
        {
            for (var stripe = 0; stripe < _attack.Channels * _attack.Width; stripe++)
            {
                var change = (float)(draws.Uniform() < 0.5 ? _attack.Epsilon : -_attack.Epsilon);
                for (var at = (stripe / _attack.Width * plane) + (stripe % _attack.Width); at < (stripe / _attack.Width * plane) + plane; at += _attack.Width)
                    candidate[at] = float.Clamp(original[at] + change, 0, 1);
            }

            return;
        }

        var side = int.Min(_attack.Side(query - 2), int.Min(_attack.Height, _attack.Width));
        var (top, left) = (draws.Below(_attack.Height - side + 1), draws.Below(_attack.Width - side + 1));
        for (var channel = 0; channel < _attack.Channels; channel++)
        {
            var change = (float)(draws.Uniform() < 0.5 ? _attack.Epsilon : -_attack.Epsilon);
            for (var line = top; line < top + side; line++)
            {
                for (var at = (channel * plane) + (line * _attack.Width) + left; at < (channel * plane) + (line * _attack.Width) + left + side; at++)
                    candidate[at] = float.Clamp(original[at] + change, 0, 1);
            }
        }
    }

    private int[] Keep(int[] resisting, float[] scores, float[] candidates, bool first)
    {
        var still = new List<int>(resisting.Length);
        for (var i = 0; i < resisting.Length; i++)
        {
            var row = resisting[i];
            Spent[row]++;
            var margin = Scores.Margin(scores.AsSpan(i * _model.Classes, _model.Classes), _labels[row]);
            var evades = Scores.Class(scores.AsSpan(i * _model.Classes, _model.Classes)) != _labels[row] || float.IsPositiveInfinity(margin);
            if (first || evades || margin > _margins[row])
            {
                _margins[row] = margin;
                candidates.AsSpan(i * _model.Inputs, _model.Inputs).CopyTo(Row(Best, row));
            }

            if (!evades)
                still.Add(row);
        }

        return [.. still];
    }

    private Span<float> Row(float[] matrix, int row) => matrix.AsSpan(row * _model.Inputs, _model.Inputs);
}
