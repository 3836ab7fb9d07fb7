using k8s;
using k8s.Models;

namespace Bulwark.Deployment;

/// <summary>Turns a topology into hardened manifests, loads each strictly back and holds the set to <see cref="SecurityLevel.Hardened"/> before handing it out.</summary>
public static partial class ManifestGenerator
{
    /// <summary>The user and group of every process; far from any that a host uses.</summary>
    private const long User = 10001;

    /// <summary>The files of the deployment by name: one object each, and a <c>kustomization.yaml</c> that lists them.</summary>
    /// <param name="topology">What shall run.</param>
    /// <exception cref="ArgumentException">The topology has faults; the message lists them.</exception>
    /// <exception cref="InvalidOperationException">The generator's own output breaks a rule: a bug, and nothing is handed out.</exception>
    public static IReadOnlyDictionary<string, string> Generate(Topology topology)
    {
        var faults = topology.Faults().ToArray();
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(topology));
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, subject) in Objects(topology))
            files.Add(name + ".yaml", KubernetesYaml.Serialize(subject).ReplaceLineEndings("\n").TrimEnd('\n') + "\n");
        files.Add("kustomization.yaml", Kustomization(files.Keys));
        Prove(files);
        return files;
    }

    private static IEnumerable<(string File, object Subject)> Objects(Topology topology)
    {
        yield return ("namespace", Namespace(topology));
        yield return ("service-account", new V1ServiceAccount { ApiVersion = "v1", Kind = "ServiceAccount", Metadata = Named(topology), AutomountServiceAccountToken = false });
        yield return topology.Storage is null ? ("deployment", Deployment(topology)) : ("stateful-set", StatefulSet(topology));
        if (topology.Confidential is { } pod)
            yield return ("runtime-class", RuntimeClass(pod));
        yield return ("service", Service(topology));
        yield return ("disruption-budget", DisruptionBudget(topology));
        yield return ("autoscaler", Autoscaler(topology));
        foreach (var policy in NetworkPolicies(topology))
            yield return ($"network-policy-{policy.Metadata.Name[(topology.Name.Length + 1)..]}", policy);
    }

    private static string Kustomization(IEnumerable<string> files) =>
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n" + string.Concat(files.Select(file => $"- {file}\n"));

    private static void Prove(SortedDictionary<string, string> files)
    {
        foreach (var (name, yaml) in files.Where(file => file.Key != "kustomization.yaml"))
        {
            if (KubernetesYaml.LoadAllFromString(yaml, null, strict: true).Count != 1)
                throw new InvalidOperationException($"The generated {name} is not one object.");
        }

        var findings = ManifestChecker.Check([.. files.SelectMany(file => ManifestReader.Read(file.Value, file.Key))], SecurityLevel.Hardened);
        if (findings.Count > 0)
            throw new InvalidOperationException($"The generated manifests break rules: {string.Join("; ", findings.Select(finding => $"{finding.Rule} at {finding.Path} of {finding.Object}"))}");
    }

    private static V1Namespace Namespace(Topology topology)
    {
        var labels = new Dictionary<string, string> { ["app.kubernetes.io/managed-by"] = "bulwark" };
        foreach (var mode in new[] { "enforce", "audit", "warn" })
        {
            labels[$"pod-security.kubernetes.io/{mode}"] = "restricted";
            labels[$"pod-security.kubernetes.io/{mode}-version"] = "latest";
        }

        return new() { ApiVersion = "v1", Kind = "Namespace", Metadata = new() { Name = topology.Namespace, Labels = labels } };
    }

    private static V1Service Service(Topology topology) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = Named(topology),
        Spec = new()
        {
            Type = "ClusterIP",
            Selector = Selector(topology),
            Ports = [new() { Name = "https", Port = 443, TargetPort = "https", Protocol = "TCP" }],
        },
    };

    private static V1PodDisruptionBudget DisruptionBudget(Topology topology) => new()
    {
        ApiVersion = "policy/v1",
        Kind = "PodDisruptionBudget",
        Metadata = Named(topology),
        Spec = new() { MaxUnavailable = 1, Selector = new() { MatchLabels = Selector(topology) }, UnhealthyPodEvictionPolicy = "AlwaysAllow" },
    };

    private static V2HorizontalPodAutoscaler Autoscaler(Topology topology) => new()
    {
        ApiVersion = "autoscaling/v2",
        Kind = "HorizontalPodAutoscaler",
        Metadata = Named(topology),
        Spec = new()
        {
            ScaleTargetRef = new() { ApiVersion = "apps/v1", Kind = topology.Storage is null ? "Deployment" : "StatefulSet", Name = topology.Name },
            MinReplicas = topology.Replicas,
            MaxReplicas = topology.MaximumReplicas,
            Metrics = [new() { Type = "Resource", Resource = new() { Name = "cpu", Target = new() { Type = "Utilization", AverageUtilization = 70 } } }],
        },
    };

    private static V1ObjectMeta Named(Topology topology, string suffix = "") =>
        new() { Name = topology.Name + suffix, NamespaceProperty = topology.Namespace, Labels = Labels(topology) };

    private static Dictionary<string, string> Labels(Topology topology) => new(Selector(topology)) { ["app.kubernetes.io/managed-by"] = "bulwark" };

    private static Dictionary<string, string> Selector(Topology topology) => new() { ["app.kubernetes.io/name"] = topology.Name, ["app.kubernetes.io/component"] = "gateway" };
}
