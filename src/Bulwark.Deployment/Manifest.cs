using System.Text.Json.Nodes;

namespace Bulwark.Deployment;

/// <summary>One object of a manifest file, of any kind.</summary>
public sealed class Manifest
{
    internal Manifest(JsonObject root, string source, string prefix)
    {
        Root = new(root, "");
        Source = prefix.Length == 0 ? source : $"{source} {prefix.TrimEnd('.')}";
    }

    /// <summary>Its <c>kind</c>; empty when it has none.</summary>
    public string Kind => Root["kind"].Text;

    /// <summary>Its <c>apiVersion</c>; empty when it has none.</summary>
    public string ApiVersion => Root["apiVersion"].Text;

    /// <summary>Its name; empty when it has none.</summary>
    public string Name => Root["metadata"]["name"].Text is { Length: > 0 } name ? name : Root["metadata"]["generateName"].Text;

    /// <summary>Its namespace; empty when it names none.</summary>
    public string Namespace => Root["metadata"]["namespace"].Text;

    /// <summary>The file it came from, and the place in it for a member of a list.</summary>
    public string Source { get; }

    /// <summary>True when pods are made from it.</summary>
    public bool HasPods => PodTemplates().Any();

    internal ManifestNode Root { get; }

    /// <summary>Kind, namespace, name and file.</summary>
    public override string ToString() => $"{Kind} {(Namespace.Length > 0 ? Namespace + "/" : "")}{Name} ({Source})";

    /// <summary>The pod templates in it: one for workloads, none for the rest; of a kind that is not built in, whatever looks like one.</summary>
    internal IEnumerable<PodTemplate> PodTemplates()
    {
        var root = Root;
        return Kind switch
        {
            "Pod" => [Template(root)],
            "Deployment" or "ReplicaSet" or "StatefulSet" or "DaemonSet" or "Job" or "ReplicationController" or "DeploymentConfig" => [Template(root["spec"]["template"])],
            "CronJob" => [Template(root["spec"]["jobTemplate"]["spec"]["template"])],
            "PodTemplate" => [Template(root["template"])],
            _ => Lookalikes(root),
        };
    }

    private PodTemplate Template(ManifestNode at) => new(this, at["metadata"], at["spec"]);

    private IEnumerable<PodTemplate> Lookalikes(ManifestNode at)
    {
        if (at["spec"]["containers"].Value is JsonArray)
            yield return Template(at);
        foreach (var inner in at.Members.Select(member => member.Node).Concat(at.Elements).SelectMany(Lookalikes))
            yield return inner;
    }
}

/// <summary>What pods are made from: metadata and spec.</summary>
internal sealed record PodTemplate(Manifest Owner, ManifestNode Metadata, ManifestNode Spec)
{
    /// <summary>Containers of every sort, each as strict as the next.</summary>
    internal IEnumerable<ManifestNode> Containers =>
        Spec["initContainers"].Elements.Concat(Spec["containers"].Elements).Concat(Spec["ephemeralContainers"].Elements);

    internal ManifestNode Context => Spec["securityContext"];

    internal bool IsWindows => Spec["os"]["name"].Text == "windows";

    /// <summary>The pod has its own user namespace: root inside is nobody outside.</summary>
    internal bool HasOwnUsers => Spec["hostUsers"].IsFalse;
}
