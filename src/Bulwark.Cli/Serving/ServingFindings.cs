using Bulwark.Cryptography;

namespace Bulwark.Cli.Serving;

/// <summary>What serving the sealed model for a moment showed.</summary>
internal sealed record ServingFinding
{
    /// <summary>Seconds from the start to a listening gateway: attest, release the key, open the model.</summary>
    public required double SessionSeconds { get; init; }

    /// <summary>Median seconds of a request over mutual TLS with everything on, one client, one at a time.</summary>
    public required double RequestMedianSeconds { get; init; }

    /// <summary>The 99th percentile of the same requests.</summary>
    public required double RequestP99Seconds { get; init; }

    /// <summary>Median seconds of a durable append to the log alone: the receipt waits for it.</summary>
    public required double AppendMedianSeconds { get; init; }

    /// <summary>Seconds of one score by the same model in this process, without anything around it.</summary>
    public required double BareScoreSeconds { get; init; }

    /// <summary>How many requests were timed.</summary>
    public required int Requests { get; init; }

    /// <summary>The evidence's kind.</summary>
    public required string EvidenceKind { get; init; }

    /// <summary>The key that signed the receipt, as the evidence named it.</summary>
    public required string WorkerKey { get; init; }

    /// <summary>The links of the first receipt, checked offline.</summary>
    public required IReadOnlyList<ReceiptLink> Links { get; init; }

    /// <summary>What was tried against the gateway and how it answered.</summary>
    public required IReadOnlyList<RefusalTrial> Refusals { get; init; }
}

/// <summary>One link of a receipt.</summary>
internal sealed record ReceiptLink(string Name, bool Holds, string Detail);

/// <summary>Something that must be refused, and the answer to it.</summary>
/// <param name="Tried">What was sent.</param>
/// <param name="Expected">The reason that must be named.</param>
/// <param name="Answer">What came back.</param>
/// <param name="Refused">Whether it was refused for that reason.</param>
internal sealed record RefusalTrial(string Tried, string Expected, string Answer, bool Refused);

/// <summary>What a trial serves and to whom.</summary>
/// <param name="Package">The sealed model.</param>
/// <param name="ModelName">Its name.</param>
/// <param name="PackageDigest">Its digest.</param>
/// <param name="PkiFolder">Development identities.</param>
/// <param name="ReceiptFolder">Where the first prediction's evidence goes.</param>
/// <param name="Row">A row that must be scored.</param>
/// <param name="OutOfBounds">A row that must be refused, and why.</param>
/// <param name="Outlier">A row of allowed values that must be refused as a whole, and why; null when there is none.</param>
internal sealed record ServingCase(
    string Package, string ModelName, Digest PackageDigest, string PkiFolder, string ReceiptFolder, float[] Row, (float[] Row, string Reason) OutOfBounds, (float[] Row, string Reason)? Outlier);
