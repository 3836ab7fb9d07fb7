using System.Security.Cryptography;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.Common;

namespace Bulwark.Keys;

/// <summary>What a token's return value means to a caller.</summary>
internal static class Pkcs11Faults
{
    internal const string Refusal = "The wrapped key cannot be opened: it was changed, belongs to another context, or its key is not in this token.";

    private static readonly CKR[] s_gone =
    [
        CKR.CKR_DEVICE_REMOVED, CKR.CKR_TOKEN_NOT_PRESENT, CKR.CKR_DEVICE_ERROR, CKR.CKR_SESSION_HANDLE_INVALID, CKR.CKR_SESSION_CLOSED,
        CKR.CKR_USER_NOT_LOGGED_IN, CKR.CKR_TOKEN_NOT_RECOGNIZED, CKR.CKR_SLOT_ID_INVALID, CKR.CKR_CRYPTOKI_NOT_INITIALIZED,
    ];

    /// <summary>True when the token has to be found and opened anew.</summary>
    internal static bool IsGone(Pkcs11Exception failure) => s_gone.Contains(failure.RV);

    internal static KeyProviderException Login(string token, Pkcs11Exception failure) => failure.RV switch
    {
        CKR.CKR_PIN_INCORRECT or CKR.CKR_PIN_INVALID or CKR.CKR_PIN_LEN_RANGE => new($"The token {token} refuses the PIN.", "check the PIN before trying again: most tokens lock after a few wrong ones", failure),
        CKR.CKR_PIN_LOCKED => new($"The PIN of the token {token} is locked.", "have its security officer set a new PIN", failure),
        CKR.CKR_PIN_EXPIRED => new($"The PIN of the token {token} has expired.", "set a new PIN by the token's own tool", failure),
        CKR.CKR_USER_PIN_NOT_INITIALIZED => new($"The token {token} has no user PIN yet.", "have its security officer set one", failure),
        _ => Gone(token, failure),
    };

    internal static KeyProviderException Gone(string token, Pkcs11Exception failure) => new(
        $"The token {token} does not answer ({failure.RV}).", "is it plugged in, and its service running? try again when it is", failure);

    internal static KeyProviderException TakenOut(string token) => new($"The token {token} is not there any more.", "is it plugged in, and its service running? try again when it is", null);

    /// <summary>A refusal to use the key, as opposed to a token that is broken or gone.</summary>
    internal static KeyProviderException Refused(string token, string what, Pkcs11Exception failure) => new(
        $"The token {token} does not let this program {what} ({failure.RV}).", "check the key's attributes and the token's policy", failure);

    internal static CryptographicException DoesNotOpen() => new(Refusal);
}
