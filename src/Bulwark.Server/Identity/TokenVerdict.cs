namespace Bulwark.Server;

/// <summary>What checking an access token came to. Everything but <see cref="Accepted"/> refuses.</summary>
public enum TokenVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>Signed by our issuer, for us, in time, and bound to this connection's certificate.</summary>
    Accepted,

    /// <summary>There is no token.</summary>
    Missing,

    /// <summary>No compact JSON Web Signature with a JSON object inside, or a claim of the wrong type.</summary>
    Malformed,

    /// <summary>A header member or a claim stands twice.</summary>
    DuplicateMember,

    /// <summary>The header asks for processing that is not done here (<c>crit</c>, <c>b64</c>).</summary>
    UnsupportedHeader,

    /// <summary>The header brings its own key.</summary>
    EmbeddedKey,

    /// <summary>The header's <c>typ</c> is not that of an access token.</summary>
    WrongType,

    /// <summary>The algorithm is <c>none</c>, symmetric, unknown, or not on the allow list.</summary>
    AlgorithmNotAllowed,

    /// <summary>The header names no key, or one that is not the issuer's.</summary>
    UnknownKey,

    /// <summary>The key is for another algorithm.</summary>
    AlgorithmOfAnotherKey,

    /// <summary>The signature is wrong.</summary>
    BadSignature,

    /// <summary>A claim that must be there is not.</summary>
    MissingClaim,

    /// <summary>Issued by someone else.</summary>
    WrongIssuer,

    /// <summary>Issued for someone else.</summary>
    WrongAudience,

    /// <summary>Past its <c>exp</c>.</summary>
    Expired,

    /// <summary>Before its <c>nbf</c>.</summary>
    NotYetValid,

    /// <summary>Its <c>iat</c> lies in the future.</summary>
    IssuedInFuture,

    /// <summary>It lives longer than configured.</summary>
    LifetimeTooLong,

    /// <summary>It is bound to no certificate (no <c>cnf</c>): whoever steals it could use it.</summary>
    NotBound,

    /// <summary>It is bound in a way that is not checked here.</summary>
    UnsupportedBinding,

    /// <summary>It is bound to another certificate than this connection's.</summary>
    BoundToAnotherCertificate,

    /// <summary>It is bound to a key, and the request came without a DPoP proof.</summary>
    ProofMissing,

    /// <summary>It is bound to another key than the request's DPoP proof proved, or to none.</summary>
    BoundToAnotherKey,

    /// <summary>The DPoP proof is malformed, badly signed, for another request or another token, or out of time.</summary>
    BadProof,

    /// <summary>The DPoP proof lacks this server's nonce, or has an old one; the answer brings a fresh one.</summary>
    NonceNeeded,

    /// <summary>The DPoP proof was seen before.</summary>
    ProofReplayed,

    /// <summary>The issuer has not given its keys for too long, so none of them counts any more. No fault of the token's.</summary>
    KeysTooOld,

    /// <summary>The subject of a JWT-SVID is no SPIFFE id of a workload of the trust domain.</summary>
    WrongSubject,

    /// <summary>Whether another gateway has seen the DPoP proof cannot be known now. No fault of the proof's.</summary>
    ReplaysUnknown,
}
