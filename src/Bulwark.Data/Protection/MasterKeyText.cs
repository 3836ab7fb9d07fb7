using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>How a wrapped key and its key store are written in PKMT1 texts.</summary>
/// <remarks>
/// Vault transit as Arrow's sample client writes it: instance id the mount, instance URL the server, master key the key's name, the wrapped
/// key <c>vault:vN:…</c>. Every other store: instance <c>DEFAULT</c>, master key
/// its address (in a key ring just its name), the wrapped key the version's address, a space, base64.
/// </remarks>
internal static partial class MasterKeyText
{
    private const string Vault = "vault";

    internal static (string Id, string Url) Instance(KeyUri kek)
    {
        if (kek.Scheme != Vault)
            return (KeyMaterial.NoInstance, KeyMaterial.NoInstance);
        var (server, mount, _) = Split(kek);
        return (mount, server);
    }

    internal static string Name(KeyUri kek) => kek.Scheme switch
    {
        Vault => Split(kek).Key,
        KeyUri.FileScheme => kek.Path,   // no colon: Parquet's properties divide keys from columns by one
        _ => kek.Key.ToString(),
    };

    internal static string Write(WrappedKey wrapped) => wrapped.Kek.Scheme == Vault
        ? Encoding.ASCII.GetString(wrapped.Bytes)
        : $"{wrapped.Kek} {Convert.ToBase64String(wrapped.Bytes)}";

    /// <exception cref="CryptographicException">The texts name no wrapped key.</exception>
    internal static WrappedKey Read(string masterKey, string wrapped, string instanceId, string instanceUrl)
    {
        if (VaultText().Match(wrapped) is { Success: true } vault)
        {
            return KeyUri.TryParse($"{Vault}:{instanceUrl}/{instanceId}/{masterKey}@{vault.Groups[1].Value}", out var key)
                ? new(key!, Encoding.ASCII.GetBytes(wrapped))
                : throw Unknown();
        }

        var space = wrapped.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || instanceId != KeyMaterial.NoInstance || instanceUrl != KeyMaterial.NoInstance
            || !KeyUri.TryParse(wrapped[..space], out var kek) || Name(kek!) != masterKey || kek!.ToString() != wrapped[..space])
            throw Unknown();
        return new(kek, Base64(wrapped[(space + 1)..]));
    }

    /// <summary>The bytes of base64 in its one canonical form.</summary>
    /// <exception cref="CryptographicException">It has another form.</exception>
    internal static byte[] Base64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var written) && Convert.ToBase64String(bytes, 0, written) == text ? bytes[..written] : throw Unknown();
    }

    private static CryptographicException Unknown() => new("The file's key metadata was changed, or its keys are in a store that is not known here.");

    /// <summary>Server, mount and key of <c>vault:https://host/mount/key</c>; the mount may have more than one part.</summary>
    private static (string Server, string Mount, string Key) Split(KeyUri kek)
    {
        var end = kek.Path.IndexOf('/', kek.Path.IndexOf("//", StringComparison.Ordinal) + 2);
        var last = kek.Path.LastIndexOf('/');
        return (kek.Path[..end], kek.Path[(end + 1)..last], kek.Path[(last + 1)..]);
    }

    [GeneratedRegex(@"\Avault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]+\z")]
    private static partial Regex VaultText();
}
