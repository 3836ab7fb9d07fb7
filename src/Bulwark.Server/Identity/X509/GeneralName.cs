using System.Formats.Asn1;

namespace Bulwark.Server;

internal enum GeneralNameKind { Other = 0, Email = 1, Dns = 2, X400 = 3, Directory = 4, Edi = 5, Uri = 6, Ip = 7, RegisteredId = 8 }

/// <summary>One of the names of a subject, or of a name constraint (RFC 5280, section 4.2.1.6).</summary>
/// <param name="Kind">Which choice.</param>
/// <param name="Text">The text of an e-mail, DNS or URI name; else empty.</param>
/// <param name="Bytes">The octets of an IP name; else the whole encoding.</param>
/// <param name="Name">The distinguished name of a directory name.</param>
internal sealed record GeneralName(GeneralNameKind Kind, string Text, ReadOnlyMemory<byte> Bytes, DistinguishedName? Name = null)
{
    internal static GeneralName Read(AsnReader reader)
    {
        var tag = reader.PeekTag();
        if (tag.TagClass != TagClass.ContextSpecific || tag.TagValue > 8)
            throw new AsnContentException("This is no general name.");
        var kind = (GeneralNameKind)tag.TagValue;
        switch (kind)
        {
            case GeneralNameKind.Email or GeneralNameKind.Dns or GeneralNameKind.Uri:
                return new(kind, reader.ReadCharacterString(UniversalTagNumber.IA5String, tag), default);
            case GeneralNameKind.Ip:
                return new(kind, "", reader.ReadOctetString(tag));
            case GeneralNameKind.Directory:
                var inner = reader.ReadSequence(tag);
                var name = DistinguishedName.Parse(inner.ReadEncodedValue());
                inner.ThrowIfNotEmpty();
                return new(kind, "", default, name);
            default:
                return new(kind, "", reader.ReadEncodedValue());
        }
    }

    internal static List<GeneralName> ReadList(AsnReader sequence)
    {
        var names = new List<GeneralName>();
        while (sequence.HasData)
            names.Add(Read(sequence));
        return names;
    }
}
