namespace Bulwark.Cryptography;

/// <summary>What a sealed file says of itself without a key. Nothing of it is proved until the file is opened.</summary>
/// <param name="FileId">16 random bytes in hex, different for each sealing.</param>
/// <param name="Suite">How the payload is encrypted.</param>
/// <param name="MediaType">What the plaintext is.</param>
/// <param name="Created">When it was sealed, UTC, to the second.</param>
/// <param name="PlaintextBytes">Length of the plaintext, or null when it was not known beforehand.</param>
/// <param name="Context">Facts bound to the file.</param>
public sealed record SealedFileInfo(
    string FileId, SealSuite Suite, string MediaType, DateTimeOffset Created, long? PlaintextBytes, IReadOnlyDictionary<string, string> Context)
{
    /// <summary>Who opens it: any one is enough. Before the file is opened everyone whom either copy of the slots names, unproved; after, those of the copy that the key proved.</summary>
    public IReadOnlyList<KeySlot> Slots { get; init; } = [];

    /// <summary>True when the two copies of the slots differ: a rewrap was interrupted, or one was damaged. The file opens; rewrapping it again mends it.</summary>
    public bool NeedsMending { get; init; }
}
