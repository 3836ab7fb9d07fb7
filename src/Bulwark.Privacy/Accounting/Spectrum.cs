using System.Numerics;

namespace Bulwark.Privacy.Accounting;

/// <summary>
/// log E[exp((λ+iω)·S)] − K(λ) of the composed upper and lower losses at ω = 0, Δ, 2Δ, … , and how well each is known.
/// </summary>
/// <remarks>
/// The knots are not evenly spaced, so this is a discrete Fourier transform of a non-uniform mesh, done directly: each knot's e^(iωl) − 1 is
/// turned on from one frequency to the next. Taking 1 off keeps the digits when one of 10⁶ releases loses almost nothing.
/// </remarks>
internal sealed class Spectrum
{
    private const double Unit = 2.220446049250313e-16;

    internal Spectrum(int frequencies, double step)
    {
        Step = step;
        (UpperLog, UpperPhase, LowerLog, LowerPhase) = (new double[frequencies], new double[frequencies], new double[frequencies], new double[frequencies]);
        (UpperBound, LowerBound) = (new double[frequencies], new double[frequencies]);
    }

    internal double Step { get; }

    internal double[] UpperLog { get; }

    internal double[] UpperPhase { get; }

    internal double[] LowerLog { get; }

    internal double[] LowerPhase { get; }

    /// <summary>Log of what the sizes are certainly not above, with what rounding did to a release's transform: (|ρ| + e)ⁿ.</summary>
    internal double[] UpperBound { get; }

    internal double[] LowerBound { get; }

    /// <summary>A Gaussian release on all records, in closed form: K(z) = z(z+1)μ²/2.</summary>
    internal void AddGaussian(double noiseMultiplier, double tilt)
    {
        var half = 0.5 / (noiseMultiplier * noiseMultiplier);
        for (var k = 0; k < UpperLog.Length; k++)
        {
            var omega = k * Step;
            var (log, phase) = (-half * omega * omega, half * omega * ((2 * tilt) + 1));
            UpperLog[k] += log;
            LowerLog[k] += log;
            UpperPhase[k] += phase;
            LowerPhase[k] += phase;
            UpperBound[k] += log;
            LowerBound[k] += log;
        }
    }

    /// <summary>Adds a release <paramref name="count"/> times.</summary>
    /// <param name="losses">Knots.</param>
    /// <param name="upper">Tilted masses, sum 1.</param>
    /// <param name="lower">Tilted masses, sum 1.</param>
    /// <param name="count">How often.</param>
    internal void Add(double[] losses, double[] upper, double[] lower, long count)
    {
        var width = Vector<double>.Count;
        var length = (losses.Length + width - 1) / width * width;
        var rotation = new Rotation(length);
        rotation.Fill(losses, upper, lower, Step);
        for (var k = 1; k < UpperLog.Length; k += 2)
        {
            var (first, second) = rotation.Next();
            AddPower(first.UpperRe, first.UpperIm, count, UpperLog, UpperPhase, UpperBound, k);
            AddPower(first.LowerRe, first.LowerIm, count, LowerLog, LowerPhase, LowerBound, k);
            if (k + 1 == UpperLog.Length)
                break;
            AddPower(second.UpperRe, second.UpperIm, count, UpperLog, UpperPhase, UpperBound, k + 1);
            AddPower(second.LowerRe, second.LowerIm, count, LowerLog, LowerPhase, LowerBound, k + 1);
        }
    }

    private static void AddPower(double re, double im, long count, double[] logs, double[] phases, double[] bounds, int k)
    {
        var square = (re * (2 + re)) + (im * im);   // |1+d|² − 1
        var log = square > -1 ? 0.5 * Precise.Log1p(square) : double.NegativeInfinity;
        logs[k] += count * log;
        phases[k] += count * Math.Atan2(im, 1 + re);
        // |e^(iωl) − 1| averages at most √(−2·Re); each turn adds a rounding of that size.
        var error = 4 * Unit * (k + 8) * Math.Sqrt(Math.Max(1e-300, -2 * re));
        bounds[k] += count * (log + Precise.Log1p(error * Math.Exp(-Math.Max(log, -700))));
    }

    /// <summary>e^(iωl) − 1 for every knot, at one frequency after the other.</summary>
    private sealed class Rotation(int length)
    {
        private readonly double[] _re = new double[length];
        private readonly double[] _im = new double[length];
        private readonly double[] _turnRe = new double[length];   // cos − 1 of one step
        private readonly double[] _turnIm = new double[length];
        private readonly double[] _upper = new double[length];
        private readonly double[] _lower = new double[length];

        internal void Fill(double[] losses, double[] upper, double[] lower, double step)
        {
            upper.CopyTo(_upper, 0);
            lower.CopyTo(_lower, 0);
            for (var i = 0; i < losses.Length; i++)
            {
                var angle = losses[i] * step;
                var half = Math.Sin(angle / 2);
                (_turnRe[i], _turnIm[i]) = (-2 * half * half, Math.Sin(angle));
            }
        }

        /// <summary>The next two frequencies: what was loaded serves both.</summary>
        internal (Sum First, Sum Second) Next()
        {
            var (a, b, c, d) = (Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero);
            var (e, f, g, h) = (Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero);
            for (var i = 0; i < _re.Length; i += Vector<double>.Count)
            {
                var (re, im) = (new Vector<double>(_re, i), new Vector<double>(_im, i));
                var (turnRe, turnIm) = (new Vector<double>(_turnRe, i), new Vector<double>(_turnIm, i));
                var (up, low) = (new Vector<double>(_upper, i), new Vector<double>(_lower, i));
                // (1+d)(1+t) − 1 = d + t + d·t
                var oneRe = re + turnRe + ((re * turnRe) - (im * turnIm));
                var oneIm = im + turnIm + ((re * turnIm) + (im * turnRe));
                var twoRe = oneRe + turnRe + ((oneRe * turnRe) - (oneIm * turnIm));
                var twoIm = oneIm + turnIm + ((oneRe * turnIm) + (oneIm * turnRe));
                twoRe.CopyTo(_re, i);
                twoIm.CopyTo(_im, i);
                a += up * oneRe;
                b += up * oneIm;
                c += low * oneRe;
                d += low * oneIm;
                e += up * twoRe;
                f += up * twoIm;
                g += low * twoRe;
                h += low * twoIm;
            }

            return (new Sum(Vector.Sum(a), Vector.Sum(b), Vector.Sum(c), Vector.Sum(d)), new Sum(Vector.Sum(e), Vector.Sum(f), Vector.Sum(g), Vector.Sum(h)));
        }
    }

    private readonly record struct Sum(double UpperRe, double UpperIm, double LowerRe, double LowerIm);
}
