namespace Bulwark.Privacy.Accounting;

/// <summary>
/// A privacy loss distribution moved onto a few losses, the knots, which lie densest where most depends on it:
/// once so that no adversary loses by it (upper), once so that none gains (lower).
/// </summary>
/// <remarks>
/// Upper: each outcome is split between the two knots around it so that its mass under P and under Q stays: the connect-the-dots
/// construction of Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, PETS 2022 (arXiv:2207.04380), which needs no even spacing.
/// Lower: see <see cref="OptimisticMesh"/>. The error is of second order in the spacing.
/// </remarks>
internal sealed class LossMesh
{
    private readonly double[] _knots;

    /// <param name="losses">The distribution.</param>
    /// <param name="range">Losses below it move up to it (upper), or count as never seen (lower); above it they count as infinite (upper), or move down to it (lower).</param>
    /// <param name="density">Knots per stretch of the continuous piece, and per atom when there are too many to keep each.</param>
    internal LossMesh(LossDistribution losses, LossRange range, KnotDensity density)
    {
        Count = losses.Count;
        var knots = new KnotList(losses, range, density);
        _knots = knots.Losses;
        Cells = _knots.Length - 1;
        Zero = Array.BinarySearch(_knots, 0);
        (ToLower, ToUpper) = (new double[Cells], new double[Cells]);
        foreach (var (mass, loss) in losses.Atoms)
            Place(FindCell(loss), mass, loss);
        if (losses.Panels.Count > 0)
            PlaceDensity(losses, knots.Points);
        TrueInfinity = losses.Infinity;
        Infinity = Math.Min(1, losses.Infinity + AboveExcess + losses.Tail);
        Upper = UpperMasses(losses.Tail);
        Lower = Better(_knots[^1] < 690 ? new OptimisticMesh(this).Masses : null, RoundedDown(), density.Tilt);
        Losses = _knots;
        if (losses.Mirrored)
            (Losses, Upper, Lower) = (MirroredLosses(), Mirrored(Upper), Mirrored(Lower));
    }

    internal long Count { get; }

    /// <summary>The losses …</summary>
    internal double[] Losses { get; }

    /// <summary>… their masses under P in the upper distribution …</summary>
    internal double[] Upper { get; }

    /// <summary>… and in the lower one.</summary>
    internal double[] Lower { get; }

    internal double TrueInfinity { get; }

    /// <summary>Mass at infinite loss of the upper distribution.</summary>
    internal double Infinity { get; }

    internal int Cells { get; }

    internal int Zero { get; }

    internal double[] ToLower { get; }

    internal double[] ToUpper { get; }

    internal double Below { get; private set; }

    internal double BelowExcess { get; private set; }

    internal double Above { get; private set; }

    internal double AboveExcess { get; private set; }

    internal double Knot(int i) => _knots[i];

    private int FindCell(double loss)
    {
        var found = Array.BinarySearch(_knots, loss);
        return found >= 0 ? Math.Min(found, Cells - (loss > _knots[^1] ? 0 : 1)) : ~found - 1;
    }

    private void PlaceDensity(LossDistribution losses, double[] points)
    {
        PlaceStretch(losses, -1, losses.Panels[0].From, points[0]);
        for (var i = 0; i < Cells; i++)
            PlaceStretch(losses, i, points[i], points[i + 1]);
        PlaceStretch(losses, Cells, points[^1], losses.Panels[^1].To);
    }

    private void PlaceStretch(LossDistribution losses, int cell, double from, double to)
    {
        if (!(to > from))
            return;
        var steepness = losses.LossAt(to) - losses.LossAt(from);
        var pieces = (int)Math.Clamp(Math.Max(Math.Ceiling((to - from) / losses.Panels[0].Width), Math.Ceiling(steepness / 2)), 1, 2000);
        var sum = new CellSum(this, cell);
        for (var piece = 0; piece < pieces; piece++)
            losses.Integrate(from + ((to - from) * piece / pieces), from + ((to - from) * (piece + 1) / pieces), ref sum);
    }

    private void Place(int cell, double mass, double loss)
    {
        if (cell < 0)
        {
            Below += mass;
            BelowExcess += mass * Precise.Expm1(Math.Max(0, _knots[0] - loss));
        }
        else if (cell >= Cells)
        {
            var excess = -mass * Precise.Expm1(-Math.Max(0, loss - _knots[^1]));
            Above += mass - excess;
            AboveExcess += excess;
        }
        else
        {
            var width = _knots[cell + 1] - _knots[cell];
            var above = Math.Clamp(loss - _knots[cell], 0, width);
            // (e^(w−a) − 1)/(e^w − 1) and its complement, each without cancellation or overflow.
            ToLower[cell] += mass * Math.Exp(-above) * Precise.Expm1(above - width) / Precise.Expm1(-width);
            ToUpper[cell] += mass * Precise.Expm1(-above) / Precise.Expm1(-width);
        }
    }

    private double[] UpperMasses(double tail)
    {
        var masses = new double[Cells + 1];
        masses[0] = Below + tail;
        masses[Cells] = Above;
        for (var i = 0; i < Cells; i++)
        {
            masses[i] += ToLower[i];
            masses[i + 1] += ToUpper[i];
        }

        return masses;
    }

    /// <summary>Both are lower distributions; where cells are wide the optimistic curve may vanish.</summary>
    private double[] Better(double[]? optimistic, double[] roundedDown, double tilt)
    {
        double Size(double[] masses) => masses.Select((mass, i) => mass * Math.Exp(tilt * (_knots[i] - _knots[^1]))).Sum();
        return optimistic is not null && Size(optimistic) >= Size(roundedDown) ? optimistic : roundedDown;
    }

    /// <summary>Every outcome moved down to the knot below it: of first order only, but safe where e^loss overflows.</summary>
    private double[] RoundedDown()
    {
        var masses = new double[Cells + 1];
        masses[Cells] = Above;
        for (var i = 0; i < Cells; i++)
            masses[i] += ToLower[i] + ToUpper[i];
        return masses;
    }

    private double[] MirroredLosses()
    {
        var positive = _knots[(Zero + 1)..];
        return [.. positive.Reverse().Select(loss => -loss), 0, .. positive];
    }

    /// <summary>Positive losses l with mass p also occur as −l with mass p·e^−l; the rest is at 0.</summary>
    private double[] Mirrored(double[] masses)
    {
        var positive = masses[(Zero + 1)..];
        var negative = positive.Select((mass, i) => mass * Math.Exp(-_knots[Zero + 1 + i])).ToArray();
        var rest = 1 - positive.Sum() - negative.Sum() - (masses == Upper ? Infinity : 0);
        return [.. negative.Reverse(), Math.Max(0, rest), .. positive];
    }

    private struct CellSum(LossMesh mesh, int cell) : ILossSum
    {
        public readonly void Add(double mass, double loss) => mesh.Place(cell, mass, loss);
    }
}

/// <summary>Losses below <see cref="Low"/> and above <see cref="High"/> matter too little to be told apart.</summary>
internal readonly record struct LossRange(double Low, double High)
{
    internal bool Holds(double loss) => loss >= Low && loss <= High;

    /// <summary>What lies outside changes δ by less than a millionth of it, over all releases.</summary>
    internal static LossRange Of(LossDistribution losses, double delta, double releases)
    {
        var allowed = delta * 1e-6 / releases;
        var points = losses.Atoms.Select(atom => (atom.Mass, From: atom.Loss, To: atom.Loss))
            .Concat(losses.Panels.Select(panel => (panel.Mass, From: panel.LossFrom, To: panel.LossTo))).OrderBy(point => point.From).ToList();
        var low = 0;
        for (var mass = 0.0; low < points.Count - 1 && (mass += points[low].Mass) < allowed; low++)
        {
        }

        // The excess over b is Σ m·(1 − e^(b−L)) over losses above b; a panel counts at its upper end.
        var high = points.Count - 1;
        for (var excess = 0.0; high > low + 1; high--)
        {
            excess += points[high].Mass;
            if (excess * -Precise.Expm1(points[high].From - points[^1].To) > allowed && excess > allowed)
                break;
        }

        return new LossRange(Math.Min(points[low].From, -1e-12), Math.Max(points[high].To, 1e-12));
    }
}
