namespace Bulwark.Privacy.Accounting;

/// <summary>Privacy loss log(P/Q) of one release in one direction, with its distribution under P.</summary>
internal sealed class LossDistribution
{
    private static readonly double[] Nodes8 = [0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363];
    private static readonly double[] Weights8 = [0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763];
    private static readonly double[] Nodes4 = [0.3399810435848563, 0.8611363115940526];
    private static readonly double[] Weights4 = [0.6521451548625461, 0.3478548451374538];

    private readonly MechanismPair _pair;
    private readonly double _q;
    private readonly bool _adding;

    /// <param name="release">What ran, how often.</param>
    /// <param name="adding">False: P has the record. True: Q has it.</param>
    internal LossDistribution(Release release, bool adding)
    {
        _pair = MechanismPair.Of(release);
        _q = release.Group > 1 ? 1 : release.SamplingProbability;
        IsSymmetric = _q == 1 && _pair.IsSymmetric;
        _adding = adding && !IsSymmetric && !release.FixedSize;
        Count = release.Count;
        Mirrored = release.FixedSize;
        Infinity = _adding ? 0 : _q * _pair.Infinity;
        Atoms = [.. _pair.Atoms.Select(atom => Atom(atom.LogMass, MechanismPair.Mix(_q, atom.LogRatio))).OrderBy(atom => atom.Loss)];
        Panels = _pair.Regions.Count == 0 ? [] : [.. Cut()];
    }

    internal long Count { get; }

    /// <summary>Both directions have the same losses.</summary>
    internal bool IsSymmetric { get; }

    /// <summary>The positive losses count in both directions (<see cref="Release.FixedSize"/>).</summary>
    internal bool Mirrored { get; }

    internal double Infinity { get; }

    /// <summary>Mass that the quadrature does not see, at either end.</summary>
    internal double Tail => _pair.Tail;

    /// <summary>Points of mass, by rising loss.</summary>
    internal IReadOnlyList<(double Mass, double Loss)> Atoms { get; }

    /// <summary>Stretches of the continuous piece, in order of rising loss; neighbours touch unless nothing lies between them.</summary>
    internal IReadOnlyList<Panel> Panels { get; }

    /// <summary>Loss at a point of the continuous piece; rises with <paramref name="u"/>.</summary>
    internal double LossAt(double u)
    {
        var mixed = MechanismPair.Mix(_q, _pair.LogRatio(_adding ? -u : u));
        return _adding ? -mixed : mixed;
    }

    /// <summary>Mass and loss at every quadrature node of [<paramref name="from"/>, <paramref name="to"/>], whose sum is the integral.</summary>
    internal void Integrate<TSum>(double from, double to, ref TSum sum)
        where TSum : struct, ILossSum
    {
        if (!(to > from))
            return;
        var narrow = to - from < 0.2 * _pair.Panel;
        var (nodes, weights) = narrow ? (Nodes4, Weights4) : (Nodes8, Weights8);
        var half = (to - from) / 2;
        var middle = from + half;
        for (var i = 0; i < nodes.Length; i++)
        {
            Node(middle - (half * nodes[i]), half * weights[i], ref sum);
            Node(middle + (half * nodes[i]), half * weights[i], ref sum);
        }
    }

    /// <summary>Every atom and every quadrature node.</summary>
    internal (double[] Masses, double[] Losses) Samples()
    {
        var sum = new SampleSum([.. Atoms.Select(atom => atom.Mass)], [.. Atoms.Select(atom => atom.Loss)]);
        foreach (var panel in Panels)
            Integrate(panel.From, panel.To, ref sum);
        return ([.. sum.Masses], [.. sum.Losses]);
    }

    /// <summary>The point of the continuous piece with this loss, by bisection, or the end that is nearer.</summary>
    internal double Inverse(double loss)
    {
        var (low, high) = (Panels[0].From, Panels[^1].To);
        for (var i = 0; i < 200 && high - low > 1e-15 * Math.Max(1e-3, Math.Abs(low) + Math.Abs(high)); i++)
        {
            var middle = (low + high) / 2;
            (low, high) = LossAt(middle) < loss ? (middle, high) : (low, middle);
        }

        return high;
    }

    private IEnumerable<Panel> Cut()
    {
        var regions = _adding ? _pair.Regions.Reverse().Select(region => (From: -region.To, To: -region.From)) : _pair.Regions;
        foreach (var (from, to) in regions)
        {
            var count = Math.Max(8, (int)Math.Ceiling((to - from) / _pair.Panel));
            var left = LossAt(from);
            for (var i = 0; i < count; i++)
            {
                var (a, b) = (from + ((to - from) * i / count), i + 1 == count ? to : from + ((to - from) * (i + 1) / count));
                var right = LossAt(b);
                yield return new Panel(a, b, left, right, Mass(a, b));
                left = right;
            }
        }
    }

    private double Mass(double from, double to)
    {
        var sum = default(MassSum);
        Integrate(from, to, ref sum);
        return sum.Mass;
    }

    private (double Mass, double Loss) Atom(double logMass, double mixed) => _adding ? (Math.Exp(logMass), -mixed) : (Math.Exp(logMass + mixed), mixed);

    private void Node<TSum>(double u, double weight, ref TSum sum)
        where TSum : struct, ILossSum
    {
        var x = _adding ? -u : u;
        var mixed = MechanismPair.Mix(_q, _pair.LogRatio(x));
        if (_adding)
            sum.Add(weight * Math.Exp(_pair.LogDensity(x)), -mixed);
        else
            sum.Add(weight * Math.Exp(_pair.LogDensity(x) + mixed), mixed);
    }

    private readonly struct SampleSum(List<double> masses, List<double> losses) : ILossSum
    {
        internal List<double> Masses => masses;

        internal List<double> Losses => losses;

        public void Add(double mass, double loss)
        {
            masses.Add(mass);
            losses.Add(loss);
        }
    }

    private struct MassSum : ILossSum
    {
        internal double Mass;

        public void Add(double mass, double loss) => Mass += mass;
    }
}

/// <summary>Takes the nodes of an integral over losses.</summary>
internal interface ILossSum
{
    /// <summary>One node.</summary>
    void Add(double mass, double loss);
}

/// <summary>A stretch of the continuous piece with its losses at both ends and its mass under P.</summary>
internal readonly record struct Panel(double From, double To, double LossFrom, double LossTo, double Mass)
{
    internal Stretch Stretch => new(Mass, (LossFrom + LossTo) / 2, LossTo - LossFrom);

    internal double Width => To - From;
}
