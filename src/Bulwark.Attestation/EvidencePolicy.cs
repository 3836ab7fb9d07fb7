using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>Where a policy is for.</summary>
[JsonConverter(typeof(NamesOnlyConverter<EvidenceEnvironment>))]
public enum EvidenceEnvironment
{
    /// <summary>Real data: nothing insecure is let in. The default.</summary>
    [JsonStringEnumMemberName("production")] Production = 0,
    /// <summary>A developer's machine or a test.</summary>
    [JsonStringEnumMemberName("development")] Development,
}

/// <summary>What evidence must say for a model's key to be released. What is not listed is refused.</summary>
/// <remarks>JSON is camelCase and strict. Kind <c>simulated</c> needs all three: a development environment, the kind in the list, and <see cref="InsecureSimulated"/>.</remarks>
public sealed record EvidencePolicy
{
    internal const string FormatName = "bulwark.dev/evidence-policy/v1";

    /// <summary>The format's name and version.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>Where this policy is for.</summary>
    public required EvidenceEnvironment Environment { get; init; }

    /// <summary>The kinds of evidence that are let in; see <see cref="EvidenceKinds"/>.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>Must be spelled out as true to let kind <c>simulated</c> in.</summary>
    public bool InsecureSimulated { get; init; }

    /// <summary>The development keys whose simulated reports are let in.</summary>
    public IReadOnlyList<VerificationKey> SimulatedKeys { get; init => field = value ?? []; } = [];   // generated JSON code sets an absent member to null

    /// <summary>The measurements of programs that are let in.</summary>
    public required IReadOnlyList<Digest> Measurements { get; init; }

    /// <summary>The model packages whose key may be released.</summary>
    public required IReadOnlyList<Digest> Models { get; init; }

    /// <summary>How old evidence may be, in seconds; from 1 to 3600.</summary>
    public required int MaximumAgeSeconds { get; init; }

    /// <summary>SHA-256 of the canonical bytes: the policy's version in every record.</summary>
    public Digest Digest() => Bulwark.Cryptography.Digest.Of(ToJson());

    /// <summary>Every fault; empty when the policy is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Format != FormatName) yield return $"The format is {Format}; this version reads {FormatName}.";
        if (!Enum.IsDefined(Environment)) yield return "The environment is neither production nor development.";
        if (Kinds.Count == 0) yield return "No kind of evidence is let in.";
        foreach (var kind in Kinds.Where(kind => kind != EvidenceKinds.Simulated))
            yield return $"Kind '{kind}' is not built; this version verifies: {EvidenceKinds.Simulated}.";
        if (Environment is EvidenceEnvironment.Production && (Kinds.Contains(EvidenceKinds.Simulated) || InsecureSimulated || SimulatedKeys.Count > 0))
            yield return "A production policy refuses simulated evidence: it proves nothing about the machine.";
        if (Kinds.Contains(EvidenceKinds.Simulated) && !InsecureSimulated)
            yield return "Simulated evidence is insecure; a development policy that lets it in must say \"insecureSimulated\": true.";
        if (Kinds.Contains(EvidenceKinds.Simulated) && SimulatedKeys.Count == 0) yield return "Simulated evidence is let in, but no development key.";
        if (Measurements.Count == 0) yield return "No measurement is let in.";
        if (Models.Count == 0) yield return "No model's key may be released.";
        if (MaximumAgeSeconds is < 1 or > 3600) yield return $"The maximum age is {MaximumAgeSeconds} s; it must be from 1 to 3600.";
    }

    /// <summary>Canonical JSON (RFC 8785).</summary>
    public byte[] ToJson() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, AttestationJson.Default.EvidencePolicy));

    /// <summary>Reads a policy and refuses an unsound one.</summary>
    /// <exception cref="InvalidDataException">An unknown, doubled or missing member, or <see cref="Faults"/> is not empty; the message lists them all.</exception>
    public static EvidencePolicy FromJson(ReadOnlySpan<byte> json)
    {
        EvidencePolicy policy;
        try
        {
            policy = JsonSerializer.Deserialize(json, AttestationJson.Default.EvidencePolicy) ?? throw new JsonException("The document is null.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"This is no sound evidence policy: {failure.Message}", failure);
        }

        var faults = policy.Faults().ToList();
        return faults.Count == 0 ? policy : throw new InvalidDataException($"The evidence policy is refused. {string.Join(" ", faults)}");
    }
}
