namespace Bulwark.Server;

/// <summary>Who a request's token says it is. Remembers, on its connection, the token accepted last: at most a minute, never past its end or a change of keys.</summary>
internal sealed class TokenGate
{
    private static readonly TimeSpan LongestMemory = TimeSpan.FromSeconds(60);
    private readonly TimeProvider _time;
    private readonly DpopReader _proofs;
    private readonly SharedProofs? _shared;
    private readonly TimeSpan _longestTrust;
    private readonly JwtSvidOptions? _svids;
    private readonly Lock _exchange = new();
    private volatile Keys _keys;

    /// <param name="options">The keys and what a token must be.</param>
    /// <param name="requiresNonce">True to demand a nonce in each proof.</param>
    /// <param name="time">The clock.</param>
    /// <param name="longestTrust">How long keys count after their issuer gave them; infinite for keys from a file.</param>
    /// <param name="shared">Proofs that other gateways have seen; null for this one alone.</param>
    /// <param name="svids">What a JWT-SVID must be; null where none is taken.</param>
    internal TokenGate(AccessTokenOptions options, bool requiresNonce, TimeProvider time, TimeSpan? longestTrust = null, SharedProofs? shared = null, JwtSvidOptions? svids = null)
    {
        _time = time;
        _shared = shared;
        _proofs = new(time, requiresNonce, shared?.NonceKey);
        _longestTrust = longestTrust ?? Timeout.InfiniteTimeSpan;
        _keys = new(options, new(options, time), Epoch: 1, Until(), time.GetUtcNow(), svids is null ? null : new(svids, time));
        _svids = svids;
    }

    /// <summary>Where clients reach the gateway: what proofs must be for. Never the Host header, which a client writes itself.</summary>
    internal string PublicAddress { get; set; } = "https://unset.invalid";

    /// <summary>True while the keys are young enough to count.</summary>
    internal bool IsCurrent => _time.GetUtcNow() < _keys.Until;

    /// <summary>How long ago the keys were had.</summary>
    internal TimeSpan Age => _time.GetUtcNow() - _keys.Had;

    /// <summary>Exchanges the issuer's keys.</summary>
    internal void Exchange(JsonWebKeySet keys)
    {
        lock (_exchange)
        {
            var options = _keys.Options with { Keys = keys };
            _keys = new(options, new(options, _time), _keys.Epoch + 1, Until(), _time.GetUtcNow(), _keys.Svids);
        }
    }

    /// <summary>True when JWT-SVIDs are taken.</summary>
    internal bool TakesSvids => _svids is not null;

    /// <summary>Exchanges the trust domain's keys for JWT-SVIDs; where none are taken, nothing changes.</summary>
    internal void ExchangeSvidKeys(JsonWebKeySet keys)
    {
        lock (_exchange)
        {
            if (_svids is not null)
                _keys = new(_keys.Options, _keys.Reader, _keys.Epoch + 1, _keys.Until, _keys.Had, new(_svids with { Keys = keys }, _time));
        }
    }

    /// <summary>Takes what the issuer gave just now; true when it is not what was in force.</summary>
    internal bool Renew(JsonWebKeySet keys)
    {
        lock (_exchange)
        {
            if (_keys.Options.Keys.Equals(keys))
            {
                _keys = _keys with { Until = Until(), Had = _time.GetUtcNow() };
                return false;
            }

            Exchange(keys);
            return true;
        }
    }

    /// <summary>True when a request's token names a key that is not in force. A header that was read before is known without reading it again.</summary>
    internal bool NamesUnknownKey(IHeaderDictionary headers)
    {
        if (headers.Authorization is not [{ } authorization])
            return false;
        var token = authorization.AsSpan(authorization.IndexOf(' ', StringComparison.Ordinal) + 1);
        var end = token.IndexOf('.');
        var keys = _keys;
        if (end <= 0 || (keys.KnownHeader is { } known && token[..end].SequenceEqual(known)))
            return false;
        if (keys.Svids is null || !JwtSvidReader.IsHeader(token[..end]))   // a JWT-SVID is not the issuer's
        {
            if (JwsReader.KeyIdOf(token[..end]) is not { } id)
                return false;
            if (keys.Options.Keys.Find(id) is null)
                return true;
        }

        keys.KnownHeader = token[..end].ToString();
        return false;
    }

    /// <summary>What this gateway alone can say; a proof that it accepts may have been used at another one (<see cref="AskOthersAsync"/>).</summary>
    internal TokenVerdict Read(HttpContext http, ClientConnection connection, out AccessToken? token)
    {
        token = null;
        var header = http.Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } authorization)
            return TokenVerdict.Missing;
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return http.Request.Headers.ContainsKey("DPoP") ? TokenVerdict.BadProof : ReadBearer(authorization, connection, out token);
        return authorization.StartsWith("DPoP ", StringComparison.OrdinalIgnoreCase) ? ReadProved(http, authorization["DPoP ".Length..], connection, out token) : TokenVerdict.Missing;
    }

    /// <summary>Whether an accepted proof counts at all gateways. Asked last, so that only who has a token, and the key that it is bound to, can have anything remembered there.</summary>
    internal ValueTask<TokenVerdict> AskOthersAsync(HttpContext http) =>
        _shared is { } shared && http.Request.Headers["DPoP"] is [{ } proof] ? shared.TakeAsync(proof) : new(TokenVerdict.Accepted);   // beside a bearer token it was refused

    /// <summary>What the answer to a refused token tells the client to do (RFC 6750, section 3; RFC 9449, sections 7.1 and 9).</summary>
    internal void Challenge(HttpContext http, TokenVerdict verdict)
    {
        var isProof = verdict is TokenVerdict.ProofMissing or TokenVerdict.BadProof or TokenVerdict.NonceNeeded or TokenVerdict.ProofReplayed or TokenVerdict.BoundToAnotherKey;
        http.Response.Headers.WWWAuthenticate = verdict switch
        {
            TokenVerdict.NonceNeeded => "DPoP error=\"use_dpop_nonce\"",
            _ when isProof => "DPoP error=\"invalid_dpop_proof\"",
            TokenVerdict.Missing => "Bearer, DPoP",
            _ => "Bearer error=\"invalid_token\"",
        };
        if (isProof)
            http.Response.Headers["DPoP-Nonce"] = _proofs.Nonces.Fresh();
    }

    private TokenVerdict ReadBearer(string authorization, ClientConnection connection, out AccessToken? token)
    {
        const int Scheme = 7;
        var (keys, now) = (_keys, _time.GetUtcNow());
        token = null;
        if (connection.Token is { } known && known.Epoch == keys.Epoch && now < known.Until && authorization.AsSpan(Scheme).SequenceEqual(known.Compact))
        {
            if (now >= keys.Until && known.Token.Binding != JwtSvidReader.Binding)
                return TokenVerdict.KeysTooOld;
            token = known.Token;
            return TokenVerdict.Accepted;
        }

        var compact = authorization[Scheme..];
        var isSvid = keys.Svids is not null && JwtSvidReader.IsHeader(compact.AsSpan(0, Math.Max(0, compact.IndexOf('.', StringComparison.Ordinal))));
        if (now >= keys.Until && !isSvid)   // the age of the issuer's keys is nothing to the trust domain's
            return TokenVerdict.KeysTooOld;
        var verdict = isSvid ? keys.Svids!.Read(compact, connection.SpiffeId, out token) : keys.Reader.Read(compact, connection.Certificate.RawDataMemory.Span, out token);
        if (verdict is TokenVerdict.Accepted)
            connection.Token = new(compact, token!, keys.Epoch, token!.Expires < now + LongestMemory ? token.Expires : now + LongestMemory);
        return verdict;
    }

    /// <summary>A proof is of one request, so nothing here is remembered.</summary>
    private TokenVerdict ReadProved(HttpContext http, string compact, ClientConnection connection, out AccessToken? token)
    {
        token = null;
        if (!IsCurrent)
            return TokenVerdict.KeysTooOld;
        var proof = http.Request.Headers["DPoP"];
        if (proof.Count != 1 || proof[0] is not { } text)
            return proof.Count == 0 ? TokenVerdict.ProofMissing : TokenVerdict.BadProof;
        var address = PublicAddress.TrimEnd('/') + http.Request.Path.ToUriComponent();
        AccessToken? read = null;
        var verdict = _proofs.Read(text, http.Request.Method, address, compact, out _, key => _keys.Reader.Read(compact, connection.Certificate.RawDataMemory.Span, key, out read));
        token = verdict is TokenVerdict.Accepted ? read : null;
        return verdict;
    }

    private DateTimeOffset Until() => _longestTrust == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : _time.GetUtcNow() + _longestTrust;

    private sealed record Keys(AccessTokenOptions Options, AccessTokenReader Reader, long Epoch, DateTimeOffset Until, DateTimeOffset Had, JwtSvidReader? Svids)
    {
        private volatile string? _knownHeader;

        /// <summary>The encoded header of a token whose key is in this set; tokens of one key share it.</summary>
        internal string? KnownHeader
        {
            get => _knownHeader;
            set => _knownHeader = value;
        }
    }
}
