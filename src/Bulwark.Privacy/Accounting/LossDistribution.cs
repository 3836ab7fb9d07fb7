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
        _pair = MechanismPair.Of(release.Mechanism);
        _q = release.SamplingProbability;
        _adding = adding && _q < 1;   // on all records every pair here is symmetric
        Count = release.Count;
        Infinity = _adding ? 0 : _q * _pair.Infinity;
        Atoms = [.. _pair.Atoms.Select(atom => Atom(atom.Mass, MechanismPair.Mix(_q, atom.LogRatio)))];
        (From, To) = _adding ? (-_pair.To, -_pair.From) : (_pair.From, _pair.To);
    }

    internal long Count { get; }

    internal double Infinity { get; }

    /// <summary>Mass that the quadrature does not see, at either end.</summary>
    internal double Tail => _pair.Tail;

    internal IReadOnlyList<(double Mass, double Loss)> Atoms { get; }

    internal double From { get; }

    internal double To { get; }

    internal bool HasDensity => To > From;

    /// <summary>Mass and loss at every quadrature node of [<paramref name="from"/>, <paramref name="to"/>], whose sum is the integral.</summary>
    internal void Integrate(double from, double to, Action<double, double> add)
    {
        if (!(to > from))
            return;
        var narrow = to - from < 0.2 * _pair.Panel;
        var (nodes, weights) = narrow ? (Nodes4, Weights4) : (Nodes8, Weights8);
        var panels = (int)Math.Ceiling((to - from) / _pair.Panel);
        var half = (to - from) / panels / 2;
        for (var panel = 0; panel < panels; panel++)
        {
            var middle = from + (((2 * panel) + 1) * half);
            for (var i = 0; i < nodes.Length; i++)
            {
                Node(middle - (half * nodes[i]), half * weights[i], add);
                Node(middle + (half * nodes[i]), half * weights[i], add);
            }
        }
    }

    /// <summary>Every atom and every node of the whole continuous piece.</summary>
    internal List<(double Mass, double Loss)> Samples()
    {
        var samples = new List<(double, double)>(Atoms);
        Integrate(From, To, (mass, loss) => samples.Add((mass, loss)));
        return samples;
    }

    /// <summary>The point of the continuous piece with this loss, or the end that is nearer.</summary>
    internal double Inverse(double loss)
    {
        var x = _pair.Inverse(MechanismPair.Unmix(_q, _adding ? -loss : loss));
        return Math.Clamp(_adding ? -x : x, From, To);
    }

    private (double Mass, double Loss) Atom(double mass, double mixed) => _adding ? (mass, -mixed) : (mass * Math.Exp(mixed), mixed);

    private void Node(double u, double weight, Action<double, double> add)
    {
        var x = _adding ? -u : u;
        var mixed = MechanismPair.Mix(_q, _pair.LogRatio(x));
        if (_adding)
            add(weight * Math.Exp(_pair.LogDensity(x)), -mixed);
        else
            add(weight * Math.Exp(_pair.LogDensity(x) + mixed), mixed);
    }
}
