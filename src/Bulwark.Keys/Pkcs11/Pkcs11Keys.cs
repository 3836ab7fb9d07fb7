using System.Globalization;
using System.Numerics;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Keys;

/// <summary>One version of a key in a token.</summary>
internal sealed record Pkcs11Key(KeyUri Uri, byte[] Id, IObjectHandle Handle, bool MayWrap, bool? Extractable)
{
    /// <summary>The CKA_ID that follows: one more, as a big-endian number.</summary>
    internal byte[] NextId() => (new BigInteger(Id, isUnsigned: true, isBigEndian: true) + 1).ToByteArray(isUnsigned: true, isBigEndian: true);
}

/// <summary>AES keys of a token by label: versions found, made, retired.</summary>
internal sealed class Pkcs11Keys(Pkcs11Token token)
{
    private static readonly List<CKA> s_read = [CKA.CKA_ID, CKA.CKA_ENCRYPT, CKA.CKA_WRAP, CKA.CKA_EXTRACTABLE];

    /// <summary>Every AES version of a key, oldest first; empty when the token has none.</summary>
    internal IReadOnlyList<Pkcs11Key> Find(ISession session, KeyUri key)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        var template = new List<IObjectAttribute>
        {
            attributes.Create(CKA.CKA_CLASS, CKO.CKO_SECRET_KEY), attributes.Create(CKA.CKA_KEY_TYPE, CKK.CKK_AES), attributes.Create(CKA.CKA_LABEL, key.Pkcs11Attributes["object"]),
        };
        var found = session.FindAllObjects(template).Select(handle => Read(session, key.Key, handle)).OrderBy(version => new BigInteger(version.Id, isUnsigned: true, isBigEndian: true)).ToList();
        return found.Zip(found.Skip(1)).FirstOrDefault(pair => pair.First.Uri == pair.Second.Uri) is { First: not null } twins
            ? throw new KeyProviderException($"The token {token.Name} has two keys {twins.First.Uri}.", "give each its own CKA_ID", null)
            : found;
    }

    internal IReadOnlyList<Pkcs11Key> Required(ISession session, KeyUri key) => Find(session, key) is { Count: > 0 } versions
        ? versions
        : throw new InvalidOperationException($"The token {token.Name} has no AES key {key.Key}.");

    internal Pkcs11Key? Version(ISession session, KeyUri version) => Find(session, version).FirstOrDefault(key => key.Uri == version.Key.WithVersion(version.Version ?? throw new InvalidOperationException($"{version} names no version.")));

    /// <summary>The version that wraps for an address: the one it names, otherwise the newest that may.</summary>
    internal Pkcs11Key Wrapping(ISession session, KeyUri kek)
    {
        var versions = Required(session, kek);
        return (kek.Version is null ? versions.LastOrDefault(key => key.MayWrap) : versions.FirstOrDefault(key => key.MayWrap && key.Uri.Version == kek.Version))
            ?? throw new InvalidOperationException($"No version of {kek} in the token {token.Name} may wrap.");
    }

    internal KeyDescription Describe(ISession session, KeyUri key, bool allowNone = false)
    {
        var versions = allowNone ? Find(session, key) : Required(session, key);
        return new(key.Key, "AES-256 (in token)", 256, $"PKCS#11 token {token.Name}", versions.Count == 0 ? null : versions.Any(version => version.Extractable is not false),
            [.. versions.Select(version => new KeyVersion(version.Uri, version.MayWrap ? KeyState.Enabled : KeyState.DecryptOnly, null))]);
    }

    /// <summary>Makes an AES-256 key that can never leave the token.</summary>
    internal void Generate(ISession session, KeyUri key, byte[] id)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        try
        {
            session.GenerateKey(session.Factories.MechanismFactory.Create(CKM.CKM_AES_KEY_GEN),
            [
                attributes.Create(CKA.CKA_CLASS, CKO.CKO_SECRET_KEY), attributes.Create(CKA.CKA_KEY_TYPE, CKK.CKK_AES), attributes.Create(CKA.CKA_VALUE_LEN, 32),
                attributes.Create(CKA.CKA_LABEL, key.Pkcs11Attributes["object"]), attributes.Create(CKA.CKA_ID, id),
                attributes.Create(CKA.CKA_TOKEN, true), attributes.Create(CKA.CKA_PRIVATE, true), attributes.Create(CKA.CKA_SENSITIVE, true), attributes.Create(CKA.CKA_EXTRACTABLE, false),
                attributes.Create(CKA.CKA_ENCRYPT, true), attributes.Create(CKA.CKA_DECRYPT, true), attributes.Create(CKA.CKA_WRAP, true), attributes.Create(CKA.CKA_UNWRAP, true),
            ]);
        }
        catch (Pkcs11Exception failure) when (!Pkcs11Faults.IsGone(failure))
        {
            throw Pkcs11Faults.Refused(token.Name, $"make {key.Key}", failure);
        }
    }

    internal static void Retire(ISession session, Pkcs11Key key)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        session.SetAttributeValue(key.Handle, [attributes.Create(CKA.CKA_ENCRYPT, false), attributes.Create(CKA.CKA_WRAP, false)]);
    }

    private static Pkcs11Key Read(ISession session, KeyUri key, IObjectHandle handle)
    {
        var values = session.GetAttributeValue(handle, s_read);
        var id = values[0].CannotBeRead ? [] : values[0].GetValueAsByteArray();
        return new Pkcs11Key(
            id.Length == 0 ? key : key.WithVersion(string.Concat(id.Select(value => $"%{value.ToString("X2", CultureInfo.InvariantCulture)}"))), id, handle,
            Flag(values[1]) is true || Flag(values[2]) is true, Flag(values[3]));
    }

    private static bool? Flag(IObjectAttribute attribute) => attribute.CannotBeRead ? null : attribute.GetValueAsBool();
}
