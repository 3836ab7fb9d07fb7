using Bulwark.Cryptography;

namespace Bulwark.Cli.Keys;

/// <summary>Keys as people write them on the command line.</summary>
internal static class KeyAddress
{
    /// <summary>The address; null for null. A bare name is a key of the keyring.</summary>
    internal static KeyUri? Parse(string? text)
    {
        if (text is null)
            return null;
        try
        {
            return KeyUri.Parse(text);
        }
        catch (FormatException refusal)
        {
            throw new CommandException(refusal.Message, "docs/keys.md lists the forms of addresses");
        }
    }

    /// <summary>True when the keyring itself is meant.</summary>
    internal static bool IsInRing(this KeyUri key) => key.Scheme == KeyUri.FileScheme;

    internal static KeyId Version(KeyUri key) => key.TryGetKeyId(out var id) ? id : throw new CommandException($"{key} names no version.", $"write {key.Path}@1");
}
