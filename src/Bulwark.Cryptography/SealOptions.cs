using System.Text;

namespace Bulwark.Cryptography;

/// <summary>How a sealed file's payload is encrypted.</summary>
public enum SealSuite
{
    /// <summary>FLOE, AES-256-GCM, 1 MiB segments: the fastest for anything large.</summary>
    Floe = 1,

    /// <summary>Cobblestone-256: C2SP chunked encryption, AES-256-GCM, 16 KiB chunks: less to read for a small range.</summary>
    Cobblestone = 2,
}

/// <summary>How one file is sealed.</summary>
public sealed record SealOptions
{
    /// <summary>Who will be able to open it: 1 to 64.</summary>
    public required IReadOnlyList<SealRecipient> Recipients { get; init; }

    /// <summary>How the payload is encrypted.</summary>
    /// <value>Default <see cref="SealSuite.Floe"/>.</value>
    public SealSuite Suite { get; init; } = SealSuite.Floe;

    /// <summary>What the plaintext is. Readable without a key.</summary>
    /// <value>Default <c>application/octet-stream</c>.</value>
    public string MediaType { get; init; } = "application/octet-stream";

    /// <summary>Facts bound to the file, readable without a key: no secret belongs here.</summary>
    /// <value>Default empty.</value>
    public IReadOnlyDictionary<string, string> Context { get; init; } = new Dictionary<string, string>();

    /// <summary>Room for slots in bytes: later recipients must fit, because the payload behind them does not move.</summary>
    /// <value>512 to 65,536. Default null: twice what the first recipients need, at least 1,024.</value>
    public int? SlotCapacityInBytes { get; init; }

    /// <summary>Threads that encrypt, at 2 MiB each.</summary>
    /// <value>Default 0: one a core.</value>
    public int Threads { get; init; }

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Recipients is not { Count: >= 1 and <= SealedFileHeader.MaximumSlots })
            yield return $"{nameof(Recipients)} has {Recipients?.Count ?? 0}; a file has 1 to {SealedFileHeader.MaximumSlots}.";
        if (!Enum.IsDefined(Suite))
            yield return $"{nameof(Suite)} is {Suite}; it must be one of {string.Join(", ", Enum.GetNames<SealSuite>())}.";
        if (SlotCapacityInBytes is < SealedFileHeader.SmallestSlotCapacity or > SealedFileHeader.MaximumPart)
            yield return $"{nameof(SlotCapacityInBytes)} is {SlotCapacityInBytes}; it must be {SealedFileHeader.SmallestSlotCapacity} to {SealedFileHeader.MaximumPart}.";
        if (Threads < 0)
            yield return $"{nameof(Threads)} is {Threads}; it must be 0 or more.";
        if (string.IsNullOrWhiteSpace(MediaType))
            yield return $"{nameof(MediaType)} is empty.";
        var size = Encoding.UTF8.GetByteCount(MediaType) + Context.Sum(fact => Encoding.UTF8.GetByteCount(fact.Key) + Encoding.UTF8.GetByteCount(fact.Value));
        if (size > MaximumFactsInBytes)
            yield return $"{nameof(MediaType)} and {nameof(Context)} have {size} bytes; at most {MaximumFactsInBytes} are kept.";
    }

    internal const int MaximumFactsInBytes = 32 * 1024;
}
