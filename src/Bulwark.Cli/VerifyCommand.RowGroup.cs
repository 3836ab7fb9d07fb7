using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    /// <summary>The rows under their root, the root under a signed statement, the statement in the log.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>> RowGroupLinksAsync(ParseResult parsed, byte[] bytes, Trust trust)
    {
        RowGroupProof proof;
        try
        {
            proof = RowGroupProof.Parse(bytes);
        }
        catch (FormatException failure)
        {
            return [EvidenceLink.Bad("format", "malformed", JsonWords.Plain(failure.Message))];
        }

        if (!proof.Verify())
            return [EvidenceLink.Bad("rows", "notIncluded", $"row group {proof.Group} is not part of {proof.Root}")];
        var (columns, first, cells) = proof.Read();
        var rows = EvidenceLink.Good("rows", $"rows {first} to {first + cells.Count - 1}, {columns.Count} columns, are part of {proof.Root}");
        if (proof.Statement is null || proof.LogProof is null)
            return [rows, await LoggedRootAsync(parsed, proof.Root, trust)];
        return [rows, Commitment(proof, trust), Place(proof, trust)];
    }

    private static EvidenceLink Commitment(RowGroupProof proof, Trust trust)
    {
        var signed = Dsse.Verify(proof.Statement, trust.Keys);
        if (signed.Verdict != DsseVerdict.Trusted)
            return EvidenceLink.Bad("commitment", Word(signed.Verdict), $"the commitment is not signed by a trusted key: {signed.Verdict}");
        try
        {
            var statement = Statement.Parse(signed.Payload);
            return Predicates.TryRead<DatasetCommitted>(statement) is not null && statement.Subjects.FirstOrDefault(subject => subject.Digest == proof.Root) is { } subject
                ? EvidenceLink.Good("commitment", $"{subject.Name}, signed by {signed.Signer}") : EvidenceLink.Bad("commitment", "otherRoot", $"the statement does not commit to {proof.Root}");
        }
        catch (FormatException failure)
        {
            return EvidenceLink.Bad("commitment", "malformed", JsonWords.Plain(failure.Message));
        }
    }

    private static EvidenceLink Place(RowGroupProof proof, Trust trust)
    {
        try
        {
            var place = TlogProof.Parse(proof.LogProof!);
            var verdict = place.Verify(proof.Statement, trust.RequireLogKey());
            return verdict == LogVerdict.Verified ? EvidenceLink.Good("log", $"entry {place.Index} of {place.Checkpoint.Size} in {place.Checkpoint.Origin}") : EvidenceLink.Bad("log", Word(verdict), $"not proved to be in the log: {verdict}");
        }
        catch (FormatException failure)
        {
            return EvidenceLink.Bad("log", "malformed", JsonWords.Plain(failure.Message));
        }
    }

    private static async Task<EvidenceLink> LoggedRootAsync(ParseResult parsed, Digest root, Trust trust)
    {
        var reader = await LineageSource.FindAsync(parsed, trust.LogKey, trust.Keys);
        return reader?.Find<DatasetCommitted>(root).FirstOrDefault(found => found.Statement.Subjects.Any(subject => subject.Digest == root)) is { } found
            ? EvidenceLink.Good("commitment", $"entry {found.Index}: {found.Statement.Subjects[0].Name}")
            : EvidenceLink.Bad("commitment", "notCommitted", $"no statement at hand commits to {root}: a log or a proof with its statement is needed");
    }
}
