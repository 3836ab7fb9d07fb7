namespace Bulwark.Privacy.Accounting;

/// <summary>How densely knots are laid: a panel with tilted mass m over losses of width w gets (n·m·e^(tilt·loss − moment))^⅓·w^⅔ / spacing of them.</summary>
/// <param name="Tilt">λ.</param>
/// <param name="Moment">log E[e^(λ·loss)] of one release.</param>
/// <param name="Spacing">Larger means fewer.</param>
internal readonly record struct KnotDensity(double Tilt, double Moment, double Spacing)
{
    /// <summary>Splitting outcomes between knots h apart changes K(λ) by n·λ(λ+1)·E[h²]/12; this law makes that least for a number of knots.</summary>
    internal double Share(double count, double mass, double loss, double width) =>
        mass > 0 && width > 0 ? Math.Cbrt(count * mass * Math.Exp(Math.Min(300, (Tilt * loss) - Moment)) * width * width) / Spacing : 0;
}

/// <summary>Knots of a distribution, by rising loss, and where the continuous piece takes those losses.</summary>
internal sealed class KnotList
{
    private const int MostAtoms = 1200;
    private const int MostKnots = 6000;
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

    private bool Inside(double loss) => loss >= _range.Low && loss <= _range.High;

    private void AddPanels()
    {
        var shares = _losses.Panels.Select(panel => Inside(panel.LossFrom) && Inside(panel.LossTo) ? Share(panel) : 0).ToArray();
        var scale = Math.Min(1, MostKnots / Math.Max(1, shares.Sum()));
        var (sum, next) = (0.0, 0.5);
        for (var i = 0; i < shares.Length; i++)
        {
            var share = shares[i] * scale;
            for (; share > 0 && next < sum + share; next++)
            {
                var panel = _losses.Panels[i];
                var at = panel.From + (panel.Width * (next - sum) / share);
                _knots.Add((_losses.LossAt(at), at, false));
            }

            sum += share;
        }
    }

    /// <summary>Never fewer than 48 knots over the whole range: the tilt is an estimate.</summary>
    private double Share(Panel panel)
    {
        var width = panel.LossTo - panel.LossFrom;
        return Math.Max(_density.Share(_losses.Count, panel.Mass, panel.Loss, width), 48 * width / (_range.High - _range.Low));
    }

    private void AddAtoms()
    {
        if (_losses.Atoms.Count <= MostAtoms)
        {
            foreach (var (_, loss) in _losses.Atoms)
                Force(loss);
            return;
        }

        var sum = 0.0;
        var last = _losses.Atoms[0].Loss;
        foreach (var (mass, loss) in _losses.Atoms)
        {
            sum += Math.Max(_density.Share(_losses.Count, mass, loss, loss - last), 48 * (loss - last) / (_range.High - _range.Low));
            last = loss;
            if (sum < 1 || !Inside(loss))
                continue;
            _knots.Add((loss, 0, false));
            sum = 0;
        }
    }

    private void Force(double loss)
    {
        if (Inside(loss))
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
