namespace Bulwark.Privacy.Accounting;

/// <summary>
/// A privacy loss distribution moved onto the lattice {i·h}: once so that no adversary loses by it (upper), once so that none gains (lower).
/// </summary>
/// <remarks>
/// Upper: each outcome is split between its two lattice neighbours so that its mass under P and under Q stays:
/// the connect-the-dots construction of Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, PETS 2022 (arXiv:2207.04380).
/// Lower: see <see cref="OptimisticGrid"/>. The error per release is of second order in h.
/// </remarks>
internal sealed class LossGrid
{
    private readonly double _mesh;
    private readonly double _expMesh;

    /// <param name="losses">The distribution.</param>
    /// <param name="mesh">h.</param>
    /// <param name="low">Losses below it move up to it (upper), or count as never seen (lower).</param>
    /// <param name="high">Losses above it count as infinite (upper), or move down to it (lower).</param>
    internal LossGrid(LossDistribution losses, double mesh, double low, double high)
    {
        _mesh = mesh;
        _expMesh = Precise.Expm1(mesh);
        Count = losses.Count;
        First = Math.Min(-1, (long)Math.Floor(low / mesh));
        var last = Math.Max(1, (long)Math.Ceiling(high / mesh));
        Cells = checked((int)(last - First));
        ToLower = new double[Cells];
        ToUpper = new double[Cells];
        foreach (var (mass, loss) in losses.Atoms)
            Place((long)Math.Floor(loss / mesh), mass, loss);
        if (losses.HasDensity)
            PlaceDensity(losses);
        TrueInfinity = losses.Infinity;
        Infinity = losses.Infinity + AboveExcess + losses.Tail;
        Upper = UpperMasses(losses.Tail);
        Lower = new OptimisticGrid(this).Masses;
    }

    internal long Count { get; }

    /// <summary>Lattice index of the first point.</summary>
    internal long First { get; }

    internal int Cells { get; }

    /// <summary>Mass of each cell that goes to its lower end …</summary>
    internal double[] ToLower { get; }

    /// <summary>… and to its upper end.</summary>
    internal double[] ToUpper { get; }

    /// <summary>Mass under P below the first point, and ∫(e^(l₀−L) − 1) over it.</summary>
    internal double Below { get; private set; }

    internal double BelowExcess { get; private set; }

    /// <summary>Mass above the last point that stays finite, and ∫(1 − e^(l−L)) over it.</summary>
    internal double Above { get; private set; }

    internal double AboveExcess { get; private set; }

    internal double TrueInfinity { get; }

    /// <summary>Mass at infinite loss of the upper distribution.</summary>
    internal double Infinity { get; }

    /// <summary>Masses under P at First, First+1, … of the upper and of the lower distribution.</summary>
    internal double[] Upper { get; }

    internal double[] Lower { get; }

    internal double Mesh => _mesh;

    internal double Point(int i) => (First + i) * _mesh;

    private void PlaceDensity(LossDistribution losses)
    {
        var edge = losses.Inverse(Point(0));
        losses.Integrate(losses.From, edge, (mass, loss) => Place(First - 1, mass, loss));
        for (var i = 0; i < Cells; i++)
        {
            var next = losses.Inverse(Point(i + 1));
            var cell = First + i;
            losses.Integrate(edge, next, (mass, loss) => Place(cell, mass, loss));
            edge = next;
        }

        losses.Integrate(edge, losses.To, (mass, loss) => Place(First + Cells, mass, loss));
    }

    private void Place(long index, double mass, double loss)
    {
        if (index < First)
        {
            Below += mass;
            BelowExcess += mass * Precise.Expm1(Math.Max(0, Point(0) - loss));
        }
        else if (index >= First + Cells)
        {
            var excess = -mass * Precise.Expm1(-Math.Max(0, loss - Point(Cells)));
            Above += mass - excess;
            AboveExcess += excess;
        }
        else
        {
            var above = Math.Clamp(loss - (index * _mesh), 0, _mesh);
            var i = (int)(index - First);
            ToLower[i] += mass * Precise.Expm1(_mesh - above) / _expMesh;
            ToUpper[i] += mass * Precise.Expm1(-above) / Precise.Expm1(-_mesh);
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
}
