namespace Bulwark.Networks.Kernels;

/// <summary>Standard normal draws from a seed, the same on every machine: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) through Box and Muller's transform.</summary>
internal sealed class NormalDraws(ulong seed)
{
    private ulong _state = seed;
    private double? _spare;

    internal double Next()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }

        var radius = Math.Sqrt(-2 * Math.Log(1 - NextUniform()));
        var (sine, cosine) = Math.SinCos(2 * Math.PI * NextUniform());
        _spare = radius * sine;
        return radius * cosine;
    }

    /// <summary>In [0, 1), a multiple of 2^-53.</summary>
    internal double NextUniform()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1ul << 53));
    }
}
