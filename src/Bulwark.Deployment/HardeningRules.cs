using System.Text.Json.Nodes;

namespace Bulwark.Deployment;

/// <summary>What Bulwark's own manifests keep beyond the Pod Security Standards, as rules for anyone's manifests.</summary>
/// <remarks>A rule looks at one object. <see cref="ManifestSetRules"/> looks at how the objects of a set fit together.</remarks>
public static class HardeningRules
{
    private static readonly string[] LongRunning = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "DeploymentConfig", "Pod"];

    /// <summary>Every hardening rule that an object breaks.</summary>
    public static IEnumerable<Finding> Check(Manifest manifest) => manifest.PodTemplates().SelectMany(pod => OfPod(pod).Concat(pod.Containers.SelectMany(container => OfContainer(pod, container))));

    private static IEnumerable<Finding> OfPod(PodTemplate pod)
    {
        if (pod.Owner.Namespace is "" or "default")
            yield return Say(pod, "namespace", pod.Owner.Root["metadata"]["namespace"], "The workload runs in the default namespace, beside everyone else's.", "name a namespace of its own");
        var account = pod.Spec["serviceAccountName"];
        if (account.Text is "" or "default")
            yield return Say(pod, "serviceAccount", account, "The workload uses the namespace's default identity.", "name a ServiceAccount of its own");
        if (!LongRunning.Contains(pod.Owner.Kind))
            yield break;
        foreach (var container in pod.Spec["containers"].Elements)
        {
            foreach (var probe in new[] { container["livenessProbe"], container["readinessProbe"] })
            {
                if (probe.IsAbsent)
                    yield return Say(pod, probe.Path.EndsWith("livenessProbe", StringComparison.Ordinal) ? "livenessProbe" : "readinessProbe", probe, "Nothing tells whether the container works.", "add a probe");
            }
        }
    }

    private static IEnumerable<Finding> OfContainer(PodTemplate pod, ManifestNode container)
    {
        var image = container["image"];
        if (!IsPinned(image.Text))
            yield return Say(pod, "imageDigest", image, $"The image {image.Text} can change behind its name.", "pin it: name@sha256:<digest>");
        var root = container["securityContext"]["readOnlyRootFilesystem"];
        if (!root.IsTrue)
            yield return Say(pod, "readOnlyRootFilesystem", root, "An intruder could write programs into the container.", "set it to true and mount an emptyDir where it must write");
        foreach (var finding in Resources(pod, container["resources"]).Concat(Environment(pod, container)))
            yield return finding;
    }

    private static IEnumerable<Finding> Resources(PodTemplate pod, ManifestNode resources)
    {
        if (resources["limits"]["memory"].IsAbsent)
            yield return Say(pod, "memoryLimit", resources["limits"]["memory"], "One container can take the node's memory.", "set a limit");
        if (resources["requests"]["memory"].IsAbsent && resources["limits"]["memory"].IsAbsent)
            yield return Say(pod, "memoryRequest", resources["requests"]["memory"], "The scheduler does not know what the container needs.", "set a request");
        if (resources["requests"]["cpu"].IsAbsent && resources["limits"]["cpu"].IsAbsent)
            yield return Say(pod, "cpuRequest", resources["requests"]["cpu"], "The scheduler does not know what the container needs.", "set a request");
    }

    private static IEnumerable<Finding> Environment(PodTemplate pod, ManifestNode container)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var variable in container["env"].Elements)
        {
            if (!names.Add(variable["name"].Text))
                yield return Say(pod, "duplicateEnvironment", variable["name"], $"{variable["name"].Text} is set twice; the last one wins.", "remove one");
            var secret = variable["valueFrom"]["secretKeyRef"];
            if (!secret.IsAbsent)
                yield return Say(pod, "secretInEnvironment", secret, "Environment variables leak into logs, dumps and child processes.", "mount the secret as a file");
        }

        foreach (var source in container["envFrom"].Elements.Select(source => source["secretRef"]).Where(source => !source.IsAbsent))
            yield return Say(pod, "secretInEnvironment", source, "Environment variables leak into logs, dumps and child processes.", "mount the secret as a file");
    }

    /// <summary>True when an image is named by the SHA-256 or SHA-512 digest of its manifest.</summary>
    /// <param name="image">The reference as a container names it.</param>
    public static bool IsPinned(string image) =>
        image.LastIndexOf('@') is > 0 and var at && image[(at + 1)..].Split(':') is ["sha256" or "sha512", var hex] parts
        && hex.Length == (parts[0] == "sha256" ? 64 : 128) && hex.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    private static Finding Say(PodTemplate pod, string rule, ManifestNode at, string message, string fix) => new(rule, SecurityLevel.Hardened, pod.Owner.ToString(), at.Path, message, fix);
}

/// <summary>How the objects of a set fit together: identities, selectors, network policies, namespace levels.</summary>
public static class ManifestSetRules
{
    /// <summary>Every rule that the set breaks.</summary>
    /// <param name="manifests">All objects of one deployment.</param>
    public static IEnumerable<Finding> Check(IReadOnlyList<Manifest> manifests) =>
        manifests.SelectMany(manifest => manifest.PodTemplates().SelectMany(pod => OfPod(pod, manifests))).Concat(manifests.Where(manifest => manifest.Kind == "Namespace").SelectMany(OfNamespace));

    private static IEnumerable<Finding> OfPod(PodTemplate pod, IReadOnlyList<Manifest> all)
    {
        var near = all.Where(other => other.Namespace == pod.Owner.Namespace).ToArray();
        var account = pod.Spec["serviceAccountName"];
        var own = pod.Spec["automountServiceAccountToken"];
        var identity = near.FirstOrDefault(other => other.Kind == "ServiceAccount" && other.Name == (account.Text is "" ? "default" : account.Text));
        if (!(own.IsAbsent ? identity?.Root["automountServiceAccountToken"].IsFalse ?? false : own.IsFalse))
            yield return new("serviceAccountToken", SecurityLevel.Hardened, pod.Owner.ToString(), own.Path, "Every container gets a token of the API server.", "set it to false");
        if (account.Text is not ("" or "default") && !near.Any(other => other.Kind == "ServiceAccount" && other.Name == account.Text))
            yield return new("missingServiceAccount", SecurityLevel.Hardened, pod.Owner.ToString(), account.Path, $"The set holds no ServiceAccount {account.Text}.", "add it");
        foreach (var direction in new[] { "Ingress", "Egress" })
        {
            if (!near.Any(other => other.Kind == "NetworkPolicy" && Selects(other.Root["spec"]["podSelector"], pod) && Covers(other, direction)))
                yield return new("networkPolicy", SecurityLevel.Hardened, pod.Owner.ToString(), pod.Metadata.Path, $"No NetworkPolicy of the set limits the pods' {direction.ToLowerInvariant()}.", "add a default-deny policy and allow what is needed");
        }

        var selector = pod.Owner.Root["spec"]["selector"];
        if (pod.Owner.Kind is "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" && !Selects(selector, pod))
            yield return new("selector", SecurityLevel.Hardened, pod.Owner.ToString(), selector.Path, "The selector does not match the template's labels.", "write the template's labels");
    }

    private static IEnumerable<Finding> OfNamespace(Manifest space)
    {
        var label = space.Root["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
        if (label.Text != "restricted")
            yield return new("namespaceLevel", SecurityLevel.Hardened, space.ToString(), label.Path, "The cluster does not enforce the restricted level here.", "label it pod-security.kubernetes.io/enforce: restricted");
    }

    private static bool Covers(Manifest policy, string direction)
    {
        var types = policy.Root["spec"]["policyTypes"];
        return types.IsAbsent ? direction == "Ingress" || !policy.Root["spec"]["egress"].IsAbsent : types.Elements.Any(type => type.Text == direction);
    }

    private static bool Selects(ManifestNode selector, PodTemplate pod)
    {
        var labels = pod.Metadata["labels"];
        return selector.Value is JsonObject
            && selector["matchLabels"].Members.All(wanted => labels[wanted.Name].Text == wanted.Node.Text)
            && selector["matchExpressions"].Elements.All(wanted => Holds(wanted, labels[wanted["key"].Text]));
    }

    private static bool Holds(ManifestNode wanted, ManifestNode label) => wanted["operator"].Text switch
    {
        "In" => wanted["values"].Elements.Any(value => value.Text == label.Text) && !label.IsAbsent,
        "NotIn" => label.IsAbsent || wanted["values"].Elements.All(value => value.Text != label.Text),
        "Exists" => !label.IsAbsent,
        "DoesNotExist" => label.IsAbsent,
        _ => false,
    };
}
