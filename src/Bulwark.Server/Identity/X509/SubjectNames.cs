namespace Bulwark.Server;

/// <summary>The names of a certificate that name constraints apply to: its alternative names, its subject, e-mail addresses in its subject.</summary>
internal static class SubjectNames
{
    internal static List<GeneralName> Of(ParsedCertificate certificate)
    {
        var names = new List<GeneralName>(certificate.Extensions.AlternativeNames ?? []);
        if (!certificate.Subject.IsEmpty)
            names.Add(new(GeneralNameKind.Directory, "", default, certificate.Subject));
        if (names.All(name => name.Kind != GeneralNameKind.Email))
            names.AddRange(certificate.Subject.Values(DistinguishedName.EmailOid).Select(email => new GeneralName(GeneralNameKind.Email, email, default)));
        return names;
    }
}
