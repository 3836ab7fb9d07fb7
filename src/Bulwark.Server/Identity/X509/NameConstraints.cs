using System.Formats.Asn1;

namespace Bulwark.Server;

/// <summary>Which names an authority may certify (RFC 5280, section 4.2.1.10).</summary>
internal sealed class NameConstraints
{
    private NameConstraints(List<GeneralName> permitted, List<GeneralName> excluded)
    {
        Permitted = permitted;
        Excluded = excluded;
    }

    internal IReadOnlyList<GeneralName> Permitted { get; }

    internal IReadOnlyList<GeneralName> Excluded { get; }

    internal static NameConstraints Read(AsnReader reader)
    {
        var permitted = ReadSubtrees(reader, 0);
        var excluded = ReadSubtrees(reader, 1);
        reader.ThrowIfNotEmpty();
        return permitted.Count + excluded.Count > 0 ? new(permitted, excluded) : throw new AsnContentException("The name constraints say nothing.");
    }

    /// <summary>True when this authority may certify the name.</summary>
    internal bool Allows(GeneralName name) =>
        !Excluded.Any(constraint => constraint.Kind == name.Kind && NameMatching.Overlaps(name, constraint))
        && (Permitted.All(constraint => constraint.Kind != name.Kind)
            || Permitted.Any(constraint => constraint.Kind == name.Kind && NameMatching.IsWithin(name, constraint)));

    private static List<GeneralName> ReadSubtrees(AsnReader reader, int number)
    {
        var tag = new Asn1Tag(TagClass.ContextSpecific, number, isConstructed: true);
        var constraints = new List<GeneralName>();
        if (!reader.HasData || !reader.PeekTag().HasSameClassAndValue(tag))
            return constraints;
        var subtrees = reader.ReadSequence(tag);
        while (subtrees.HasData)
        {
            var subtree = subtrees.ReadSequence();
            var constraint = GeneralName.Read(subtree);
            subtree.ThrowIfNotEmpty();   // minimum and maximum must keep their defaults
            constraints.Add(NameMatching.IsConstraint(constraint) ? constraint : throw new AsnContentException("A name constraint is malformed."));
        }

        return constraints.Count > 0 ? constraints : throw new AsnContentException("A list of subtrees is empty.");
    }
}
