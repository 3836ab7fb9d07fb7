using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Which policy a log says is in force.</summary>
public static class PolicyHistory
{
    /// <summary>The newest policy of one kind that a trusted key logged; null when there is none.</summary>
    /// <param name="log">Read backwards from its end, up to the newest such entry: as far as a gateway's last start.</param>
    /// <param name="kind"><see cref="PolicyChanged.AccessPolicy"/> or another kind.</param>
    /// <param name="signers">Keys whose statements count.</param>
    /// <exception cref="InvalidDataException">An entry was changed.</exception>
    public static Digest? InForce(TransparencyLog log, string kind, IReadOnlyCollection<VerificationKey> signers)
    {
        ArgumentNullException.ThrowIfNull(log);
        foreach (var (_, entry) in log.ReadBackwards())
        {
            if (Read(entry, signers) is var (claim, policy) && claim.Kind == kind)
                return policy;
        }

        return null;
    }

    private static (PolicyChanged Claim, Digest Policy)? Read(ReadOnlyMemory<byte> entry, IReadOnlyCollection<VerificationKey> signers)
    {
        if (LineageIndex.TypeOf(entry.Span) != PredicateTypes.PolicyChange || Dsse.Verify(entry, signers) is not { Verdict: DsseVerdict.Trusted, PayloadType: Statement.PayloadType } envelope)
            return null;
        try
        {
            var statement = Statement.Parse(envelope.Payload);
            return Predicates.TryRead<PolicyChanged>(statement) is { } claim ? (claim, statement.Subjects[0].Digest) : null;
        }
        catch (FormatException)
        {
            return null;   // another program's entry
        }
    }
}
