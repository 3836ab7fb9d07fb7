namespace Bulwark.Deployment;

public static partial class PodSecurityStandards
{
    private static readonly string[] DefaultCapabilities =
        ["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"];

    /// <summary>Safe sysctls with the minor version that first allowed them.</summary>
    private static readonly Dictionary<string, int> SafeSysctls = new()
    {
        ["kernel.shm_rmid_forced"] = 0,
        ["net.ipv4.ip_local_port_range"] = 0,
        ["net.ipv4.tcp_syncookies"] = 0,
        ["net.ipv4.ping_group_range"] = 0,
        ["net.ipv4.ip_unprivileged_port_start"] = 0,
        ["net.ipv4.ip_local_reserved_ports"] = 27,
        ["net.ipv4.tcp_keepalive_time"] = 29,
        ["net.ipv4.tcp_fin_timeout"] = 29,
        ["net.ipv4.tcp_keepalive_intvl"] = 29,
        ["net.ipv4.tcp_keepalive_probes"] = 29,
        ["net.ipv4.tcp_rmem"] = 32,
        ["net.ipv4.tcp_wmem"] = 32,
        ["net.ipv4.tcp_slow_start_after_idle"] = 37,
        ["net.ipv4.tcp_notsent_lowat"] = 37,
    };

    private static IEnumerable<ManifestNode> Contexts(PodTemplate pod) =>
        pod.Containers.Select(container => container["securityContext"]).Prepend(pod.Context);

    private static IEnumerable<Fault> WindowsHostProcess(PodTemplate pod) =>
        from context in Contexts(pod)
        let flag = context["windowsOptions"]["hostProcess"]
        where flag.MayBeTrue
        select new Fault("windowsHostProcess", flag.Path, "Host processes of Windows are the host.", "remove it");

    private static IEnumerable<Fault> HostNamespaces(PodTemplate pod) =>
        from name in new[] { "hostNetwork", "hostPID", "hostIPC" }
        let flag = pod.Spec[name]
        where flag.MayBeTrue
        select new Fault("hostNamespaces", flag.Path, $"{name} shares a namespace with the host.", "remove it");

    private static IEnumerable<Fault> Privileged(PodTemplate pod) =>
        from container in pod.Containers
        let flag = container["securityContext"]["privileged"]
        where flag.MayBeTrue
        select new Fault("privileged", flag.Path, "A privileged container is root on the host.", "set it to false");

    private static IEnumerable<Fault> AddedCapabilities(PodTemplate pod) =>
        from container in pod.Containers
        from capability in Listed(container["securityContext"]["capabilities"]["add"])
        where !DefaultCapabilities.Contains(capability.Text)
        select new Fault("capabilities_baseline", capability.Path, $"The capability {capability.Text} is not among the defaults.", "remove it");

    private static IEnumerable<Fault> HostPaths(PodTemplate pod) =>
        from volume in pod.Spec["volumes"].Elements
        let source = volume["hostPath"]
        where !source.IsAbsent
        select new Fault("hostPathVolumes", source.Path, "The volume opens the host's files to the pod.", "use a persistentVolumeClaim or an emptyDir");

    private static IEnumerable<Fault> HostPorts(PodTemplate pod) =>
        from container in pod.Containers
        from port in container["ports"].Elements
        let host = port["hostPort"]
        where host.MayBeNonZero
        select new Fault("hostPorts", host.Path, $"Port {host.Text} of the host is taken past every network policy.", "remove it and use a Service");

    private static IEnumerable<Fault> HostProbes(PodTemplate pod) =>
        from container in pod.Containers
        from handler in new[]
        {
            container["livenessProbe"], container["readinessProbe"], container["startupProbe"],
            container["lifecycle"]["postStart"], container["lifecycle"]["preStop"],
        }
        from host in new[] { handler["httpGet"]["host"], handler["tcpSocket"]["host"] }
        where host.Text.Length > 0
        select new Fault("hostProbesAndHostLifecycle", host.Path, $"The node would connect to {host.Text} for the pod.", "remove it: the pod itself is probed");

    private static IEnumerable<Fault> AppArmor(PodTemplate pod)
    {
        foreach (var (name, value) in pod.Metadata["annotations"].Members)
        {
            if (name.StartsWith("container.apparmor.security.beta.kubernetes.io/", StringComparison.Ordinal)
                && value.Text is not ("" or "runtime/default") && !value.Text.StartsWith("localhost/", StringComparison.Ordinal))
                yield return new("appArmorProfile", value.Path, $"The AppArmor profile {value.Text} is not allowed.", "write runtime/default");
        }

        foreach (var type in Contexts(pod).Select(context => context["appArmorProfile"]["type"]))
        {
            if (!type.IsAbsent && type.Text is not ("RuntimeDefault" or "Localhost"))
                yield return new("appArmorProfile", type.Path, $"The AppArmor profile {type.Text} is not allowed.", "write RuntimeDefault");
        }
    }

    private static IEnumerable<Fault> SeLinux(PodTemplate pod, int minor)
    {
        foreach (var options in Contexts(pod).Select(context => context["seLinuxOptions"]))
        {
            var type = options["type"].Text;
            if (type is not ("" or "container_t" or "container_init_t" or "container_kvm_t") && !(minor >= 31 && type == "container_engine_t"))
                yield return new("seLinuxOptions", options["type"].Path, $"The SELinux type {type} is not allowed.", "remove it, or write container_t");
            foreach (var name in new[] { "user", "role" })
            {
                if (options[name].Text.Length > 0)
                    yield return new("seLinuxOptions", options[name].Path, $"A SELinux {name} may not be set.", "remove it");
            }
        }
    }

    private static IEnumerable<Fault> ProcMount(PodTemplate pod) =>
        from container in pod.Containers
        let mount = container["securityContext"]["procMount"]
        where !mount.IsAbsent && mount.Text != "Default"
        select new Fault("procMount", mount.Path, $"procMount {mount.Text} shows kernel files.", "remove it");

    private static IEnumerable<Fault> SeccompUnconfined(PodTemplate pod) =>
        from context in Contexts(pod)
        let type = context["seccompProfile"]["type"]
        where !type.IsAbsent && type.Text is not ("RuntimeDefault" or "Localhost")
        select new Fault("seccompProfile_baseline", type.Path, $"The seccomp profile {type.Text} is not allowed.", "write RuntimeDefault");

    private static IEnumerable<Fault> SeccompAnnotations(PodTemplate pod) =>
        from annotation in pod.Metadata["annotations"].Members
        where annotation.Name == "seccomp.security.alpha.kubernetes.io/pod" || annotation.Name.StartsWith("container.seccomp.security.alpha.kubernetes.io/", StringComparison.Ordinal)
        let profile = annotation.Node.Text
        where profile is not ("runtime/default" or "docker/default") && !profile.StartsWith("localhost/", StringComparison.Ordinal)
        select new Fault("seccompProfile_baseline", annotation.Node.Path, $"The seccomp profile {profile} is not allowed.", "write runtime/default");

    private static IEnumerable<Fault> Sysctls(PodTemplate pod, int minor) =>
        from sysctl in pod.Context["sysctls"].Elements
        let name = sysctl["name"]
        where !(SafeSysctls.TryGetValue(name.Text, out var since) && minor >= since)
        select new Fault("sysctls", name.Path, $"The kernel setting {name.Text} is not among the safe ones.", "remove it");

    /// <summary>A list, or a lone value standing where a list belongs: it must not hide.</summary>
    private static IEnumerable<ManifestNode> Listed(ManifestNode list) => list.IsAbsent ? [] : list.Value is System.Text.Json.Nodes.JsonArray ? list.Elements : [list];
}
