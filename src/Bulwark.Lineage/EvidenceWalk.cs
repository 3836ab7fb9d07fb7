using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Walks from a receipt through a log: checkpoint, decision policy, attestation, package, training run, what it cost in privacy, data set.</summary>
/// <remarks>Needs no network and no secret. Each step finds its entry by the digest that the step before names; a step that finds nothing names what is missing.</remarks>
public sealed class EvidenceWalk(LineageReader reader)
{
    /// <summary>A request that was under way at a lease's end is dated when it was signed.</summary>
    private static readonly TimeSpan s_clocks = TimeSpan.FromSeconds(30);

    /// <summary>The release on whose evidence a worker signs; null when the log holds none that a trusted broker signed.</summary>
    public KeyReleased? Release(Digest evidence) => reader.Find<KeyReleased>(evidence)
        .Select(found => found.Claim).FirstOrDefault(release => release.Verdict == "released" && release.Evidence == evidence);

    /// <summary>The links beyond the receipt's own, once those hold.</summary>
    /// <param name="receipt">The receipt.</param>
    /// <param name="signer">Who signed it, as its own check found: must be the worker that the model's key was released to.</param>
    public IReadOnlyList<EvidenceLink> From(PredictionReceipt receipt, VerificationKey signer)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        ArgumentNullException.ThrowIfNull(signer);
        if (receipt is not { Facts: { } facts, Proof: { } proof })
            return [];
        var place = Guard("checkpoint", () => Place(proof));
        return place.Holds
            ? [place, Guard("policy", () => Policy(facts, proof.Index)), Guard("attestation", () => Attestation(facts, signer, proof.Index)), Guard("package", () => Package(facts.ModelDigest, proof.Index))]
            : [place];
    }

    /// <summary>A sealed package and what it was made from.</summary>
    /// <param name="package">The package's digest.</param>
    /// <param name="before">Only what the log knew before this entry counts: evidence is not made up afterwards.</param>
    public EvidenceLink Package(Digest package, long before = long.MaxValue)
    {
        if (reader.Find<ModelSealed>(package).FirstOrDefault(found => found.Index < before && found.Statement.Subjects.Any(subject => subject.Digest == package)) is not { } found)
            return EvidenceLink.Bad("package", "notSealed", $"no trusted statement in the log says that {package} was sealed");
        var seal = found.Claim;
        var title = $"entry {found.Index}: {seal.Name} {seal.Version} was sealed{Figures(("ε", seal.Epsilon), ("accuracy", seal.Accuracy), ("robust accuracy", seal.RobustAccuracy))}";
        return EvidenceLink.Good("package", title, Guard("training", () => Training(seal)) is { Detail.Length: > 0 } training ? [training] : []);
    }

    /// <summary>This log, as it is now, must have grown out of the tree that the receipt was proved in.</summary>
    private EvidenceLink Place(TlogProof proof)
    {
        var (seen, now) = (proof.Checkpoint, reader.Log.Checkpoint);
        if (seen.Origin != now.Origin)
            return EvidenceLink.Bad("checkpoint", "otherLog", $"the receipt is from the log {seen.Origin}, and this one is {now.Origin}");
        if (seen.Size > now.Size)
            return EvidenceLink.Bad("checkpoint", "staleLog", $"the receipt has seen {seen.Size} entries and the log at hand ends at {now.Size}: it was rolled back, or the copy is older than the receipt");
        return reader.Log.Continues(seen, now)
            ? EvidenceLink.Good("checkpoint", $"{now.Origin} at {now.Size} entries still begins with the {seen.Size} that the receipt saw")
            : EvidenceLink.Bad("checkpoint", "forkedLog", $"the log at hand does not begin with the {seen.Size} entries that the receipt saw: one of the two is a fork");
    }

    /// <summary>The policy that the decision names must be the one in force: the newest before it. What came into force while the request was being judged does not count.</summary>
    private EvidenceLink Policy(PredictionFacts facts, long before)
    {
        FoundClaim<PolicyChanged>? newer = null;
        foreach (var found in reader.Newest<PolicyChanged>().Where(found => found.Index < before && found.Claim.Kind == PolicyChanged.AccessPolicy))
        {
            if (found.Statement.Subjects.Any(subject => subject.Digest == facts.PolicyVersion))
            {
                return newer is null
                    ? EvidenceLink.Good("policy", $"entry {found.Index}: the access policy {Short(facts.PolicyVersion)} came into force at {found.Claim.Time:u}")
                    : EvidenceLink.Bad("policy", "policySuperseded", $"entry {newer.Index}: the access policy {Short(facts.PolicyVersion)} was replaced at {newer.Claim.Time:u}, before the decision");
            }

            newer = found.Claim.Time <= facts.Time ? found : newer;
        }

        return EvidenceLink.Bad("policy", "policyNotLogged", $"no entry before the decision says that the access policy {facts.PolicyVersion} came into force");
    }

    private EvidenceLink Attestation(PredictionFacts facts, VerificationKey signer, long before)
    {
        var releases = reader.Find<KeyReleased>(facts.AttestationDigest).Where(found => found.Index < before && found.Claim.Evidence == facts.AttestationDigest).ToArray();
        if (releases.FirstOrDefault(found => found.Claim.Model == facts.ModelDigest && found.Claim.Verdict == "released") is { } released)
        {
            if (!released.Claim.ReceiptKey.Equals(signer))
                return EvidenceLink.Bad("attestation", "otherWorker", $"entry {released.Index}: the model's key was released to the worker {released.Claim.ReceiptKey}, and {signer} signed the receipt");
            if (released.Claim.LeaseEnds + s_clocks < facts.Time)
                return EvidenceLink.Bad("attestation", "leaseEnded", $"entry {released.Index}: the lease of the key ended {released.Claim.LeaseEnds:u}, and the receipt is of {facts.Time:u}");
            if (Revocation(released.Claim) is { } revoked && revoked.Claim.Time <= facts.Time)
                return EvidenceLink.Bad("attestation", "revoked", $"entry {revoked.Index}: {revoked.Claim.By} revoked this worker's key {revoked.Claim.Time:u}, before the decision");
            var insecure = facts.Insecure || released.Claim.Insecure ? " — INSECURE: no hardware vouches for the worker" : "";
            return facts.Insecure == released.Claim.Insecure
                ? EvidenceLink.Good("attestation", $"entry {released.Index}: key released on {released.Claim.Kind} evidence{insecure}")
                : EvidenceLink.Bad("attestation", "hardwareClaim", $"entry {released.Index} and the receipt disagree whether hardware vouches for the worker");
        }

        if (releases.FirstOrDefault(found => found.Claim.Model == facts.ModelDigest) is { } refused)
            return EvidenceLink.Bad("attestation", "keyRefused", $"entry {refused.Index}: the key was refused on this evidence: {refused.Claim.Reason}");
        return releases.Length > 0
            ? EvidenceLink.Bad("attestation", "otherModel", $"entry {releases[0].Index}: on this evidence the key of another model was released, {releases[0].Claim.Model}")
            : EvidenceLink.Bad("attestation", "noRelease", $"no key of this model was released on the evidence {facts.AttestationDigest}");
    }

    /// <summary>The first trusted revocation that is about a release.</summary>
    private FoundClaim<KeyAuthorityUsed>? Revocation(KeyReleased release) =>
        reader.Find<KeyAuthorityUsed>(release.Model).FirstOrDefault(found => found.Claim.Revokes(release.Model, release.ReleaseId, release.Root, release.BootId, release.ReceiptKey));

    /// <summary>By the trained file, not by the data: other models learnt from the same data. An imported model that claims no ε has no training run, and no link.</summary>
    private EvidenceLink Training(ModelSealed seal)
    {
        var runs = seal.Files.SelectMany(file => reader.Find<TrainingProvenance>(file.Digest).Where(found => found.Statement.Subjects.Any(subject => subject.Digest == file.Digest))).ToArray();
        if (runs.Length == 0)
            return seal.Epsilon is null ? EvidenceLink.Good("training", "")
                : EvidenceLink.Bad("training", "noTrainingRun", string.Create(CultureInfo.InvariantCulture, $"the package claims ε {seal.Epsilon:0.###}, and no training run in the log made any of its files"));
        var run = runs[^1];
        var definition = run.Claim.BuildDefinition;
        var code = definition.ResolvedDependencies.FirstOrDefault(input => input.Name == TrainingProvenance.Code) is { } source && source.Digest.TryGetValue("gitCommit", out var commit) ? $", code {commit[..Math.Min(12, commit.Length)]}" : "";
        return EvidenceLink.Good("training", $"entry {run.Index}: {run.Statement.Subjects[0].Name} was trained at {run.Claim.RunDetails.Metadata.FinishedOn:u}{code}",
            Privacy(seal, run.Claim), Guard("data", () => Data(seal, run.Claim)));
    }

    private static EvidenceLink Privacy(ModelSealed seal, TrainingProvenance run) => (seal, run.RunDetails.Bulwark_privacy) switch
    {
        ({ Epsilon: null }, null) => EvidenceLink.Good("privacy", "no differential privacy: none is claimed"),
        ({ Epsilon: { } claimed, Delta: { } delta }, { } spent) when claimed >= spent.Epsilon && delta >= spent.Delta =>
            EvidenceLink.Good("privacy", string.Create(CultureInfo.InvariantCulture, $"ε {spent.Epsilon:0.####}, δ {spent.Delta:0.##e0}: {spent.Adjacency}")),
        ({ Epsilon: var claimed }, { } spent) => EvidenceLink.Bad("privacy", "privacyDiffers", string.Create(CultureInfo.InvariantCulture, $"the run spent ε {spent.Epsilon:0.####}, and the package claims {(claimed is null ? "none" : $"{claimed:0.####}")}")),
        _ => EvidenceLink.Bad("privacy", "privacyDiffers", string.Create(CultureInfo.InvariantCulture, $"the package claims ε {seal.Epsilon:0.####}, and the run was not private")),
    };

    private EvidenceLink Data(ModelSealed seal, TrainingProvenance run)
    {
        var root = run.Dataset!.Value;
        if (seal.Dataset is { } named && named != root)
            return EvidenceLink.Bad("data", "otherData", $"the package names the data {named}, and the run learnt from {root}");
        return reader.Find<DatasetCommitted>(root).FirstOrDefault(found => found.Statement.Subjects.Any(subject => subject.Digest == root)) is { } found
            ? EvidenceLink.Good("data", $"entry {found.Index}: {found.Statement.Subjects[0].Name} {root}")
            : EvidenceLink.Bad("data", "notCommitted", $"no entry commits to the data {root}");
    }

    private static EvidenceLink Guard(string name, Func<EvidenceLink> find)
    {
        try
        {
            return find();
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException)
        {
            return EvidenceLink.Bad(name, "logDamaged", failure.Message);
        }
    }

    private static string Figures(params (string Name, double? Value)[] figures)
    {
        var text = string.Join(", ", figures.Where(figure => figure.Value is not null).Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Name} {figure.Value:0.####}")));
        return text.Length == 0 ? "" : ": " + text;
    }

    private static string Short(Digest digest) => digest.ToString()[..19] + "…";
}
