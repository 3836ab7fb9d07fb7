using System.Numerics;
using System.Runtime.InteropServices;

namespace Bulwark.Privacy.Accounting;

/// <summary>Complex discrete Fourier transform of a power-of-two length, real and imaginary parts apart.</summary>
/// <remarks>Stockham's self-sorting radix-2 form; the inner loops run over contiguous memory and are vectorised.</remarks>
internal static class FourierTransform
{
    /// <summary>Transforms in place: Σ x·exp(∓2πi·jk/n), without a factor.</summary>
    internal static void Run(double[] real, double[] imaginary, bool inverse)
    {
        var n = real.Length;
        if (!BitOperations.IsPow2(n) || imaginary.Length != n)
            throw new ArgumentException($"Length {n} is no power of two.", nameof(real));
        var (cosines, sines) = Roots(n, inverse);
        var (re, im, toRe, toIm) = (real, imaginary, new double[n], new double[n]);
        for (var (length, stride) = (n, 1); length > 1; (length, stride) = (length / 2, stride * 2))
        {
            Stage(re, im, toRe, toIm, length / 2, stride, cosines, sines);
            (re, im, toRe, toIm) = (toRe, toIm, re, im);
        }

        if (re != real)
        {
            re.CopyTo(real, 0);
            im.CopyTo(imaginary, 0);
        }
    }

    private static void Stage(double[] re, double[] im, double[] toRe, double[] toIm, int half, int stride, double[] cosines, double[] sines)
    {
        for (var p = 0; p < half; p++)
        {
            var (c, s) = (cosines[p * stride], sines[p * stride]);
            var (a, b, to) = (p * stride, (p + half) * stride, 2 * p * stride);
            if (stride < Vector<double>.Count)
            {
                for (var q = 0; q < stride; q++)
                    Butterfly(re, im, toRe, toIm, a + q, b + q, to + q, stride, c, s);
                continue;
            }

            ButterflyRow(re, im, toRe, toIm, a, b, to, stride, c, s);
        }
    }

    private static void Butterfly(double[] re, double[] im, double[] toRe, double[] toIm, int a, int b, int to, int stride, double c, double s)
    {
        var (differenceRe, differenceIm) = (re[a] - re[b], im[a] - im[b]);
        (toRe[to], toIm[to]) = (re[a] + re[b], im[a] + im[b]);
        toRe[to + stride] = (differenceRe * c) - (differenceIm * s);
        toIm[to + stride] = (differenceRe * s) + (differenceIm * c);
    }

    private static void ButterflyRow(double[] re, double[] im, double[] toRe, double[] toIm, int a, int b, int to, int stride, double c, double s)
    {
        var aRe = Row(re, a, stride);
        var aIm = Row(im, a, stride);
        var bRe = Row(re, b, stride);
        var bIm = Row(im, b, stride);
        var sumRe = Row(toRe, to, stride);
        var sumIm = Row(toIm, to, stride);
        var turnedRe = Row(toRe, to + stride, stride);
        var turnedIm = Row(toIm, to + stride, stride);
        for (var q = 0; q < aRe.Length; q++)
        {
            var (differenceRe, differenceIm) = (aRe[q] - bRe[q], aIm[q] - bIm[q]);
            sumRe[q] = aRe[q] + bRe[q];
            sumIm[q] = aIm[q] + bIm[q];
            turnedRe[q] = (differenceRe * c) - (differenceIm * s);
            turnedIm[q] = (differenceRe * s) + (differenceIm * c);
        }
    }

    private static Span<Vector<double>> Row(double[] values, int start, int length) =>
        MemoryMarshal.Cast<double, Vector<double>>(values.AsSpan(start, length));

    private static (double[] Cosines, double[] Sines) Roots(int n, bool inverse)
    {
        var cosines = new double[Math.Max(1, n / 2)];
        var sines = new double[Math.Max(1, n / 2)];
        for (var k = 0; k < cosines.Length; k++)
        {
            var (sine, cosine) = Math.SinCos(2 * Math.PI * k / n);
            (cosines[k], sines[k]) = (cosine, inverse ? sine : -sine);
        }

        return (cosines, sines);
    }
}
