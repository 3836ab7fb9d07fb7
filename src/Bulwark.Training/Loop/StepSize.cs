namespace Bulwark.Training.Loop;

/// <summary>How far a private run steps, by public figures alone.</summary>
/// <remarks>
/// A gradient step of length η adds noise of about η·σC/n to each weight; over a whole run that is (sum of η)·C/(n·μ), μ being signal over noise of all steps together. So the sum of
/// step lengths can grow with n·μ/C until d weights' noise, √d of it, outweighs what is still to be learnt. The constant is a rule of thumb, good within a factor of two either way.
/// </remarks>
internal static class StepSize
{
    private const double Reach = 6;
    private const double LargestLinear = 4;
    private const double LargestDeep = 0.5;
    private const double MomentumGain = 10;   // 1 / (1 - momentum)

    /// <summary>Rises over a tenth of the run, falls to a fifth.</summary>
    internal static double Schedule(double done) => Math.Min(1, (done / 0.1) + 0.1) * (1 - (0.8 * done));

    internal static double Of(PrivatePlan plan, double clipping, double rows, int parameters, bool linear)
    {
        var mean = Enumerable.Range(0, 100).Average(percent => Schedule(percent / 100.0));
        var total = Reach * plan.SignalToNoise * rows / (clipping * Math.Sqrt(parameters));
        return Math.Min(total / (MomentumGain * mean * plan.Steps), linear ? LargestLinear : LargestDeep);
    }
}
