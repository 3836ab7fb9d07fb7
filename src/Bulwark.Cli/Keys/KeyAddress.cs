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

    /// <summary>True when both keys are of one store: one token, server, account or project.</summary>
    internal static bool IsInStoreOf(this KeyUri key, KeyUri other) => key.Scheme == other.Scheme && StoreOf(key) == StoreOf(other);

    private static string StoreOf(KeyUri key) => key.Scheme switch
    {
        "pkcs11" => string.Join(';', key.Path.Split(';').Where(part => part.Split('=')[0] is not ("object" or "id" or "type"))),
        "aws-kms" => string.Join(':', key.Path.Split(':').Take(5)),   // arn:aws:kms:REGION:ACCOUNT
        "gcp-kms" => string.Join('/', key.Path.Split('/').Take(2)),   // projects/P
        "vault" or "azure-kv" => string.Join('/', key.Path.Split('/').Take(3)),   // https://HOST
        _ => "",
    };

    internal static KeyId Version(KeyUri key) => key.TryGetKeyId(out var id) ? id : throw new CommandException($"{key} names no version.", $"write {key.Path}@1");
}
