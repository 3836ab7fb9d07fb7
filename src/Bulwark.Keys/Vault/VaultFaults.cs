using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>What a refusal of Vault means. Its own text is recognised, never repeated: it may quote the request.</summary>
internal static class VaultFaults
{
    internal const string Refusal = "The wrapped key cannot be opened: it was changed, belongs to another context, or its key version is not on this server.";

    internal static KeyProviderException Forbidden(string server) => new(
        $"Vault at {server} refuses the token: it is wrong, has been revoked or has expired, or its policy lacks this path.", "log in anew (vault login), or have the policy of the token extended", null);

    /// <summary>A refused request, as this program's exception.</summary>
    /// <param name="reply">Not a success.</param>
    /// <param name="server">The host.</param>
    /// <param name="key">Which key was asked for.</param>
    /// <param name="opening">True when a wrapped key was to be opened: a bad request is then the wrapped key's fault.</param>
    internal static Exception Of(StoreReply reply, string server, KeyUri key, bool opening)
    {
        var errors = Errors(reply);
        return reply.Status switch
        {
            HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized => Forbidden(server),
            HttpStatusCode.NotFound when !opening && errors.Length == 0 => new InvalidOperationException($"Vault at {server} has no key {key.Key}."),
            HttpStatusCode.NotFound => new KeyProviderException($"Vault at {server} has nothing at {key}.", "check the address: vault:https://HOST/MOUNT/KEY, and that the transit engine is mounted there", null),
            HttpStatusCode.ServiceUnavailable => new KeyProviderException($"Vault at {server} is sealed or being maintained.", "have it unsealed, then try again", null),
            HttpStatusCode.BadRequest when errors.Contains("encryption key not found", StringComparison.Ordinal) && !opening => new InvalidOperationException($"Vault at {server} has no key {key.Key}."),
            HttpStatusCode.BadRequest when errors.Contains("deletion is not allowed", StringComparison.Ordinal) => new KeyProviderException($"Vault at {server} does not allow {key} to be deleted.", "its administrator sets deletion_allowed", null),
            HttpStatusCode.BadRequest when opening => DoesNotOpen(),
            _ => new KeyProviderException($"Vault at {server} refuses ({(int)reply.Status}).", "the server's audit log says why", null),
        };
    }

    internal static CryptographicException DoesNotOpen() => new(Refusal);

    private static string Errors(StoreReply reply)
    {
        try
        {
            return reply.Json.Optional("errors") is { ValueKind: JsonValueKind.Array } errors ? string.Join('\n', errors.EnumerateArray().Select(error => error.ToString())) : "";
        }
        catch (KeyProviderException)
        {
            return "";   // a proxy's page, not Vault's answer
        }
    }
}
