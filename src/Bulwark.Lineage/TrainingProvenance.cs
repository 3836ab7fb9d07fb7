using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A model was trained: SLSA provenance v1, so that any of its readers can follow; what a budget was spent on is in the extension.</summary>
/// <remarks>Source: slsa.dev/spec/v1.0/provenance. Extension members bear the vendor's name and an underscore, as it asks. The subject is the model's file.</remarks>
public sealed record TrainingProvenance : IPredicate<TrainingProvenance>
{
    /// <summary>What kind of build a training run is.</summary>
    public const string BuildType = "https://bulwark.dev/training-run/v1";

    /// <summary>The name of the training data among the dependencies.</summary>
    public const string TrainingData = "training data";

    /// <summary>The name of the test data.</summary>
    public const string TestData = "test data";

    /// <summary>The name of the program's source.</summary>
    public const string Code = "code";

    /// <inheritdoc/>
    public static string Type => PredicateTypes.TrainingRun;

    /// <summary>What went in.</summary>
    public required BuildDefinition BuildDefinition { get; init; }

    /// <summary>What happened.</summary>
    public required RunDetails RunDetails { get; init; }

    /// <summary>Root of the training data; null when none is named.</summary>
    [JsonIgnore]
    public Digest? Dataset => Of(TrainingData);

    /// <summary>Root of the test data; null when none is named.</summary>
    [JsonIgnore]
    public Digest? TestSet => Of(TestData);

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        BuildDefinition.BuildType == BuildType ? null : $"The build type is '{BuildDefinition.BuildType}', not {BuildType}.",
        Predicates.NotObject(BuildDefinition.ExternalParameters, "externalParameters"),
        BuildDefinition.ResolvedDependencies.Contains(null!) ? "A dependency is null." : null,
        Dataset is null ? $"No dependency '{TrainingData}' with a sha256." : null,
        RunDetails.Bulwark_privacy is { Epsilon: < 0 } or { Delta: < 0 or > 1 } ? "'bulwark_privacy' is out of range." : null);

    private Digest? Of(string name) => BuildDefinition.ResolvedDependencies.FirstOrDefault(input => input?.Name == name) is { Digest: { } set }
        && set.TryGetValue("sha256", out var hex) && Digest.TryParse("sha256:" + hex, out var digest) ? digest : null;
}

/// <summary>The inputs of a build: SLSA's <c>buildDefinition</c>.</summary>
/// <param name="BuildType">Names how to read the rest.</param>
/// <param name="ExternalParameters">What the user chose: an object.</param>
/// <param name="ResolvedDependencies">Data and code.</param>
/// <param name="InternalParameters">What the machine gave: operating system, runtime, libraries. No name of a machine.</param>
public sealed record BuildDefinition(
    string BuildType, JsonElement ExternalParameters, IReadOnlyList<ResourceDescriptor> ResolvedDependencies, IReadOnlyDictionary<string, string>? InternalParameters = null);

/// <summary>A thing and its digests: in-toto's resource descriptor.</summary>
/// <param name="Name">What it is here.</param>
/// <param name="Digest">Algorithm to hex, for example <c>sha256</c> or <c>gitCommit</c>.</param>
/// <param name="Uri">Where it is from.</param>
public sealed record ResourceDescriptor(string Name, IReadOnlyDictionary<string, string> Digest, string? Uri = null)
{
    /// <summary>A thing with a SHA-256.</summary>
    public static ResourceDescriptor Of(string name, Digest digest) => new(name, new Dictionary<string, string> { ["sha256"] = digest.ToHex() });
}

/// <summary>The run: SLSA's <c>runDetails</c>.</summary>
/// <param name="Builder">The program.</param>
/// <param name="Metadata">When, and the run's name.</param>
/// <param name="Byproducts">What else it wrote.</param>
/// <param name="Bulwark_privacy">What it spent; null without differential privacy. The name is the form that SLSA asks of an extension.</param>
public sealed record RunDetails(Builder Builder, BuildMetadata Metadata, IReadOnlyList<ResourceDescriptor>? Byproducts = null, PrivacyCost? Bulwark_privacy = null);

/// <summary>The program that built.</summary>
/// <param name="Id">Its address.</param>
/// <param name="Version">Part to version.</param>
public sealed record Builder(string Id, IReadOnlyDictionary<string, string> Version);

/// <summary>When a build ran.</summary>
/// <param name="InvocationId">Its name, chosen at random.</param>
/// <param name="StartedOn">UTC.</param>
/// <param name="FinishedOn">UTC.</param>
public sealed record BuildMetadata(string InvocationId, DateTimeOffset StartedOn, DateTimeOffset FinishedOn);

/// <summary>What a training run cost in privacy.</summary>
/// <param name="Epsilon">ε.</param>
/// <param name="Delta">δ.</param>
/// <param name="Adjacency">What two data sets may differ in.</param>
/// <param name="Unit">Whose record that is.</param>
/// <param name="LedgerHead">Head of the privacy ledger after the run: a ledger that was set back since is noticed.</param>
public sealed record PrivacyCost(double Epsilon, double Delta, string Adjacency, string? Unit = null, string? LedgerHead = null);
