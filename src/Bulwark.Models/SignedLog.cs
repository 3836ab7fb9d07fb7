namespace Bulwark.Models;

/// <summary>s(x) = sign(x) · ln(1 + |x|), in single precision as the exported graph computes it.</summary>
internal static class SignedLog
{
    internal static float Of(float value)
    {
        var logarithm = MathF.Log(1 + MathF.Abs(value));
        return value < 0 ? -logarithm : logarithm;
    }

    /// <summary>The x whose s(x) is <paramref name="value"/>.</summary>
    internal static double Inverse(double value) => Math.Sign(value) * (Math.Exp(Math.Abs(value)) - 1);
}
