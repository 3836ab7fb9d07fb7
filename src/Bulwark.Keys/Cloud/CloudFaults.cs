using System.Net;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>What a cloud's refusal means. Its own text is never repeated: it may quote the request.</summary>
internal static class CloudFaults
{
    internal const string Refusal = "The wrapped key cannot be opened: it was changed, belongs to another context, or its key is not this one.";

    /// <summary>A refused request, as this program's exception.</summary>
    /// <param name="reply">Not a success.</param>
    /// <param name="service">For people.</param>
    /// <param name="key">Which key was asked for.</param>
    /// <param name="opening">True when a wrapped key was to be opened: a bad request is then the wrapped key's fault.</param>
    /// <param name="login">What to do when the credentials are refused.</param>
    internal static Exception Of(StoreReply reply, string service, KeyUri key, bool opening, string login) => reply.Status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new KeyProviderException($"{service} refuses these credentials for {key.Key}.", login, null),
        HttpStatusCode.NotFound => new InvalidOperationException($"{service} has no key {key}."),
        HttpStatusCode.BadRequest when opening => DoesNotOpen(),
        _ => new KeyProviderException($"{service} refuses ({(int)reply.Status}).", "the service's audit log says why", null),
    };

    internal static CryptographicException DoesNotOpen() => new(Refusal);

    /// <summary>Where a wrapped key must prove its origin, and anybody can wrap.</summary>
    internal static KeyProviderException PublicHalf(KeyUri kek, string instead) => new(
        $"{kek} has a public half: whoever has that can wrap a key of their own, so what the key is to authenticate (a footer, a manifest) could be forged.", $"use {instead}, or another key store", null);

    /// <summary>A setting that must be there.</summary>
    internal static string Required(this KeyStoreOptions options, string variable, string advice) =>
        options.Variable(variable) is { Length: > 0 } value && !value.Any(char.IsControl) ? value : throw new KeyProviderException($"{variable} is not set.", advice, null);
}
