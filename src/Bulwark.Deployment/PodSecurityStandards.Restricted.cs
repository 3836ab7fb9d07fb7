namespace Bulwark.Deployment;

public static partial class PodSecurityStandards
{
    private static readonly string[] AllowedVolumes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"];

    private static IEnumerable<Fault> Volumes(PodTemplate pod) =>
        from volume in pod.Spec["volumes"].Elements
        from source in volume.Members
        where source.Name != "name" && !AllowedVolumes.Contains(source.Name)
        select new Fault("restrictedVolumes", source.Node.Path, $"Volumes of the type {source.Name} are not allowed.", $"use one of {string.Join(", ", AllowedVolumes)}");

    private static IEnumerable<Fault> PrivilegeEscalation(PodTemplate pod) =>
        from container in pod.Containers
        let flag = container["securityContext"]["allowPrivilegeEscalation"]
        where !flag.IsFalse
        select new Fault("allowPrivilegeEscalation", flag.Path, "A process could gain more rights than its parent.", "set it to false");

    /// <summary>The container's word counts before the pod's; no container may say false, and each must be covered by a true.</summary>
    private static IEnumerable<Fault> RunAsNonRoot(PodTemplate pod)
    {
        var forPod = pod.Context["runAsNonRoot"];
        var uncovered = 0;
        foreach (var flag in pod.Containers.Select(container => container["securityContext"]["runAsNonRoot"]))
        {
            if (flag.IsAbsent && !forPod.IsTrue)
                uncovered++;
            if (!flag.IsTrue && (!flag.IsAbsent || !forPod.IsTrue))
                yield return new("runAsNonRoot", flag.Path, "The container may run as root.", "set it to true");
        }

        if (!forPod.IsAbsent && !forPod.IsTrue && uncovered == 0)
            yield return new("runAsNonRoot", forPod.Path, "The pod may run as root.", "set it to true");
    }

    private static IEnumerable<Fault> RunAsUser(PodTemplate pod) =>
        from context in Contexts(pod)
        let user = context["runAsUser"]
        where !user.IsAbsent && (user.IsZero || user.Value!.GetValueKind() != System.Text.Json.JsonValueKind.Number)
        select new Fault("runAsUser", user.Path, "User 0 is root.", "write a number of 10000 or more");

    private static IEnumerable<Fault> SeccompRequired(PodTemplate pod)
    {
        var forPod = pod.Context["seccompProfile"]["type"];
        foreach (var type in pod.Containers.Select(container => container["securityContext"]["seccompProfile"]["type"]))
        {
            var effective = type.IsAbsent ? forPod : type;
            if (effective.Text is not ("RuntimeDefault" or "Localhost"))
                yield return new("seccompProfile_restricted", type.Path, effective.IsAbsent ? "No seccomp profile limits the container's system calls." : $"The seccomp profile {effective.Text} is not allowed.", "write RuntimeDefault");
        }

        if (!forPod.IsAbsent && forPod.Text is not ("RuntimeDefault" or "Localhost"))
            yield return new("seccompProfile_restricted", forPod.Path, $"The seccomp profile {forPod.Text} is not allowed.", "write RuntimeDefault");
    }

    private static IEnumerable<Fault> DroppedCapabilities(PodTemplate pod)
    {
        foreach (var capabilities in pod.Containers.Select(container => container["securityContext"]["capabilities"]))
        {
            if (capabilities["drop"].Elements.All(capability => capability.Text != "ALL"))
                yield return new("capabilities_restricted", capabilities["drop"].Path, "The container keeps its default capabilities.", "write [ALL]");
            foreach (var capability in Listed(capabilities["add"]))
            {
                if (capability.Text != "NET_BIND_SERVICE")
                    yield return new("capabilities_restricted", capability.Path, $"The capability {capability.Text} may not be added.", "remove it");
            }
        }
    }
}
