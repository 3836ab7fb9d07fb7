namespace Bulwark.Privacy.Accounting;

/// <summary>Functions that .NET lacks and that lose all digits when written naively.</summary>
internal static class Precise
{
    /// <summary>eˣ−1 (Kahan's correction).</summary>
    internal static double Expm1(double x)
    {
        if (Math.Abs(x) < 1e-5)
            return x + (0.5 * x * x) + (x * x * x / 6);
        var u = Math.Exp(x);
        if (x > 0.7 || x < -0.7)
            return u - 1;
        return u == 1 ? x : (u - 1) * x / Math.Log(u);
    }

    /// <summary>log(1+x) (Kahan's correction).</summary>
    internal static double Log1p(double x)
    {
        if (Math.Abs(x) < 1e-5)
            return x - (0.5 * x * x) + (x * x * x / 3);
        var u = 1 + x;
        return u == 1 ? x : double.IsInfinity(u) ? u : Math.Log(u) * x / (u - 1);
    }
}
