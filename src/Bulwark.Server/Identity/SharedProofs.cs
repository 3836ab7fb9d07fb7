using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Server;

/// <summary>DPoP proofs that several gateways have seen (RFC 9449, section 11.1), kept together in Redis, and nonces that each of them knows.</summary>
/// <remarks>
/// A proof is remembered by the digest of what its key signed: a signature can be bent into another that holds, what was signed cannot. Only a proof that a
/// gateway accepted itself is remembered, so a stranger fills nothing. While Redis is away such requests are refused (503): a proof could come twice.
/// </remarks>
/// <param name="store">Where gateways keep together what they have seen.</param>
/// <param name="key">32 secret bytes, the same on every gateway.</param>
public sealed class SharedProofs(SharedQueries store, ReadOnlySpan<byte> key)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(4);   // longer than a proof may be shown

    /// <summary>The key of the nonces.</summary>
    internal byte[] NonceKey { get; } = HMACSHA256.HashData(key, "bulwark dpop nonces v1"u8);

    /// <summary>Takes a proof that this gateway accepted; <see cref="TokenVerdict.Accepted"/> where no gateway has seen it.</summary>
    internal async ValueTask<TokenVerdict> TakeAsync(string proof)
    {
        var signed = proof.AsSpan(0, Math.Max(0, proof.LastIndexOf('.')));
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(signed.ToString()));
        return await store.IsFirstAsync($"bulwark:dpop:{Convert.ToHexStringLower(digest)}", Life) switch
        {
            true => TokenVerdict.Accepted,
            false => TokenVerdict.ProofReplayed,
            null => TokenVerdict.ReplaysUnknown,
        };
    }
}
