using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>The exponential moving average of a network's parameters, step by step: the network that is judged and kept, while the other goes on learning.</summary>
/// <remarks>Source: Polyak and Juditsky, SIAM J. Control Optim. 30 (1992); for adversarial training Gowal et al., "Uncovering the Limits of Adversarial Training", 2020, section 4.3 (arXiv:2010.03593).</remarks>
internal sealed class AveragedNetwork(DenseNetwork<float> network, double decay)
{
    private readonly RunningAverage _mean = new(IterateAverage.Exponential, network.Parameters.Length, (float)(1 - decay));

    /// <summary>The mean; before the first step the network as it began.</summary>
    internal DenseNetwork<float> Network { get; private init; } = network.Clone();

    /// <summary>Counts the network's parameters as they are now. The first steps count alike, so that the start is soon forgotten.</summary>
    internal void Add()
    {
        _mean.Add(network.Parameters, 1);
        _mean.CopyTo(Network.Parameters);
    }

    /// <summary>Begins again at the network's parameters, in the same <see cref="Network"/>: what an overfitted stretch brought is not to be averaged in.</summary>
    internal AveragedNetwork Anew()
    {
        network.Parameters.CopyTo(Network.Parameters);
        return new(network, decay) { Network = Network };
    }
}
