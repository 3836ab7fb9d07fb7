using System.Text.Json;

namespace Bulwark.Server;

/// <summary>What all tokens have in common, read strictly.</summary>
internal static class TokenClaims
{
    /// <summary>A NumericDate in whole seconds, from 1970 to the beginning of 9999.</summary>
    internal static bool TryTime(JsonElement claims, string name, out DateTimeOffset time)
    {
        time = default;
        if (!claims.TryGetProperty(name, out var number) || number.ValueKind != JsonValueKind.Number
            || !number.TryGetInt64(out var seconds) || seconds < 0 || seconds > 253_370_764_800)
            return false;
        time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return true;
    }

    /// <summary>Whether <c>aud</c>, a text or an array of texts, holds a name.</summary>
    internal static TokenVerdict CheckAudience(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty("aud", out var audience))
            return TokenVerdict.MissingClaim;
        IEnumerable<JsonElement> audiences = audience.ValueKind == JsonValueKind.Array ? audience.EnumerateArray() : [audience];
        if (audiences.Any(one => one.ValueKind != JsonValueKind.String))
            return TokenVerdict.Malformed;
        return audiences.Any(one => one.ValueEquals(name)) ? TokenVerdict.Accepted : TokenVerdict.WrongAudience;
    }

    /// <summary>What a signature's verdict is as a token's; of a good one, that the rest is still unread.</summary>
    internal static TokenVerdict Of(JwsVerdict verdict) => verdict switch
    {
        JwsVerdict.DuplicateMember => TokenVerdict.DuplicateMember,
        JwsVerdict.UnsupportedHeader => TokenVerdict.UnsupportedHeader,
        JwsVerdict.EmbeddedKey => TokenVerdict.EmbeddedKey,
        JwsVerdict.AlgorithmNotAllowed => TokenVerdict.AlgorithmNotAllowed,
        JwsVerdict.UnknownKey => TokenVerdict.UnknownKey,
        JwsVerdict.AlgorithmOfAnotherKey => TokenVerdict.AlgorithmOfAnotherKey,
        JwsVerdict.BadSignature => TokenVerdict.BadSignature,
        JwsVerdict.Malformed => TokenVerdict.Malformed,
        _ => TokenVerdict.Unverified,
    };
}
