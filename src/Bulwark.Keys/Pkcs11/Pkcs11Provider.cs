using System.Text;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Keys;

/// <summary>Key-encryption keys in a PKCS#11 token (HSM, smart card, SoftHSM): AES-256, non-extractable, used inside the token.</summary>
/// <remarks>
/// Versions of a key are secret-key objects with the same CKA_LABEL, ordered by CKA_ID. Wrapped form: 01 | IV 12 | C_Encrypt CKM_AES_GCM with a
/// 128-bit tag; where the token has no AES-GCM, 02 | C_WrapKey AES key wrap with padding (RFC 5649) of key | SHA-256(context). Thread-safe.
/// </remarks>
public sealed class Pkcs11Provider : IKeyAdministration
{
    private readonly KeyUri _address;
    private readonly Pkcs11Token _token;
    private readonly Pkcs11Keys _keys;
    private readonly Pkcs11Wrapping _wrapping;

    private Pkcs11Provider(KeyUri address, Pkcs11Token token)
    {
        (_address, _token, _keys) = (address, token, new Pkcs11Keys(token));
        _wrapping = new Pkcs11Wrapping(token);
    }

    /// <summary>Opens the token that an address names.</summary>
    /// <param name="key">Any key of the token: <c>pkcs11:token=prod;object=kek?module-path=/usr/lib/softhsm/libsofthsm2.so</c>.</param>
    /// <param name="options">Where the PIN comes from.</param>
    /// <exception cref="KeyProviderException">No module, no such token, a wrong PIN.</exception>
    public static Pkcs11Provider Open(KeyUri key, KeyStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Scheme == "pkcs11" ? new(key, Pkcs11Token.Open(key, options ?? new())) : throw new ArgumentException($"{key} is no PKCS#11 address.", nameof(key));
    }

    /// <inheritdoc/>
    public string Scheme => "pkcs11";

    /// <summary>For tests: as if the token had no AES-GCM.</summary>
    internal bool WithoutGcm { set => _wrapping.WithoutGcm = value; }

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => kek is { Scheme: "pkcs11" } && TokenPart(kek).SequenceEqual(TokenPart(_address));

    /// <inheritdoc/>
    public ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        Check(kek, cancel);
        return new(_token.Use(session => Wrap(session, _keys.Wrapping(session, kek), dataKey.Span, context)));
    }

    /// <inheritdoc/>
    public ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        cancel.ThrowIfCancellationRequested();
        return new(Unwrap(wrapped, context));
    }

    /// <inheritdoc/>
    public ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        cancel.ThrowIfCancellationRequested();
        using var dataKey = Unwrap(wrapped, context);
        return new(_token.Use(session => _keys.Wrapping(session, wrapped.Kek.Key) is var newest && newest.Uri == wrapped.Kek ? wrapped : Wrap(session, newest, dataKey.Span, context)));
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default)
    {
        Check(kek, cancel);
        return new(_token.Use(session => _keys.Describe(session, kek)));
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        Check(kek, cancel);
        return new(_token.Use(session =>
        {
            _keys.Generate(session, kek, _keys.Required(session, kek)[^1].NextId());
            return _keys.Describe(session, kek);
        }));
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        Check(kek, cancel);
        return new(_token.Use(session =>
        {
            if (_keys.Find(session, kek.Key).Count > 0)
                throw new InvalidOperationException($"The token has a key {kek.Key} already: rotate it.");
            _keys.Generate(session, kek, [1]);
            return _keys.Describe(session, kek);
        }));
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default) => Change(version, Pkcs11Keys.Retire, cancel);

    /// <inheritdoc/>
    public ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default) => Change(version, (session, key) => session.DestroyObject(key.Handle), cancel);

    /// <summary>Closes the sessions and wipes the PIN.</summary>
    public void Dispose() => _token.Dispose();

    private ValueTask<KeyDescription> Change(KeyUri version, Action<ISession, Pkcs11Key> change, CancellationToken cancel)
    {
        Check(version, cancel);
        return new(_token.Use(session =>
        {
            try
            {
                change(session, _keys.Version(session, version) ?? throw new InvalidOperationException($"The token has no key {version}."));
            }
            catch (Pkcs11Exception failure) when (!Pkcs11Faults.IsGone(failure))
            {
                throw Pkcs11Faults.Refused(_token.Name, $"change {version}", failure);
            }

            return _keys.Describe(session, version.Key, allowNone: true);
        }));
    }

    private WrappedKey Wrap(ISession session, Pkcs11Key kek, ReadOnlySpan<byte> dataKey, KeyContext context)
    {
        try
        {
            return new WrappedKey(kek.Uri, _wrapping.Wrap(session, kek.Handle, dataKey, Bound(context)));
        }
        catch (Pkcs11Exception failure) when (!Pkcs11Faults.IsGone(failure))
        {
            throw Pkcs11Faults.Refused(_token.Name, $"wrap by {kek.Uri}", failure);
        }
    }

    private SecretBytes Unwrap(WrappedKey wrapped, KeyContext context)
    {
        if (!Holds(wrapped.Kek) || wrapped.Kek.Version is null)
            throw Pkcs11Faults.DoesNotOpen();
        try
        {
            return _token.Use(session => _wrapping.Unwrap(session, (_keys.Version(session, wrapped.Kek) ?? throw NotThere()).Handle, wrapped.Bytes, Bound(context)));
        }
        catch (Pkcs11Exception failure)
        {
            throw _token.Answers() ? Pkcs11Faults.DoesNotOpen() : Pkcs11Faults.Gone(_token.Name, failure);
        }
    }

    /// <summary>A token that was taken out may answer that it holds nothing.</summary>
    private Exception NotThere() => _token.Answers() ? Pkcs11Faults.DoesNotOpen() : Pkcs11Faults.TakenOut(_token.Name);

    private void Check(KeyUri kek, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (!Holds(kek))
            throw new InvalidOperationException($"{kek} is not in the token {_token.Name}.");
    }

    private static byte[] Bound(KeyContext context) => [.. "bulwark.dev/wrap/v1\npkcs11\n"u8, .. context.Binding.Span];

    private static IEnumerable<string> TokenPart(KeyUri uri) => uri.Pkcs11Attributes
        .Where(attribute => attribute.Key is "token" or "serial" or "manufacturer" or "model" or "slot-id")
        .Select(attribute => $"{attribute.Key}={Encoding.UTF8.GetString(attribute.Value)}").Order(StringComparer.Ordinal);
}
