using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Server;

/// <summary>DPoP proofs that several gateways have seen (RFC 9449, section 11.1), kept together in Redis, and nonces that each of them knows.</summary>
/// <remarks>
/// A proof is remembered by the digest of what its key signed, before it is checked: a signature can be bent into another that holds, what was signed cannot.
/// Nobody else can make that proof, so remembering it early harms nobody but its sender. While Redis is away such requests are refused (503): a proof could come twice.
/// </remarks>
/// <param name="store">Where gateways keep together what they have seen.</param>
/// <param name="key">32 secret bytes, the same on every gateway.</param>
public sealed class SharedProofs(SharedQueries store, ReadOnlySpan<byte> key)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(4);   // longer than a proof may be shown
    private static readonly object Seen = new();

    /// <summary>The key of the nonces.</summary>
    internal byte[] NonceKey { get; } = HMACSHA256.HashData(key, "bulwark dpop nonces v1"u8);

    /// <summary>Asks about a request's proof before the request is judged.</summary>
    internal Task BeforeAsync(HttpContext http, RequestDelegate next) =>
        http.Request.Headers["DPoP"] is [{ Length: > 0 } proof] ? AskAsync(proof, http, next) : next(http);

    /// <summary>What <see cref="BeforeAsync"/> found; <see cref="TokenVerdict.Accepted"/> for a proof that no gateway has seen.</summary>
    internal static TokenVerdict VerdictOf(HttpContext http) => http.Items[Seen] is true ? TokenVerdict.Accepted : http.Items[Seen] is false ? TokenVerdict.ProofReplayed : TokenVerdict.ReplaysUnknown;

    private async Task AskAsync(string proof, HttpContext http, RequestDelegate next)
    {
        var signed = proof.AsMemory(0, Math.Max(0, proof.LastIndexOf('.')));
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(signed.ToString()));
        http.Items[Seen] = await store.IsFirstAsync($"bulwark:dpop:{Convert.ToHexStringLower(digest)}", Life);
        await next(http);
    }
}
