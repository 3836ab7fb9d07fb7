using System.Text;

namespace Bulwark.Cryptography;

/// <summary>How one file is sealed.</summary>
public sealed record SealOptions
{
    /// <summary>Holds the key that wraps the file's own data key.</summary>
    public required KeyRing Keys { get; init; }

    /// <summary>The name of that key in <see cref="Keys"/>: a symmetric key with an enabled version.</summary>
    public required string Kek { get; init; }

    /// <summary>What the plaintext is. Readable without a key.</summary>
    /// <value>Default <c>application/octet-stream</c>.</value>
    public string MediaType { get; init; } = "application/octet-stream";

    /// <summary>Facts bound to the file, readable without a key: no secret belongs here.</summary>
    /// <value>Default empty.</value>
    public IReadOnlyDictionary<string, string> Context { get; init; } = new Dictionary<string, string>();

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!KeyId.IsName(Kek))
            yield return $"{nameof(Kek)} '{Kek}' is no key name.";
        if (string.IsNullOrWhiteSpace(MediaType))
            yield return $"{nameof(MediaType)} is empty.";
        var size = Encoding.UTF8.GetByteCount(MediaType) + Context.Sum(fact => Encoding.UTF8.GetByteCount(fact.Key) + Encoding.UTF8.GetByteCount(fact.Value));
        if (size > MaximumFactsInBytes)
            yield return $"{nameof(MediaType)} and {nameof(Context)} have {size} bytes; at most {MaximumFactsInBytes} are kept.";
    }

    internal const int MaximumFactsInBytes = 32 * 1024;
}

/// <summary>What a sealed file says of itself without a key. Nothing of it is proved until the file is opened.</summary>
/// <param name="FileId">16 random bytes in hex, different for each sealing.</param>
/// <param name="MediaType">What the plaintext is.</param>
/// <param name="Created">When it was sealed, UTC, to the second.</param>
/// <param name="PlaintextBytes">Length of the plaintext, or null when it was not known beforehand.</param>
/// <param name="Context">Facts bound to the file.</param>
/// <param name="Slots">The keys that open it: any one is enough.</param>
public sealed record SealedFileInfo(
    string FileId, string MediaType, DateTimeOffset Created, long? PlaintextBytes, IReadOnlyDictionary<string, string> Context, IReadOnlyList<KeyUri> Slots);
