using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Bulwark.Deployment;

/// <summary>What shall run: the few things that only the operator knows. Everything else is hardened without asking.</summary>
public sealed partial record Topology
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
    };

    /// <summary>Name of the workload and of the objects around it: a DNS label.</summary>
    public required string Name { get; init; }

    /// <summary>Namespace, made with the restricted level enforced: a DNS label, not <c>default</c> or <c>kube-…</c>.</summary>
    public required string Namespace { get; init; }

    /// <summary>The gateway's image by digest: <c>registry/name@sha256:…</c>.</summary>
    public required string Image { get; init; }

    /// <summary>An OCI image by digest that holds the sealed model; mounted read-only at <c>/model</c>. Null when the image or a secret brings it.</summary>
    public string? ModelImage { get; init; }

    /// <summary>Arguments of the program; null takes the image's own.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>Port that clients connect to, 1024 to 65535.</summary>
    public int Port { get; init; } = 8443;

    /// <summary>Fewest pods; 2 or more, so that one can fail.</summary>
    public int Replicas { get; init; } = 2;

    /// <summary>Most pods under load.</summary>
    public int MaximumReplicas { get; init; } = 6;

    /// <summary>CPU that a pod asks for, in Kubernetes notation.</summary>
    public string Cpu { get; init; } = "500m";

    /// <summary>Memory that a pod gets, request and limit alike.</summary>
    public string Memory { get; init; } = "512Mi";

    /// <summary>Size of a durable volume a pod at <c>/var/lib/bulwark</c> for log and ledger; null keeps nothing in the pod.</summary>
    public string? Storage { get; init; }

    /// <summary>Secrets of the namespace, mounted as files below <c>/run/secrets/bulwark</c>; never as environment variables.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Who may connect; empty lets nobody in.</summary>
    public IReadOnlyList<NetworkPeer> Clients { get; init; } = [];

    /// <summary>What the pods may connect to besides DNS; empty lets nothing out.</summary>
    public IReadOnlyList<NetworkPeer> Destinations { get; init; } = [];

    /// <summary>A user namespace of the pod's own (Kubernetes 1.33, or 1.30 with the feature on): root inside is nobody outside.</summary>
    public bool UserNamespace { get; init; } = true;

    /// <summary>A runtime class, such as one for confidential containers.</summary>
    public string? RuntimeClass { get; init; }

    /// <summary>Confidential pods: on hardware that keeps them from their host; null for ordinary ones.</summary>
    public ConfidentialPod? Confidential { get; init; }

    /// <summary>Reads a topology of YAML or JSON; an unknown member is a fault.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="source">The file's name, for messages.</param>
    /// <exception cref="FormatException">The text is no topology; the message says what to mend, all faults at once.</exception>
    public static Topology Parse(string yaml, string source)
    {
        var trees = ManifestReader.Trees(yaml, source).ToArray();
        if (trees is not [{ } tree])
            throw new FormatException($"{source}: a topology is one document.");
        Topology topology;
        try
        {
            topology = tree.Deserialize<Topology>(Strict)!;
        }
        catch (JsonException fault)
        {
            throw new FormatException($"{source}: {fault.Message}", fault);
        }

        var faults = topology.Faults().ToArray();
        return faults.Length == 0 ? topology : throw new FormatException($"{source}: {string.Join(" ", faults)}");
    }

    /// <summary>Every fault, so that one edit mends them all; empty when the topology is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Label().IsMatch(Name))
            yield return $"name '{Name}' is no DNS label (a-z, 0-9, dashes, at most 40).";
        if (!Label().IsMatch(Namespace) || Namespace == "default" || Namespace.StartsWith("kube-", StringComparison.Ordinal))
            yield return $"namespace '{Namespace}' must be a DNS label of its own, not default or kube-….";
        foreach (var (member, image) in new[] { ("image", Image), ("modelImage", ModelImage ?? $"none@sha256:{new string('0', 64)}") })
        {
            if (!HardeningRules.IsPinned(image) || image.Any(char.IsWhiteSpace))
                yield return $"{member} '{image}' names no digest: a tag can be moved to other bytes; write name@sha256:<64 hex digits>.";
        }

        if (Port is < 1024 or > 65535)
            yield return $"port {Port} is outside 1024 to 65535; lower ones need a capability.";
        if (Replicas is < 2 or > 1000)
            yield return $"replicas is {Replicas}; at least 2, at most 1000.";
        if (MaximumReplicas < Replicas || MaximumReplicas > 1000)
            yield return $"maximumReplicas is {MaximumReplicas}; from replicas to 1000.";
        foreach (var (member, quantity) in new[] { ("cpu", Cpu), ("memory", Memory), ("storage", Storage ?? "1Gi") })
        {
            if (!Quantity().IsMatch(quantity))
                yield return $"{member} '{quantity}' is no quantity such as 500m or 512Mi.";
        }

        foreach (var secret in Secrets.Where(secret => !Label().IsMatch(secret)))
            yield return $"secret '{secret}' is no DNS label.";
        if (RuntimeClass is not null && !Label().IsMatch(RuntimeClass))
            yield return $"runtimeClass '{RuntimeClass}' is no DNS label.";
        foreach (var fault in Confidential?.Faults(this) ?? [])
            yield return fault;
        foreach (var fault in Clients.Concat(Destinations).SelectMany(peer => peer.Faults()))
            yield return fault;
        foreach (var peer in Destinations.Where(peer => peer.Port is null))
            yield return $"the destination {peer.Namespace} needs a port.";
    }

    [GeneratedRegex("\\A[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\\z")]
    internal static partial Regex Label();

    [GeneratedRegex("\\A[1-9][0-9]{0,9}(m|Ki|Mi|Gi|Ti)?\\z")]
    private static partial Regex Quantity();
}

/// <summary>Pods that a connection may come from or go to.</summary>
public sealed record NetworkPeer
{
    /// <summary>Their namespace, by its name.</summary>
    public required string Namespace { get; init; }

    /// <summary>Labels that they carry; empty means every pod of the namespace.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>TCP port; needed for destinations, ignored for clients.</summary>
    public int? Port { get; init; }

    internal IEnumerable<string> Faults()
    {
        if (!Topology.Label().IsMatch(Namespace))
            yield return $"the peer's namespace '{Namespace}' is no DNS label.";
        if (Port is < 1 or > 65535)
            yield return $"the peer's port {Port} is outside 1 to 65535.";
    }
}
