namespace Bulwark.Cryptography;

/// <summary>What a wrapped key belongs to: the bytes that it is bound to, and a name for the record of its use.</summary>
/// <param name="Binding">Associated data; opening needs the same bytes. A digest of whatever the key protects, not a secret.</param>
/// <remarks>Bytes alone convert to one, so that a caller without a name passes its associated data.</remarks>
public readonly record struct KeyContext(ReadOnlyMemory<byte> Binding)
{
    /// <summary>What the key protects, for the record: a file's id, a column. Not personal data; may be null.</summary>
    public string? Item { get; init; }

    /// <summary>True where the wrapped key must prove who wrapped it: a key store whose key has a public half, by which anybody wraps, refuses then.</summary>
    public bool MustAuthenticate { get; init; }

    /// <summary>Associated data without a name.</summary>
    public static implicit operator KeyContext(ReadOnlyMemory<byte> binding) => new(binding);

    /// <summary>Associated data without a name.</summary>
    public static implicit operator KeyContext(byte[] binding) => new(binding);

    /// <summary>The same context under a name.</summary>
    public KeyContext For(string item) => this with { Item = item };
}
