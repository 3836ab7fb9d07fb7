using System.Formats.Asn1;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Keys;

/// <summary>An ECDSA key on P-256 or P-384 whose private half stays in a PKCS#11 token; usable wherever .NET takes an <see cref="ECDsa"/>.</summary>
/// <remarks>Signing happens in the token (CKM_ECDSA over the digest), verifying here. Private parameters cannot be exported.</remarks>
public sealed class Pkcs11Ecdsa : ECDsa, IEcdsaSigner
{
    private readonly Pkcs11Token _token;
    private readonly byte[] _label;
    private readonly byte[]? _id;
    private readonly ECDsa _public;

    private Pkcs11Ecdsa(Pkcs11Token token, KeyUri key)
    {
        (_token, _label, _id) = (token, key.Pkcs11Attributes["object"], key.Pkcs11Attributes.GetValueOrDefault("id"));
        _public = token.Use(ReadPublic);
        KeySizeValue = _public.KeySize;
        PublicKey = EcdsaKey.Of(_public);
    }

    /// <inheritdoc/>
    public EcdsaKey PublicKey { get; }

    /// <summary>Opens the signing key that an address names.</summary>
    /// <param name="key"><c>pkcs11:token=prod;object=signing</c>; with <c>id=</c> where the label is not unique.</param>
    /// <param name="options">Where the PIN comes from.</param>
    /// <exception cref="KeyProviderException">No module, no such token or key, a wrong PIN.</exception>
    public static Pkcs11Ecdsa Open(KeyUri key, KeyStoreOptions? options = null) => Opening(key, options, (token, uri) => new Pkcs11Ecdsa(token, uri));

    /// <summary>Makes a key pair in the token, its private half not extractable.</summary>
    /// <param name="key">The new pair's address; its <c>id</c> is 01 when not said.</param>
    /// <param name="curve">P-256 or P-384.</param>
    /// <param name="options">Where the PIN comes from.</param>
    /// <exception cref="KeyProviderException">The token has such a key already, or cannot make one.</exception>
    public static Pkcs11Ecdsa Create(KeyUri key, ECCurve curve, KeyStoreOptions? options = null) => Opening(key, options, (token, uri) =>
    {
        token.Use(session => Generate(session, token, uri, curve));
        return new Pkcs11Ecdsa(token, uri);
    });

    /// <inheritdoc/>
    public override byte[] SignHash(byte[] hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        try
        {
            return _token.Use(session =>
            {
                using var mechanism = session.Factories.MechanismFactory.Create(CKM.CKM_ECDSA);
                return session.Sign(mechanism, Find(session, CKO.CKO_PRIVATE_KEY), hash.AsSpan(0, Math.Min(hash.Length, (KeySize + 7) / 8)).ToArray());
            });
        }
        catch (Pkcs11Exception failure)
        {
            throw Pkcs11Faults.Refused(_token.Name, "sign", failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> SignHashAsync(ReadOnlyMemory<byte> hash, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        return new(SignHash(hash.ToArray()));
    }

    /// <inheritdoc/>
    public override bool VerifyHash(byte[] hash, byte[] signature) => _public.VerifyHash(hash, signature);

    /// <summary>The public half.</summary>
    /// <exception cref="CryptographicException">The private half was asked for: it cannot leave the token.</exception>
    public override ECParameters ExportParameters(bool includePrivateParameters) => includePrivateParameters
        ? throw new CryptographicException("The private key cannot leave its token.")
        : _public.ExportParameters(false);

    /// <summary>Not possible: the key is the token's.</summary>
    public override void ImportParameters(ECParameters parameters) => throw new NotSupportedException("A token's key cannot be replaced.");

    /// <summary>Not possible: the key is the token's.</summary>
    public override void GenerateKey(ECCurve curve) => throw new NotSupportedException("Make a token's key by Create.");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _public?.Dispose();
            _token?.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Pkcs11Ecdsa Opening(KeyUri key, KeyStoreOptions? options, Func<Pkcs11Token, KeyUri, Pkcs11Ecdsa> open)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Scheme != "pkcs11")
            throw new ArgumentException($"{key} is no PKCS#11 address.", nameof(key));
        var token = Pkcs11Token.Open(key, options ?? new());
        try
        {
            return open(token, key);
        }
        catch
        {
            token.Dispose();
            throw;
        }
    }

    private ECDsa ReadPublic(ISession session)
    {
        var values = session.GetAttributeValue(Find(session, CKO.CKO_PUBLIC_KEY), [CKA.CKA_EC_PARAMS, CKA.CKA_EC_POINT]);
        var (curve, size) = AsnDecoder.ReadObjectIdentifier(values[0].GetValueAsByteArray(), AsnEncodingRules.DER, out _) switch
        {
            "1.2.840.10045.3.1.7" => (ECCurve.NamedCurves.nistP256, 32),
            "1.3.132.0.34" => (ECCurve.NamedCurves.nistP384, 48),
            var other => throw new KeyProviderException($"The token's signing key is on the curve {other}.", "use P-256 or P-384", null),
        };
        var point = AsnDecoder.ReadOctetString(values[1].GetValueAsByteArray(), AsnEncodingRules.DER, out _);
        if (point.Length != 1 + 2 * size || point[0] != 4)
            throw new KeyProviderException("The token's public key is not an uncompressed point of its curve.");
        return Create(new ECParameters { Curve = curve, Q = new ECPoint { X = point[1..(1 + size)], Y = point[(1 + size)..] } });
    }

    private IObjectHandle Find(ISession session, CKO kind)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        var template = new List<IObjectAttribute> { attributes.Create(CKA.CKA_CLASS, kind), attributes.Create(CKA.CKA_KEY_TYPE, CKK.CKK_EC), attributes.Create(CKA.CKA_LABEL, _label) };
        if (_id is not null)
            template.Add(attributes.Create(CKA.CKA_ID, _id));
        return session.FindAllObjects(template) switch
        {
            [var only] => only,
            [] => throw new KeyProviderException($"The token {_token.Name} has no such elliptic-curve key.", "pkcs11-tool --list-objects shows what it has; both halves must be there", null),
            var several => throw new KeyProviderException($"The token {_token.Name} has {several.Count} such keys.", "name one by id=%01", null),
        };
    }

    private static int Generate(ISession session, Pkcs11Token token, KeyUri key, ECCurve curve)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(curve.Oid.Value is "1.2.840.10045.3.1.7" or "1.3.132.0.34" ? curve.Oid.Value : throw new ArgumentException("The curve must be P-256 or P-384.", nameof(curve)));
        var attributes = session.Factories.ObjectAttributeFactory;
        var label = key.Pkcs11Attributes["object"];
        var id = key.Pkcs11Attributes.GetValueOrDefault("id") ?? [1];
        List<IObjectAttribute> Template(params IObjectAttribute[] more) => [attributes.Create(CKA.CKA_TOKEN, true), attributes.Create(CKA.CKA_LABEL, label), attributes.Create(CKA.CKA_ID, id), .. more];
        if (session.FindAllObjects([attributes.Create(CKA.CKA_CLASS, CKO.CKO_PRIVATE_KEY), attributes.Create(CKA.CKA_LABEL, label), attributes.Create(CKA.CKA_ID, id)]).Count > 0)
            throw new KeyProviderException($"The token {token.Name} has a key {key} already.", "choose another object or id", null);
        try
        {
            using var mechanism = session.Factories.MechanismFactory.Create(CKM.CKM_EC_KEY_PAIR_GEN);
            session.GenerateKeyPair(mechanism,
                Template(attributes.Create(CKA.CKA_VERIFY, true), attributes.Create(CKA.CKA_EC_PARAMS, writer.Encode())),
                Template(attributes.Create(CKA.CKA_PRIVATE, true), attributes.Create(CKA.CKA_SENSITIVE, true), attributes.Create(CKA.CKA_EXTRACTABLE, false), attributes.Create(CKA.CKA_SIGN, true)),
                out _, out _);
            return 0;
        }
        catch (Pkcs11Exception failure) when (!Pkcs11Faults.IsGone(failure))
        {
            throw Pkcs11Faults.Refused(token.Name, $"make {key}", failure);
        }
    }
}
