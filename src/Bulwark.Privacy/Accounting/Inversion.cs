namespace Bulwark.Privacy.Accounting;

/// <summary>Certified bounds on δ(ε) = E[(1 − e^(ε−S))₊] from the transform of S, by an integral along λ + iω.</summary>
/// <remarks>
/// With W normal of deviation τ, independent, and x′ = x − τ²/2, Jensen gives E(1−e^(x′−S−W))₊ ≥ (1−e^(x−S))₊, and the difference is the value of an
/// at-the-money-forward option, at most τ·φ((S−x)/τ)·e^((x−S)/2). So F(x) = E(1−e^(x′−S−W))₊ is an upper bound, and F(x) less τ²e^(τ²/8) times the
/// density of S + W at x − τ²/2 a lower one. Both have transforms that fall like e^(−τ²ω²/2): the integral ends where that is small, whatever S is.
/// The trapezoidal rule with step Δ gives Σₖ e^(λkP)·F(x+kP), P = 2π/Δ: every term is positive, so it never falls short, and Chernoff's inequality
/// bounds the terms beside k = 0.
/// </remarks>
internal sealed class Inversion
{
    private const double Unit = 2.220446049250313e-16;

    private readonly double _tilt;
    private readonly double _tau;
    private readonly double _step;
    private readonly double _origin;       // x is taken from here, so that e^(−λx) neither overflows nor loses digits
    private readonly double _scale;        // log of what the sums are multiplied by, at the origin
    private readonly double[] _re;
    private readonly double[] _im;
    private readonly double[] _densityRe;  // the same without 1/(z(z+1)): for the density; empty for an upper bound
    private readonly double[] _densityIm;
    private readonly double _error;        // of the sum, rounding and what lies beyond the last frequency
    private readonly double _densityError;
    private readonly double _relative;     // relative error of the scale
    private readonly Func<double, double> _beside;

    /// <param name="logs">Log of the transform's size, its value at ω = 0 taken off.</param>
    /// <param name="phases">Its phase.</param>
    /// <param name="bounds">Log of what its size is certainly not above.</param>
    /// <param name="shape">λ, Δ, τ, origin.</param>
    /// <param name="moment">K(λ).</param>
    /// <param name="releases">Number of releases.</param>
    /// <param name="beside">Log of a bound on the terms beside k = 0, at x′; null for the upper bound, which needs none.</param>
    internal Inversion(double[] logs, double[] phases, double[] bounds, InversionShape shape, double moment, double releases, Func<double, double>? beside)
    {
        (_tilt, _step, _tau, _origin) = (shape.Tilt, shape.Step, shape.Smoothing, shape.Origin);
        _beside = beside ?? (_ => double.NegativeInfinity);
        _scale = moment + (_tau * _tau * _tilt * _tilt / 2) - (_tilt * _origin) + Math.Log(_step / Math.PI);
        _relative = (8 * Unit * releases) + 1e-11;
        (_re, _im) = (new double[logs.Length], new double[logs.Length]);
        (_densityRe, _densityIm) = beside is null ? ([], []) : (new double[logs.Length], new double[logs.Length]);
        for (var k = 0; k < logs.Length; k++)
        {
            var omega = k * _step;
            var weight = (k == 0 ? 0.5 : 1) * Math.Exp(-(_tau * _tau * omega * omega / 2));
            var size = weight * Math.Exp(logs[k]);
            var turn = omega * ((_tau * _tau * _tilt) - _origin);
            var angle = phases[k] + turn;
            var uncertain = (weight * Math.Exp(bounds[k]) * (logs[k] < bounds[k] ? -Precise.Expm1(logs[k] - bounds[k]) : 0)) + (size * Unit * ((4 * (Math.Abs(phases[k]) + Math.Abs(turn))) + k + 8));
            var (sine, cosine) = Math.SinCos(angle);
            var (re, im) = (size * cosine, size * sine);
            // z(z+1) with z = λ + iω
            var (a, b) = ((_tilt * (_tilt + 1)) - (omega * omega), omega * ((2 * _tilt) + 1));
            var norm = (a * a) + (b * b);
            (_re[k], _im[k]) = (((re * a) + (im * b)) / norm, ((im * a) - (re * b)) / norm);
            _error += uncertain / Math.Sqrt(norm);
            if (beside is null)
                continue;
            (_densityRe[k], _densityIm[k]) = (re, im);
            _densityError += uncertain;
        }

        // ∫ e^(−τ²ω²/2)/ω² and ∫ e^(−τ²ω²/2) from the last frequency on, in steps.
        var last = (logs.Length - 1) * _step;
        var end = Math.Exp(-_tau * _tau * last * last / 2);
        _error += end / last / _step;
        _densityError += end / (_tau * _tau * last) / _step;
    }

    /// <summary>Not below δ(x), if this was made from losses that are not below the true ones.</summary>
    internal double Above(double x)
    {
        var shifted = x - (_tau * _tau / 2);
        return Math.Exp(_scale - (_tilt * (shifted - _origin))) * (Math.Max(0, Sum(_re, _im, shifted)) + _error) * (1 + _relative);
    }

    /// <summary>Not above δ(x), if this was made from losses that are not above the true ones.</summary>
    internal double Below(double x)
    {
        var shifted = x - (_tau * _tau / 2);
        var scale = Math.Exp(_scale - (_tilt * (shifted - _origin)));
        var smoothed = Sum(_re, _im, shifted) - _error;
        var density = Math.Max(0, Sum(_densityRe, _densityIm, shifted)) + _densityError;
        var value = (smoothed * (1 - _relative)) - (_tau * _tau * Math.Exp(_tau * _tau / 8) * density * (1 + _relative));
        return (scale * value) - Math.Exp(_beside(shifted));
    }

    /// <summary>Σ Re(aₖ·e^(−iωₖ(x−origin))).</summary>
    private double Sum(double[] re, double[] im, double x)
    {
        var (turnSine, turnCosine) = Math.SinCos(-_step * (x - _origin));
        var (cosine, sine, sum) = (1.0, 0.0, 0.0);
        for (var k = 0; k < re.Length; k++)
        {
            sum += (re[k] * cosine) - (im[k] * sine);
            (cosine, sine) = ((cosine * turnCosine) - (sine * turnSine), (cosine * turnSine) + (sine * turnCosine));
        }

        return sum;
    }
}

/// <summary>Where the integral runs and how finely.</summary>
/// <param name="Tilt">λ.</param>
/// <param name="Step">Δ.</param>
/// <param name="Smoothing">τ.</param>
/// <param name="Origin">An ε near the one that is sought.</param>
internal readonly record struct InversionShape(double Tilt, double Step, double Smoothing, double Origin);
