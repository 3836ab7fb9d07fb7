using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Server;

/// <summary>Reads bearer tokens and remembers the accepted ones for at most a minute and never past their end.</summary>
/// <remarks>The memory's key is a digest of token and certificate together, so that a token remembered for one client is nothing to another. Thread-safe.</remarks>
internal sealed class VerifiedTokens(AccessTokenReader reader, TimeProvider time)
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan LongestMemory = TimeSpan.FromSeconds(60);
    private readonly ConcurrentDictionary<Thumb, (AccessToken Token, DateTimeOffset Until)> _remembered = new();

    internal TokenVerdict Read(string? authorization, ReadOnlySpan<byte> certificate, out AccessToken? token)
    {
        const string Scheme = "Bearer ";
        token = null;
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return TokenVerdict.Missing;
        var compact = authorization[Scheme.Length..];
        var thumb = Thumb.Of(compact, certificate);
        var now = time.GetUtcNow();
        if (_remembered.TryGetValue(thumb, out var known) && now < known.Until)
        {
            token = known.Token;
            return TokenVerdict.Accepted;
        }

        var verdict = reader.Read(compact, certificate, out token);
        if (verdict is TokenVerdict.Accepted)
        {
            if (_remembered.Count >= MostRemembered)
                _remembered.Clear();
            _remembered[thumb] = (token!, token!.Expires < now + LongestMemory ? token.Expires : now + LongestMemory);
        }

        return verdict;
    }

    private readonly record struct Thumb(UInt128 High, UInt128 Low)
    {
        internal static Thumb Of(string token, ReadOnlySpan<byte> certificate)
        {
            Span<byte> digests = stackalloc byte[2 * SHA256.HashSizeInBytes];
            SHA256.HashData(Encoding.UTF8.GetBytes(token), digests);
            SHA256.HashData(certificate, digests[SHA256.HashSizeInBytes..]);
            Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(digests, whole);
            return new(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(whole), System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(whole[16..]));
        }
    }
}
