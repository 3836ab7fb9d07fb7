namespace Bulwark.Data;

/// <summary>What protection does with a column.</summary>
public enum ProtectionAction
{
    /// <summary>Leaves the column out of the protected file.</summary>
    Drop = 0,

    /// <summary>Encrypts the column under a key of its own; only <c>reveal</c> with that key opens it.</summary>
    Encrypt,

    /// <summary>Replaces card numbers by tokens of the same length that fail the Luhn check, or, with an alphabet, other identifiers by others of the same form (FF1); <c>reveal</c> with the key turns them back.</summary>
    Tokenise,

    /// <summary>Replaces values by keyed hashes of the whole value (HMAC-SHA-256, 128 bits, in hexadecimal): equal values stay equal, nothing turns them back.</summary>
    Hash,

    /// <summary>Keeps the values, readable to whoever may open the file.</summary>
    Keep,

    /// <summary>Encrypts each value on its own under a fresh nonce (XAES-256-GCM), bound to dataset, column and row key; equal values do not show. <c>reveal</c> opens it.</summary>
    EncryptValue,

    /// <summary>Encrypts each value so that equal values stay equal (AES-256-SIV): tables join on it, and <c>reveal</c> opens it.</summary>
    EncryptJoinable,

    /// <summary>Replaces values by the first bits of their keyed hash: rows are found again, among others that share the beacon. Nothing turns it back.</summary>
    Beacon,

    /// <summary>Keeps the first and last characters and hides the rest. Nothing turns it back.</summary>
    Truncate,

    /// <summary>Moves times by whole days, by the same secret number for all rows of a subject; <c>reveal</c> moves them back.</summary>
    ShiftDate,

    /// <summary>Replaces what is found of personal and payment data inside a text by its kind in brackets. Nothing turns it back.</summary>
    Mask,
}
