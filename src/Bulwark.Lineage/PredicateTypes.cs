namespace Bulwark.Lineage;

/// <summary>The claims that Bulwark makes, by the address that names each; <see cref="Predicates"/> knows the shape of every one.</summary>
public static class PredicateTypes
{
    /// <summary>A data set's root and shape: <see cref="DatasetCommitted"/>.</summary>
    public const string DatasetCommitment = "https://bulwark.dev/dataset-commitment/v1";

    /// <summary>Data were protected: from which, to which, by which policy: <see cref="DataProtected"/>.</summary>
    public const string DataProtection = "https://bulwark.dev/data-protection/v1";

    /// <summary>Somebody asked for protected values: <see cref="DataAccessed"/>.</summary>
    public const string DataAccess = "https://bulwark.dev/data-access/v1";

    /// <summary>A key wrapped, unwrapped or signed something: <see cref="KeyUsed"/>.</summary>
    public const string KeyUse = "https://bulwark.dev/key-use/v1";

    /// <summary>A person's key was destroyed, and with it what it protected: <see cref="SubjectErased"/>.</summary>
    public const string Erasure = "https://bulwark.dev/erasure/v1";

    /// <summary>A model was trained: inputs, parameters, environment, code, privacy spent. SLSA provenance: <see cref="TrainingProvenance"/>.</summary>
    public const string TrainingRun = "https://slsa.dev/provenance/v1";

    /// <summary>A model was measured: <see cref="ModelEvaluated"/>.</summary>
    public const string Evaluation = "https://bulwark.dev/evaluation/v1";

    /// <summary>A model was attacked, and with what success: <see cref="ModelAttacked"/>.</summary>
    public const string AttackReport = "https://bulwark.dev/attack-report/v1";

    /// <summary>The signed front inside a sealed package; docs/formats/model-package.md. In the log it is <see cref="SealedModel"/>.</summary>
    public const string Seal = "https://bulwark.dev/seal/v1";

    /// <summary>A model was sealed into a package: <see cref="ModelSealed"/>.</summary>
    public const string SealedModel = "https://bulwark.dev/sealed-model/v1";

    /// <summary>A sealed model was moved to a stage: <see cref="ModelPromoted"/>.</summary>
    public const string Promotion = "https://bulwark.dev/promotion/v1";

    /// <summary>A key was released, or its release refused: <see cref="KeyReleased"/>.</summary>
    public const string KeyRelease = "https://bulwark.dev/key-release/v1";

    /// <summary>A key's release was approved, or its leases revoked: <see cref="KeyAuthorityUsed"/>.</summary>
    public const string KeyAuthority = "https://bulwark.dev/key-authority/v1";

    /// <summary>A program's measurement was published: <see cref="MeasurementPublished"/>.</summary>
    public const string Measurement = "https://bulwark.dev/measurement/v1";

    /// <summary>A request to the gateway was allowed or refused: <see cref="RequestJudged"/>.</summary>
    public const string Access = "https://bulwark.dev/access/v1";

    /// <summary>A group of requests to the gateway, allowed or refused, committed together: <see cref="RequestsJudged"/>.</summary>
    public const string AccessBatch = "https://bulwark.dev/access-batch/v1";

    /// <summary>A prediction was made: <see cref="PredictionFacts"/>.</summary>
    public const string Decision = "https://bulwark.dev/decision/v1";

    /// <summary>A policy came into force: <see cref="PolicyChanged"/>.</summary>
    public const string PolicyChange = "https://bulwark.dev/policy-change/v1";

    /// <summary>A line of a privacy ledger: a budget that was set, privacy that was spent, work that was finished: <see cref="PrivacyBooked"/>.</summary>
    public const string PrivacyBooking = "https://bulwark.dev/privacy-booking/v1";

    /// <summary>A run of the making line was finished, with the digest of every file it left: <see cref="RunFinished"/>.</summary>
    public const string Run = "https://bulwark.dev/run/v1";
}
