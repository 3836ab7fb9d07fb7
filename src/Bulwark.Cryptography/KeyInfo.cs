namespace Bulwark.Cryptography;

/// <summary>What a key is for.</summary>
public enum KeyKind
{
    /// <summary>32 random bytes: wraps other keys and derives them.</summary>
    Symmetric,

    /// <summary>An Ed25519 key: signs.</summary>
    Signing,
}

/// <summary>What a key's version may still do.</summary>
public enum KeyState
{
    /// <summary>Nothing: its secret is gone.</summary>
    Destroyed = 0,

    /// <summary>Opens and verifies what it protected; protects nothing new.</summary>
    DecryptOnly,

    /// <summary>Everything.</summary>
    Enabled,
}

/// <summary>One version of a key, without its secret.</summary>
/// <param name="Id">Name and version.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="State">What it may still do.</param>
/// <param name="Created">When it was made, UTC.</param>
/// <param name="PublicKey">For a signing key, <c>ed25519:</c> and base64; otherwise null.</param>
public sealed record KeyInfo(KeyId Id, KeyKind Kind, KeyState State, DateTimeOffset Created, string? PublicKey)
{
    /// <summary>What the key is for, in its maker's words; null when nobody said.</summary>
    public string? Purpose { get; init; }

    /// <summary>For how many days it may protect new things; null is <see cref="Cryptoperiod"/>'s recommendation.</summary>
    public int? UseDays { get; init; }

    /// <summary>True when its secret came from outside: other copies may exist.</summary>
    public bool IsImported { get; init; }

    /// <summary>When it was retired or destroyed, UTC; null while enabled, and where the ring did not keep it yet.</summary>
    public DateTimeOffset? Ended { get; init; }
}
