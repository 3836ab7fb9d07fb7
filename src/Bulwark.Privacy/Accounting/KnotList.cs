namespace Bulwark.Privacy.Accounting;

/// <summary>How densely knots are laid.</summary>
/// <param name="Tilt">λ.</param>
/// <param name="Moment">log E[e^(λ·loss)] of one release.</param>
/// <param name="Spacing">Larger means fewer.</param>
/// <param name="Rare">Losses from here on may decide δ by a single release …</param>
/// <param name="Delta">… if they occur with about this chance …</param>
/// <param name="Sharpness">… and then this many knots are laid for each factor e by which their density falls.</param>
internal readonly record struct KnotDensity(double Tilt, double Moment, double Spacing, double Rare = double.PositiveInfinity, double Delta = 1, double Sharpness = 0)
{
    /// <summary>
    /// Splitting outcomes between knots h apart changes K(λ) by n·λ(λ+1)·E[h²]/12 under the tilted distribution; for a number of knots this
    /// law makes that least: (n·mass·e^(λ·loss − moment))^⅓·width^⅔ of them on a stretch.
    /// </summary>
    internal double Share(double count, Stretch stretch) => stretch.Mass > 0 && stretch.Width > 0
        ? Math.Cbrt(count * stretch.Mass * Math.Exp(Math.Min(300, (Tilt * stretch.Loss) - Moment)) * stretch.Width * stretch.Width) / Spacing : 0;

    /// <summary>Knots on each stretch, by both laws, and never fewer than 48 over the whole range.</summary>
    internal double[] Shares(double count, IReadOnlyList<Stretch> stretches, LossRange range)
    {
        var shares = new double[stretches.Count];
        var (above, last) = (0.0, double.NaN);
        for (var i = stretches.Count - 1; i >= 0; i--)
        {
            var stretch = stretches[i];
            var density = Math.Log(stretch.Mass / stretch.Width);
            var fall = double.IsFinite(density) && double.IsFinite(last) ? Math.Abs(density - last) : 0;
            (above, last) = (above + stretch.Mass, density);
            if (!range.Holds(stretch.Loss))
                continue;
            var sharp = count * above < 1e-4 * Delta ? 0 : stretch.Loss >= Rare ? Sharpness : stretch.Loss > 0 ? Math.Min(3, Sharpness) : 0;
            shares[i] = Math.Max(Share(count, stretch), 48 * stretch.Width / (range.High - range.Low)) + (sharp * Math.Min(fall, 10));
        }

        return shares;
    }
}

/// <summary>A stretch of losses around one, with its mass under P.</summary>
internal readonly record struct Stretch(double Mass, double Loss, double Width);

/// <summary>Knots of a distribution, by rising loss, and where the continuous piece takes those losses.</summary>
internal sealed class KnotList
{
    private const int MostAtoms = 1200;
    private const int MostKnots = 3000;
    private readonly LossDistribution _losses;
    private readonly LossRange _range;
    private readonly KnotDensity _density;
    private readonly List<(double Loss, double Point, bool Forced)> _knots = [];

    internal KnotList(LossDistribution losses, LossRange range, KnotDensity density)
    {
        (_losses, _range, _density) = (losses, range, density);
        AddPanels();
        AddAtoms();
        Force(range.Low);
        Force(0);
        Force(range.High);
        Keep();
        Losses = [.. _knots.Select(knot => knot.Loss)];
        Points = [.. _knots.Select(knot => knot.Point)];
    }

    internal double[] Losses { get; }

    internal double[] Points { get; }

    private void AddPanels()
    {
        var shares = Scaled(_density.Shares(_losses.Count, [.. _losses.Panels.Select(panel => panel.Stretch)], _range));
        var (sum, next) = (0.0, 0.5);
        for (var i = 0; i < shares.Length; sum += shares[i++])
        {
            for (; next < sum + shares[i]; next++)
            {
                var panel = _losses.Panels[i];
                var at = panel.From + (panel.Width * (next - sum) / shares[i]);
                if (_losses.LossAt(at) is var loss && _range.Holds(loss))
                    _knots.Add((loss, at, false));
            }
        }
    }

    private void AddAtoms()
    {
        var atoms = _losses.Atoms;
        if (atoms.Count <= MostAtoms)
        {
            foreach (var (_, loss) in atoms)
                Force(loss);
            return;
        }

        var shares = Scaled(_density.Shares(_losses.Count, [.. atoms.Select((atom, i) => new Stretch(atom.Mass, atom.Loss, atom.Loss - atoms[Math.Max(0, i - 1)].Loss))], _range));
        var sum = 0.0;
        for (var i = 0; i < shares.Length; i++)
        {
            sum += shares[i];
            if (sum < 1 || !_range.Holds(atoms[i].Loss))
                continue;
            _knots.Add((atoms[i].Loss, 0, false));
            sum = 0;
        }
    }

    private static double[] Scaled(double[] shares)
    {
        var scale = Math.Min(1, MostKnots / Math.Max(1, shares.Sum()));
        return [.. shares.Select(share => share * scale)];
    }

    private void Force(double loss)
    {
        if (_range.Holds(loss))
            _knots.Add((loss, _losses.Panels.Count > 0 ? _losses.Inverse(loss) : 0, true));
    }

    /// <summary>Sorted, and none nearer to its neighbour than losses are known.</summary>
    private void Keep()
    {
        _knots.Sort((a, b) => a.Loss != b.Loss ? a.Loss.CompareTo(b.Loss) : b.Forced.CompareTo(a.Forced));
        var kept = new List<(double Loss, double Point, bool Forced)>(_knots.Count);
        foreach (var knot in _knots)
        {
            var near = kept.Count > 0 && knot.Loss - kept[^1].Loss <= 1e-10 * Math.Abs(knot.Loss);
            if (!near)
                kept.Add(knot);
            else if (knot.Forced && !kept[^1].Forced)
                kept[^1] = knot;
        }

        for (var i = 1; i < kept.Count; i++)
            kept[i] = kept[i] with { Point = Math.Max(kept[i].Point, kept[i - 1].Point) };
        _knots.Clear();
        _knots.AddRange(kept);
    }
}
