using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>A binary model under attack.</summary>
public sealed class EvasionTarget
{
    /// <param name="scorer">Scores raw rows; every success is counted by its answer. One probability a row.</param>
    /// <param name="encoder">What the rows hold and which values may move.</param>
    /// <param name="network">The network inside, for gradients; null when only queries are possible.</param>
    /// <exception cref="ArgumentException">The three do not fit, or nothing may move.</exception>
    public EvasionTarget(IScorer scorer, FeatureEncoder encoder, DenseNetwork<float>? network = null)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(encoder);
        if (scorer.Width != encoder.Width)
            throw new ArgumentException($"The model takes rows of {scorer.Width}, the schema has {encoder.Width} features.", nameof(scorer));
        if (scorer.Classes != 1)
            throw new ArgumentException($"Evasion is measured on binary models; this one has {scorer.Classes} classes.", nameof(scorer));
        if (network is not null && (network.Shape.Inputs != encoder.EncodedWidth || network.Shape.Outputs > 2))
            throw new ArgumentException($"The network {network.Shape} does not fit {encoder.EncodedWidth} encoded values and two classes.", nameof(network));
        if (!encoder.MutableMask.Contains(true))
            throw new ArgumentException("No feature is mutable: declare which values a sender can choose.", nameof(encoder));
        (Scorer, Encoder, Network) = (scorer, encoder, network);
    }

    /// <summary>Answers for the model.</summary>
    public IScorer Scorer { get; }

    /// <summary>Turns raw rows into the space that distance is measured in.</summary>
    public FeatureEncoder Encoder { get; }

    /// <summary>The network, or null.</summary>
    public DenseNetwork<float>? Network { get; }
}
