namespace Bulwark.Privacy.Accounting;

/// <summary>A distribution on knots whose hockey-stick curve lies nowhere above the true one.</summary>
/// <remarks>
/// With γ = e^loss, the curve H(γ) = E_Q[(P/Q − γ)₊] is convex, and any convex piecewise linear curve below it with knots on the
/// lattice belongs to a pair of distributions that is easier to keep private (Blackwell order), also after composition. Here:
/// every knot is lowered by κ until the chord of each cell lies below the tangents at its two ends, which lie below H;
/// then the lower convex hull is taken. All steps are done on second differences (masses under Q), so nothing cancels.
/// </remarks>
internal sealed class OptimisticMesh
{
    private readonly LossMesh _mesh;
    private readonly double[] _width;    // Δγ of each cell
    private readonly double[] _alpha;    // mass under Q that the cell sends to its lower end
    private readonly double[] _beta;     // … and to its upper end
    private readonly double[] _excess;   // H(γ) − (1−γ)₊ at each point: the most that a point may be lowered

    internal OptimisticMesh(LossMesh mesh)
    {
        _mesh = mesh;
        (_width, _alpha, _beta) = (new double[mesh.Cells], new double[mesh.Cells], new double[mesh.Cells]);
        _excess = new double[mesh.Cells + 1];
        for (var i = 0; i < mesh.Cells; i++)
        {
            _alpha[i] = mesh.ToLower[i] * Math.Exp(-mesh.Knot(i));
            _beta[i] = mesh.ToUpper[i] * Math.Exp(-mesh.Knot(i + 1));
            _width[i] = Math.Exp(mesh.Knot(i)) * Precise.Expm1(mesh.Knot(i + 1) - mesh.Knot(i));
        }

        var below = (mesh.Below + mesh.BelowExcess) * Math.Exp(-mesh.Knot(0));   // mass under Q
        var above = mesh.Above * Math.Exp(-mesh.Knot(mesh.Cells));
        FillExcess(below, above);
        Masses = ToMasses(Hull(Lowered(Lowering(), below, above)));
    }

    /// <summary>Masses under P at knots points.</summary>
    internal double[] Masses { get; }

    private int Zero => _mesh.Zero;

    private void FillExcess(double below, double above)
    {
        _excess[0] = _mesh.BelowExcess;
        for (var i = 0; i < Zero; i++)
        {
            _excess[i + 1] = _excess[i] + (_width[i] * (below + _alpha[i]));
            below += _alpha[i] + _beta[i];
        }

        _excess[_mesh.Cells] = _mesh.AboveExcess;
        for (var i = _mesh.Cells - 1; i >= Zero; i--)
        {
            var value = _excess[i + 1] + (_width[i] * (above + _beta[i]));
            _excess[i] = i == Zero && Zero > 0 ? Math.Min(_excess[i], value) : value;
            above += _alpha[i] + _beta[i];
        }
    }

    private double[] Lowering()
    {
        var lowering = new double[_mesh.Cells + 1];
        for (var i = 0; i < _mesh.Cells; i++)
        {
            var gap = _alpha[i] + _beta[i] > 0 ? _width[i] * _alpha[i] * _beta[i] / (_alpha[i] + _beta[i]) : 0;
            lowering[i] = Math.Max(lowering[i], gap);
            lowering[i + 1] = Math.Max(lowering[i + 1], gap);
        }

        for (var i = 0; i < lowering.Length; i++)
            lowering[i] = Math.Min(lowering[i], _excess[i]);
        (lowering[0], lowering[^1]) = (_excess[0], _excess[^1]);
        // A point at its limit leaves more for its neighbour to do: κᵢ/(βΔ) + κᵢ₊₁/(αΔ) ≥ 1 in every cell.
        for (var i = 0; i < Zero; i++)
            lowering[i + 1] = Math.Max(lowering[i + 1], Math.Min(_excess[i + 1], Rest(lowering[i], _beta[i], _alpha[i], _width[i])));
        for (var i = _mesh.Cells - 1; i >= Zero; i--)
            lowering[i] = Math.Max(lowering[i], Math.Min(_excess[i], Rest(lowering[i + 1], _alpha[i], _beta[i], _width[i])));
        return lowering;
    }

    private static double Rest(double neighbour, double neighbourShare, double share, double width) =>
        neighbourShare > 0 ? Math.Max(0, share * (width - (neighbour / neighbourShare))) : 0;

    /// <summary>Masses under Q at the knots of the lowered curve; some may be negative: the curve need not be convex yet.</summary>
    private double[] Lowered(double[] lowering, double below, double above)
    {
        var masses = new double[_mesh.Cells + 1];
        (masses[0], masses[^1]) = (below, above);
        for (var i = 0; i < _mesh.Cells; i++)
        {
            var slope = (lowering[i + 1] - lowering[i]) / _width[i];
            masses[i] += _alpha[i] - slope;
            masses[i + 1] += _beta[i] + slope;
        }

        return masses;
    }

    /// <summary>Lower convex hull: a knot that bends the wrong way is removed, and its neighbours share its bend.</summary>
    private double[] Hull(double[] masses)
    {
        var stack = new List<int>(masses.Length);
        for (var i = 0; i < masses.Length; i++)
        {
            stack.Add(i);
            while (i + 1 < masses.Length && stack.Count >= 2 && masses[stack[^1]] < 0)
                RemoveTop(stack, masses, i + 1);
        }

        return masses;
    }

    private void RemoveTop(List<int> stack, double[] masses, int right)
    {
        var (left, knot) = (stack[^2], stack[^1]);
        var (toLeft, toRight) = (Distance(left, knot), Distance(knot, right));
        masses[left] += masses[knot] * toRight / (toLeft + toRight);
        masses[right] += masses[knot] * toLeft / (toLeft + toRight);
        masses[knot] = 0;
        stack.RemoveAt(stack.Count - 1);
    }

    private double Distance(int from, int to) => Math.Exp(_mesh.Knot(from)) * Precise.Expm1(_mesh.Knot(to) - _mesh.Knot(from));

    private double[] ToMasses(double[] underQ)
    {
        for (var i = 0; i < underQ.Length; i++)
            underQ[i] = Math.Max(0, underQ[i]) * Math.Exp(_mesh.Knot(i));
        return underQ;
    }
}
