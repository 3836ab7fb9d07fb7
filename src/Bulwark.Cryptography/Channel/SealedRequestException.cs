namespace Bulwark.Cryptography;

/// <summary>Why a sealed message is refused.</summary>
public enum SealedRefusal
{
    /// <summary>Nothing was checked.</summary>
    Unknown = 0,
    /// <summary>It is no sealed message of this version.</summary>
    Malformed,
    /// <summary>It was sealed to another key: the worker has a new one, or the message was carried to another worker.</summary>
    UnknownKey,
    /// <summary>Its session began too long ago, or in the future.</summary>
    Expired,
    /// <summary>It was opened before, or is too far behind its session.</summary>
    Replayed,
    /// <summary>Its end is missing.</summary>
    Truncated,
    /// <summary>It was changed, its parts were reordered, or it belongs to another route, session or request.</summary>
    Tampered,
    /// <summary>There is no room for another session.</summary>
    Busy,
}

/// <summary>A sealed request or response is refused, by name.</summary>
/// <param name="refusal">Why.</param>
/// <param name="message">In words; nothing secret.</param>
public sealed class SealedRequestException(SealedRefusal refusal, string message) : Exception(message)
{
    /// <summary>Why.</summary>
    public SealedRefusal Refusal => refusal;

    /// <summary>The name in lower case with dashes, for answers and metrics.</summary>
    public string Name => refusal switch
    {
        SealedRefusal.Malformed => "sealed-malformed",
        SealedRefusal.UnknownKey => "sealed-unknown-key",
        SealedRefusal.Expired => "sealed-expired",
        SealedRefusal.Replayed => "sealed-replayed",
        SealedRefusal.Truncated => "sealed-truncated",
        SealedRefusal.Tampered => "sealed-tampered",
        SealedRefusal.Busy => "sealed-busy",
        _ => "sealed-refused",
    };
}
