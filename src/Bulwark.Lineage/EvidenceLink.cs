using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>One link of a chain of evidence, and the links that hang on it.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Holds">Whether it holds.</param>
/// <param name="Detail">What was found.</param>
public sealed record EvidenceLink(string Name, bool Holds, string Detail)
{
    /// <summary>The failure's name, for programs; null where the link holds.</summary>
    public string? Fault { get; init; }

    /// <summary>What this link leads to.</summary>
    public IReadOnlyList<EvidenceLink> Links { get; init; } = [];

    /// <summary>True when this link and all that hang on it hold.</summary>
    [JsonIgnore]
    public bool HoldsThroughout => Holds && Links.All(link => link.HoldsThroughout);

    /// <summary>This link and all below it, from above.</summary>
    public IEnumerable<EvidenceLink> Flatten() => Links.SelectMany(link => link.Flatten()).Prepend(this);

    /// <summary>A link that holds.</summary>
    public static EvidenceLink Good(string name, string detail, params IReadOnlyList<EvidenceLink> links) => new(name, true, detail) { Links = links };

    /// <summary>A link that does not hold.</summary>
    /// <param name="name">What was checked.</param>
    /// <param name="fault">The failure's name: one word, camelCase.</param>
    /// <param name="detail">What was found.</param>
    /// <param name="links">What this link leads to all the same.</param>
    public static EvidenceLink Bad(string name, string fault, string detail, params IReadOnlyList<EvidenceLink> links) => new(name, false, detail) { Fault = fault, Links = links };
}

/// <summary>The answer about a receipt: its links in order.</summary>
/// <param name="Links">Every link that was checked.</param>
public sealed record ReceiptReport(IReadOnlyList<EvidenceLink> Links)
{
    /// <summary>The trusted worker that signed; null when none did.</summary>
    public VerificationKey? Signer { get; init; }

    /// <summary>True when there are links and each holds, with all below it.</summary>
    public bool Trusted => Links.Count > 0 && Links.All(link => link.HoldsThroughout);
}
