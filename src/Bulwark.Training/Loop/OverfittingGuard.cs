using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Watches one-step adversarial training, which can lose all robustness within an epoch while its own attack still fails.</summary>
/// <remarks>Source: Wong, Rice and Kolter, "Fast is better than free", ICLR 2020, section 5.4 (arXiv:2001.03994). Weights of the best epoch come back; the rest trains with two steps.</remarks>
internal sealed class OverfittingGuard(DenseNetwork<float> network, TrainingOptions options, ValidationScore judge)
{
    private readonly RobustOptions _robust = options.Robust!;
    private float[] _best = [];
    private double _bestAccuracy = double.NegativeInfinity;
    private bool _tripped;

    /// <summary>Accuracy on moved rows when last looked.</summary>
    internal double Last { get; private set; }

    /// <summary>What training goes on with after a fall.</summary>
    internal TrainingOptions Safer => options with { Robust = _robust with { Method = RobustMethod.ProjectedGradient, Steps = 2, StepSize = null } };

    /// <summary>After an epoch: whether robustness fell; then the best parameters are back.</summary>
    internal bool Trips()
    {
        Last = judge.Guarded(_robust);
        if (Last >= _bestAccuracy)
            (_bestAccuracy, _best) = (Last, network.Parameters.ToArray());
        if (_tripped || Last >= _bestAccuracy - (_robust.GuardPoints / 100))
            return false;
        _best.CopyTo(network.Parameters);
        _tripped = true;
        return true;
    }
}
