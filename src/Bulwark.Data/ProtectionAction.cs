namespace Bulwark.Data;

/// <summary>What protection does with a column.</summary>
public enum ProtectionAction
{
    /// <summary>Leaves the column out of the protected file.</summary>
    Drop = 0,

    /// <summary>Encrypts it under a key of its own; only <c>reveal</c> with that key opens it.</summary>
    Encrypt,

    /// <summary>Replaces card numbers by tokens of the same length that fail the Luhn check; <c>reveal</c> with the key turns them back.</summary>
    Tokenise,

    /// <summary>Replaces values by keyed hashes (HMAC-SHA-256, 128 bits, in hexadecimal): equal values stay equal, nothing turns them back.</summary>
    Hash,

    /// <summary>Keeps the values, readable to whoever may open the file.</summary>
    Keep,
}
