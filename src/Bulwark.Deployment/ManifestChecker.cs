using k8s;

namespace Bulwark.Deployment;

/// <summary>Checks manifests: readable, of the right shape, and up to a level.</summary>
public static class ManifestChecker
{
    /// <summary>Checks all objects of one deployment.</summary>
    /// <param name="manifests">What <see cref="ManifestReader"/> read; all files together, so that cross-references are seen.</param>
    /// <param name="level">The level to hold them to.</param>
    /// <param name="minor">Kubernetes 1.<paramref name="minor"/>.</param>
    public static IReadOnlyList<Finding> Check(IReadOnlyList<Manifest> manifests, SecurityLevel level, int minor = PodSecurityStandards.LatestMinor)
    {
        var findings = manifests.SelectMany(manifest => Shape(manifest).Concat(PodSecurityStandards.Check(manifest, level, minor)));
        if (level == SecurityLevel.Hardened)
            findings = findings.Concat(manifests.SelectMany(HardeningRules.Check)).Concat(ManifestSetRules.Check(manifests));
        return [.. findings];
    }

    /// <summary>Loads the object strictly into its type: unknown fields, wrong types and bad quantities show. A kind that is not built in has no type here and is passed over.</summary>
    private static IEnumerable<Finding> Shape(Manifest manifest)
    {
        if (manifest.Kind.Length == 0 || manifest.ApiVersion.Length == 0)
            return [new("shape", SecurityLevel.Privileged, manifest.ToString(), "", "The object has no kind or no apiVersion.", "name both")];
        try
        {
            KubernetesYaml.LoadAllFromString(manifest.Root.Value!.ToJsonString(), null, strict: true);
            return [];
        }
        catch (KeyNotFoundException)
        {
            return [];
        }
        catch (Exception fault) when (fault is YamlDotNet.Core.YamlException or FormatException or ArgumentException or InvalidCastException or OverflowException or System.Text.Json.JsonException)
        {
            var reason = (fault.InnerException ?? fault).Message.ReplaceLineEndings(" ");
            return [new("shape", SecurityLevel.Privileged, manifest.ToString(), "", $"The object does not load as {manifest.ApiVersion} {manifest.Kind}: {reason}", "mend the field that it names")];
        }
    }
}
