using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>The extensions of a certificate or revocation list, each at most once, those known taken apart.</summary>
internal sealed class CertificateExtensions
{
    internal const string KeyIdentifierOid = "2.5.29.14";
    internal const string KeyUsageOid = "2.5.29.15";
    internal const string AlternativeNameOid = "2.5.29.17";
    internal const string BasicConstraintsOid = "2.5.29.19";
    internal const string CrlNumberOid = "2.5.29.20";
    internal const string NameConstraintsOid = "2.5.29.30";
    internal const string AuthorityKeyIdentifierOid = "2.5.29.35";
    internal const string PolicyConstraintsOid = "2.5.29.36";
    internal const string ExtendedKeyUsageOid = "2.5.29.37";
    private const string AuthorityInformationOid = "1.3.6.1.5.5.7.1.1";

    private readonly Dictionary<string, (bool Critical, ReadOnlyMemory<byte> Value)> _all = new(StringComparer.Ordinal);

    internal static CertificateExtensions Empty { get; } = new();

    internal (bool IsAuthority, int? PathLength)? BasicConstraints { get; private set; }
    internal X509KeyUsageFlags? KeyUsage { get; private set; }
    internal IReadOnlyList<string>? ExtendedKeyUsage { get; private set; }
    internal IReadOnlyList<GeneralName>? AlternativeNames { get; private set; }
    internal NameConstraints? NameConstraints { get; private set; }
    internal ReadOnlyMemory<byte>? SubjectKeyIdentifier { get; private set; }
    internal (ReadOnlyMemory<byte>? KeyIdentifier, bool HasOthers)? AuthorityKeyIdentifier { get; private set; }

    internal IEnumerable<string> Critical => _all.Where(extension => extension.Value.Critical).Select(extension => extension.Key);

    internal bool IsAuthority => BasicConstraints is { IsAuthority: true };

    internal bool Has(string oid) => _all.ContainsKey(oid);

    /// <summary>The bytes of an extension; null without it.</summary>
    internal ReadOnlyMemory<byte>? ValueOf(string oid) => _all.TryGetValue(oid, out var extension) ? extension.Value : null;

    internal bool IsCritical(string oid) => _all.TryGetValue(oid, out var extension) && extension.Critical;

    internal static CertificateExtensions Parse(AsnReader sequence)
    {
        var extensions = new CertificateExtensions();
        if (!sequence.HasData)
            throw new AsnContentException("The list of extensions is empty.");
        while (sequence.HasData)
        {
            var extension = sequence.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            var critical = false;
            if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && !(critical = extension.ReadBoolean()))
                throw new AsnContentException("The default 'not critical' is written out, which DER forbids.");
            var value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (!extensions._all.TryAdd(oid, (critical, value)))
                throw new AsnContentException($"The extension {oid} stands twice.");
            extensions.Understand(oid, value);
        }

        return extensions;
    }

    private void Understand(string oid, byte[] value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        switch (oid)
        {
            case BasicConstraintsOid: BasicConstraints = ReadBasicConstraints(reader.ReadSequence()); break;
            case KeyUsageOid: KeyUsage = ReadKeyUsage(reader); break;
            case ExtendedKeyUsageOid: ExtendedKeyUsage = ReadPurposes(reader.ReadSequence()); break;
            case AlternativeNameOid: AlternativeNames = NotEmpty(GeneralName.ReadList(reader.ReadSequence())); break;
            case NameConstraintsOid: NameConstraints = NameConstraints.Read(reader.ReadSequence()); break;
            case KeyIdentifierOid: SubjectKeyIdentifier = reader.ReadOctetString(); break;
            case AuthorityKeyIdentifierOid: AuthorityKeyIdentifier = ReadAuthorityKeyIdentifier(reader.ReadSequence()); break;
            case AuthorityInformationOid: ReadAccessDescriptions(reader.ReadSequence()); break;
            default: return;
        }

        reader.ThrowIfNotEmpty();
    }

    private static (bool, int?) ReadBasicConstraints(AsnReader reader)
    {
        var authority = false;
        int? length = null;
        if (reader.HasData && reader.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && !(authority = reader.ReadBoolean()))
            throw new AsnContentException("The default cA FALSE is written out, which DER forbids.");
        if (reader.HasData)
            length = reader.TryReadInt32(out var value) && value >= 0 && authority ? value : throw new AsnContentException("The path length is wrong.");
        reader.ThrowIfNotEmpty();
        return (authority, length);
    }

    private static X509KeyUsageFlags ReadKeyUsage(AsnReader reader)
    {
        var bits = reader.ReadBitString(out _);
        if (bits.Length is < 1 or > 2 || bits.All(b => b == 0))
            throw new AsnContentException("The key usage is empty or too long.");
        return (X509KeyUsageFlags)(bits[0] | (bits.Length > 1 ? bits[1] << 8 : 0));
    }

    private static List<string> ReadPurposes(AsnReader reader)
    {
        var purposes = new List<string>();
        while (reader.HasData)
            purposes.Add(reader.ReadObjectIdentifier());
        return NotEmpty(purposes);
    }

    private static (ReadOnlyMemory<byte>?, bool) ReadAuthorityKeyIdentifier(AsnReader reader)
    {
        ReadOnlyMemory<byte>? identifier = null;
        var others = false;
        var tag = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (reader.HasData && reader.PeekTag().HasSameClassAndValue(tag))
            identifier = reader.ReadOctetString(tag);
        while (reader.HasData)
        {
            others = true;
            reader.ReadEncodedValue();
        }

        return (identifier, others);
    }

    private static void ReadAccessDescriptions(AsnReader reader)
    {
        if (!reader.HasData)
            throw new AsnContentException("The authority information is empty.");
        while (reader.HasData)
        {
            var description = reader.ReadSequence();
            description.ReadObjectIdentifier();
            GeneralName.Read(description);
            description.ThrowIfNotEmpty();
        }
    }

    private static List<T> NotEmpty<T>(List<T> items) => items.Count > 0 ? items : throw new AsnContentException("A list that must hold something is empty.");
}
