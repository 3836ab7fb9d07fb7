using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>Clipping by its name on the command line and in pipelines.</summary>
internal static class Clipping
{
    internal static readonly string[] Names = ["flat", "per-layer", "automatic", "adaptive"];

    /// <summary>The options with that clipping.</summary>
    /// <param name="options">Private options.</param>
    /// <param name="name">One of <see cref="Names"/>.</param>
    internal static PrivacyOptions Of(PrivacyOptions options, string name) => name switch
    {
        "per-layer" => options with { Clipping = ClippingStyle.PerLayer },
        "automatic" => options with { Clipping = ClippingStyle.Automatic },
        "adaptive" => options with { Adaptive = new AdaptiveClipping() },
        _ => options,
    };
}
