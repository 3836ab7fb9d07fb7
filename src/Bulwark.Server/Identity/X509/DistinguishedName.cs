using System.Formats.Asn1;

namespace Bulwark.Server;

/// <summary>A distinguished name: relative names in order, each a set of attributes.</summary>
internal sealed class DistinguishedName
{
    internal const string CommonNameOid = "2.5.4.3";
    internal const string EmailOid = "1.2.840.113549.1.9.1";
    private readonly List<(string Oid, string Value)[]> _parts = [];

    private DistinguishedName(ReadOnlyMemory<byte> encoded) => Encoded = encoded;

    /// <summary>The bytes: issuer and subject chain only when these are equal.</summary>
    internal ReadOnlyMemory<byte> Encoded { get; }

    internal bool IsEmpty => _parts.Count == 0;

    internal static DistinguishedName Parse(ReadOnlyMemory<byte> encoded)
    {
        var name = new DistinguishedName(encoded);
        var outer = new AsnReader(encoded, AsnEncodingRules.DER);
        var sequence = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        while (sequence.HasData)
            name._parts.Add([.. ReadPart(sequence.ReadSetOf())]);
        return name;
    }

    /// <summary>The values of an attribute, as written.</summary>
    internal IEnumerable<string> Values(string oid) => _parts.SelectMany(part => part).Where(attribute => attribute.Oid == oid).Select(attribute => attribute.Value);

    /// <summary>True when this name lies in the subtree below <paramref name="root"/>; letter case and runs of blanks do not count (RFC 5280, section 7.1).</summary>
    internal bool IsWithin(DistinguishedName root) =>
        root._parts.Count <= _parts.Count && root._parts.Zip(_parts).All(pair => Same(pair.First, pair.Second));

    private static bool Same((string Oid, string Value)[] a, (string Oid, string Value)[] b) =>
        a.Length == b.Length && a.All(x => b.Any(y => x.Oid == y.Oid && Normal(x.Value) == Normal(y.Value)));

    private static string Normal(string value) =>
        string.Join(' ', value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToUpperInvariant();

    private static IEnumerable<(string Oid, string Value)> ReadPart(AsnReader set)
    {
        if (!set.HasData)
            throw new AsnContentException("A relative name is empty.");
        while (set.HasData)
        {
            var attribute = set.ReadSequence();
            var oid = attribute.ReadObjectIdentifier();
            var value = ReadText(attribute);
            attribute.ThrowIfNotEmpty();
            yield return (oid, value);
        }
    }

    private static string ReadText(AsnReader reader)
    {
        var tag = reader.PeekTag();
        return tag.TagClass == TagClass.Universal && (UniversalTagNumber)tag.TagValue is
            UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
            or UniversalTagNumber.T61String or UniversalTagNumber.BMPString
                ? reader.ReadCharacterString((UniversalTagNumber)tag.TagValue)
                : Convert.ToHexString(reader.ReadEncodedValue().Span);
    }
}
