using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>A token's PIN: from the address's <c>pin-source</c>, else from BULWARK_PKCS11_PIN, else from a person. Never from an argument.</summary>
internal static class Pkcs11Pin
{
    internal const string Variable = "BULWARK_PKCS11_PIN";
    private const string Advice = $"name a file by ?pin-source=file:/path, or set {Variable}";

    internal static SecretBytes Find(KeyUri uri, string token, KeyStoreOptions options)
    {
        if (uri.Pkcs11Attributes.TryGetValue("pin-source", out var source))
            return FromFile(Encoding.UTF8.GetString(source));
        var pin = options.Variable(Variable);
        if (string.IsNullOrEmpty(pin))
            pin = options.Ask?.Invoke($"PIN of the token {token}");
        return string.IsNullOrEmpty(pin) ? throw new KeyProviderException($"The token {token} needs its PIN.", Advice, null) : Secret(pin);
    }

    private static SecretBytes FromFile(string source)
    {
        var path = source.StartsWith("file:", StringComparison.Ordinal) ? source["file:".Length..] : source;
        if (path.StartsWith('|'))
            throw new KeyProviderException("A pin-source that runs a program is not supported.", Advice, null);
        if (!File.Exists(path))
            throw new KeyProviderException($"The PIN's file {path} is missing.", Advice, null);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            throw new KeyProviderException($"The PIN's file {path} is open to others.", $"chmod 600 {path}, and change the PIN if anyone may have read it", null);
        var bytes = File.ReadAllBytes(path);
        try
        {
            return SecretBytes.CopyOf(bytes.AsSpan().TrimEnd("\r\n"u8));
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static SecretBytes Secret(string pin) => SecretBytes.Create(Encoding.UTF8.GetByteCount(pin), default, (_, target) => Encoding.UTF8.GetBytes(pin, target));
}
