using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What a node of a lineage graph stands for.</summary>
public enum LineageKind
{
    /// <summary>A data set.</summary>
    Data,

    /// <summary>A data set was protected.</summary>
    Protection,

    /// <summary>A training run.</summary>
    Training,

    /// <summary>A measurement.</summary>
    Evaluation,

    /// <summary>An attack.</summary>
    Attack,

    /// <summary>A sealed package.</summary>
    Package,

    /// <summary>A move to a stage.</summary>
    Promotion,

    /// <summary>A worker that was given the key, or refused it.</summary>
    Deployment,
}

/// <summary>One fact of a model's history.</summary>
/// <param name="Id">Unique in the graph.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Title">Its name.</param>
/// <param name="Details">What else is known, a line each.</param>
/// <param name="Entry">Where the log says so; null for what is only named.</param>
public sealed record LineageNode(string Id, LineageKind Kind, string Title, IReadOnlyList<string> Details, long? Entry);

/// <summary>That one fact led to another.</summary>
/// <param name="From">The earlier node's id.</param>
/// <param name="To">The later node's id.</param>
/// <param name="Label">How.</param>
public sealed record LineageEdge(string From, string To, string Label);

/// <summary>From which data, by which run, with which budget, to which deployments: a model's history as a log knows it.</summary>
/// <param name="Model">The model's name and version.</param>
/// <param name="Package">Digest of the package.</param>
/// <param name="Nodes">Its facts.</param>
/// <param name="Edges">How they hang together.</param>
public sealed record LineageGraph(string Model, Digest Package, IReadOnlyList<LineageNode> Nodes, IReadOnlyList<LineageEdge> Edges)
{
    /// <summary>Collects the history of a sealed package.</summary>
    /// <param name="reader">The log.</param>
    /// <param name="package">The package's digest.</param>
    /// <returns>Null when no trusted statement says that it was sealed.</returns>
    /// <exception cref="InvalidDataException">An entry was changed.</exception>
    public static LineageGraph? Of(LineageReader reader, Digest package)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new LineageGraphBuilder(reader).Build(package);
    }
}
