using System.Security.Cryptography;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Keys;

/// <summary>The two wrapped forms of a token: AES-GCM where it can, AES key wrap with padding where it cannot.</summary>
internal sealed class Pkcs11Wrapping(Pkcs11Token token)
{
    private const byte Gcm = 1, KeyWrap = 2;
    private const int IvSize = 12, TagBits = 128, TagSize = 16, DigestSize = 32;
    private const CKM KeyWrapPadded3 = (CKM)0x210B;   // CKM_AES_KEY_WRAP_KWP of PKCS#11 3.0; version 2.40 has CKM_AES_KEY_WRAP_PAD

    /// <summary>For tests: as if the token had no AES-GCM.</summary>
    internal bool WithoutGcm { get; set; }

    internal byte[] Wrap(ISession session, IObjectHandle kek, ReadOnlySpan<byte> dataKey, byte[] bound)
    {
        var mechanisms = token.Mechanisms();
        return mechanisms.Contains(CKM.CKM_AES_GCM) && !WithoutGcm ? WrapGcm(session, kek, dataKey, bound) : WrapPadded(session, kek, dataKey, bound);
    }

    internal SecretBytes Unwrap(ISession session, IObjectHandle kek, byte[] wrapped, byte[] bound) => wrapped switch
    {
        [Gcm, ..] when wrapped.Length > 1 + IvSize + TagSize => UnwrapGcm(session, kek, wrapped, bound),
        [KeyWrap, ..] when wrapped.Length > 1 + DigestSize => UnwrapPadded(session, kek, wrapped[1..], bound),
        _ => throw Pkcs11Faults.DoesNotOpen(),
    };

    private static byte[] WrapGcm(ISession session, IObjectHandle kek, ReadOnlySpan<byte> dataKey, byte[] bound)
    {
        var iv = RandomNumberGenerator.GetBytes(IvSize);
        var plain = dataKey.ToArray();
        try
        {
            using var parameters = session.Factories.MechanismParamsFactory.CreateCkGcmParams(iv, IvSize * 8, bound, TagBits);
            using var mechanism = session.Factories.MechanismFactory.Create(CKM.CKM_AES_GCM, parameters);
            var sealedKey = session.Encrypt(mechanism, kek, plain);
            // some tokens choose the IV themselves and write it back: then it would be lost
            return sealedKey.Length == plain.Length + TagSize ? [Gcm, .. iv, .. sealedKey] : throw new KeyProviderException("The token's AES-GCM gave an answer of another length than the standard's.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static SecretBytes UnwrapGcm(ISession session, IObjectHandle kek, byte[] wrapped, byte[] bound)
    {
        using var parameters = session.Factories.MechanismParamsFactory.CreateCkGcmParams(wrapped[1..(1 + IvSize)], IvSize * 8, bound, TagBits);
        using var mechanism = session.Factories.MechanismFactory.Create(CKM.CKM_AES_GCM, parameters);
        return Taken(session.Decrypt(mechanism, kek, wrapped[(1 + IvSize)..]), 0);
    }

    private byte[] WrapPadded(ISession session, IObjectHandle kek, ReadOnlySpan<byte> dataKey, byte[] bound)
    {
        var plain = GC.AllocateUninitializedArray<byte>(dataKey.Length + DigestSize, pinned: true);
        dataKey.CopyTo(plain);
        SHA256.HashData(bound, plain.AsSpan(dataKey.Length));
        var attributes = session.Factories.ObjectAttributeFactory;
        IObjectHandle? inner = null;
        try
        {
            inner = session.CreateObject(
            [
                attributes.Create(CKA.CKA_CLASS, CKO.CKO_SECRET_KEY), attributes.Create(CKA.CKA_KEY_TYPE, CKK.CKK_GENERIC_SECRET), attributes.Create(CKA.CKA_TOKEN, false),
                attributes.Create(CKA.CKA_SENSITIVE, false), attributes.Create(CKA.CKA_EXTRACTABLE, true), attributes.Create(CKA.CKA_VALUE, plain),
            ]);
            using var mechanism = session.Factories.MechanismFactory.Create(Padded());
            return [KeyWrap, .. session.WrapKey(mechanism, kek, inner)];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
            if (inner is not null)
                session.DestroyObject(inner);
        }
    }

    private SecretBytes UnwrapPadded(ISession session, IObjectHandle kek, byte[] wrapped, byte[] bound)
    {
        var attributes = session.Factories.ObjectAttributeFactory;
        using var mechanism = session.Factories.MechanismFactory.Create(Padded());
        var inner = session.UnwrapKey(mechanism, kek, wrapped,
        [
            attributes.Create(CKA.CKA_CLASS, CKO.CKO_SECRET_KEY), attributes.Create(CKA.CKA_KEY_TYPE, CKK.CKK_GENERIC_SECRET), attributes.Create(CKA.CKA_TOKEN, false),
            attributes.Create(CKA.CKA_SENSITIVE, false), attributes.Create(CKA.CKA_EXTRACTABLE, true),
        ]);
        try
        {
            var plain = session.GetAttributeValue(inner, [CKA.CKA_VALUE])[0].GetValueAsByteArray();
            if (plain.Length > DigestSize && CryptographicOperations.FixedTimeEquals(plain.AsSpan(plain.Length - DigestSize), SHA256.HashData(bound)))
                return Taken(plain, DigestSize);
            CryptographicOperations.ZeroMemory(plain);
            throw Pkcs11Faults.DoesNotOpen();
        }
        finally
        {
            session.DestroyObject(inner);
        }
    }

    private CKM Padded() => token.Mechanisms() is var known && known.Contains(KeyWrapPadded3) ? KeyWrapPadded3
        : known.Contains(CKM.CKM_AES_KEY_WRAP_PAD) ? CKM.CKM_AES_KEY_WRAP_PAD
        : throw new KeyProviderException($"The token {token.Name} has neither AES-GCM nor AES key wrap with padding.", "use a token that has one of them", null);

    private static SecretBytes Taken(byte[] plain, int without)
    {
        try
        {
            return SecretBytes.CopyOf(plain.AsSpan(0, plain.Length - without));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }
}
