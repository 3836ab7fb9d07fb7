using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>Walks from a receipt through the workspace's log, digest by digest: key release, seal, training run, data.</summary>
/// <remarks>Only statements signed by the workspace's keys count. Without a workspace, or for another log, there is nothing to walk.</remarks>
internal sealed class EvidenceChain
{
    private readonly List<(long Index, Statement Statement)> _statements = [];

    private EvidenceChain(TransparencyLog log, IReadOnlyCollection<VerificationKey> trusted)
    {
        foreach (var (index, entry) in log.ReadEntries())
        {
            if (Dsse.Verify(entry, trusted) is { Verdict: DsseVerdict.Trusted, PayloadType: Statement.PayloadType } envelope)
                _statements.Add((index, Statement.Parse(envelope.Payload)));
        }
    }

    /// <summary>The links beyond the receipt's own.</summary>
    internal static IEnumerable<EvidenceLink> Of(PredictionReceipt receipt, ParseResult parsed)
    {
        if (receipt is not { Facts: { } facts, Proof: { } proof } || Workspace.Find(parsed) is not { } workspace)
            return [];
        using var keys = workspace.OpenKeys();
        var log = TransparencyLog.OpenAsync(workspace.LogDirectory, trustedKey: keys.PublicKey(Workspace.LogKey)).GetAwaiter().GetResult();
        return log.Checkpoint.Origin == proof.Checkpoint.Origin ? new EvidenceChain(log, LogCommand.SigningKeys(keys)).Links(facts).ToArray() : [];
    }

    private IEnumerable<EvidenceLink> Links(PredictionFacts facts)
    {
        yield return KeyRelease(facts);
        if (Find(PredicateTypes.SealedModel, statement => statement.Subjects.Any(subject => subject.Digest == facts.ModelDigest)) is not var (index, seal))
        {
            yield return new EvidenceLink("package", false, $"no seal of {facts.ModelDigest} in the log");
            yield break;
        }

        yield return new EvidenceLink("package", true, $"entry {index}: {seal.Subjects[0].Name} was sealed{Figures(seal)}");
        foreach (var link in Data(seal))
            yield return link;
    }

    private EvidenceLink KeyRelease(PredictionFacts facts)
    {
        var released = Find(PredicateTypes.KeyRelease, statement =>
            Mentions(statement).Contains(facts.AttestationDigest) && statement.Subjects.Any(subject => subject.Digest == facts.ModelDigest));
        if (released is not var (index, statement))
            return new EvidenceLink("attestation", false, $"no key of this model was released on the evidence {facts.AttestationDigest}");
        var verdict = Text(statement.Predicate, "verdict") ?? "unknown";
        return new EvidenceLink("attestation", verdict == "released", $"entry {index}: key {verdict} on {Text(statement.Predicate, "kind") ?? "unknown"} evidence{(facts.Insecure ? " — INSECURE: no hardware vouches for the worker" : "")}");
    }

    /// <summary>Training and data, as far as the log knows them: a package that was imported has neither.</summary>
    private IEnumerable<EvidenceLink> Data(Statement seal)
    {
        var known = Mentions(seal);
        // By the trained file, not by the data: other models learnt from the same data.
        if (Find(PredicateTypes.TrainingRun, statement => statement.Subjects.Any(subject => known.Contains(subject.Digest))) is var (run, training))
        {
            yield return new EvidenceLink("training", true, $"entry {run}: trained{Figures(training)}");
            known.UnionWith(Mentions(training));
        }

        if (Find(PredicateTypes.DatasetCommitment, statement => statement.Subjects.Any(subject => known.Contains(subject.Digest))) is var (data, commitment))
            yield return new EvidenceLink("data", true, $"entry {data}: {commitment.Subjects[0].Name} {commitment.Subjects[0].Digest}");
    }

    private (long Index, Statement Statement)? Find(string type, Func<Statement, bool> match)
    {
        foreach (var (index, statement) in _statements)
        {
            if (statement.PredicateType == type && match(statement))
                return (index, statement);
        }

        return null;
    }

    private static string Figures(Statement statement)
    {
        var figures = new[] { "epsilon", "delta", "accuracy", "robustAccuracy" }
            .Select(name => (name, Value: Number(statement.Predicate, name))).Where(figure => figure.Value is not null)
            .Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.name} {figure.Value:0.######}"));
        var text = string.Join(", ", figures);
        return text.Length == 0 ? "" : ": " + text;
    }

    /// <summary>A figure of the predicate, or of the manifest inside it.</summary>
    private static double? Number(JsonElement predicate, string name) =>
        predicate.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : predicate.TryGetProperty("runDetails", out var run) && run.TryGetProperty("bulwark_privacy", out var privacy) ? Number(privacy, name) : null;

    private static string? Text(JsonElement predicate, string name) =>
        predicate.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Every digest that a statement names, as subject or anywhere in its predicate.</summary>
    private static HashSet<Digest> Mentions(Statement statement)
    {
        var found = statement.Subjects.Select(subject => subject.Digest).ToHashSet();
        Collect(statement.Predicate, found);
        return found;
    }

    private static void Collect(JsonElement element, HashSet<Digest> found)
    {
        if (element.ValueKind == JsonValueKind.String && (Digest.TryParse(element.GetString(), out var digest) || Digest.TryParse("sha256:" + element.GetString(), out digest)))
            found.Add(digest);
        else if (element.ValueKind == JsonValueKind.Array)
            element.EnumerateArray().ToList().ForEach(item => Collect(item, found));
        else if (element.ValueKind == JsonValueKind.Object)
            element.EnumerateObject().ToList().ForEach(member => Collect(member.Value, found));
    }
}
