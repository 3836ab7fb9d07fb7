namespace Bulwark.Deployment;

/// <summary>The Pod Security Standards, exactly as the admission controller of a given Kubernetes version applies them.</summary>
/// <remarks>
/// Source: kubernetes.io/docs/concepts/security/pod-security-standards, with the version at which each control changed.
/// Judged by the test data of kubernetes/pod-security-admission. Every container counts: init, ordinary, ephemeral.
/// A value of the wrong type is never taken for the safe one.
/// </remarks>
public static partial class PodSecurityStandards
{
    /// <summary>The newest Kubernetes minor version (1.x) whose changes are known; later versions are checked as this one.</summary>
    public const int LatestMinor = 37;

    /// <summary>Every control that an object's pod template breaks; none for an object without one.</summary>
    /// <param name="manifest">The object.</param>
    /// <param name="level">The level to hold it to.</param>
    /// <param name="minor">Kubernetes 1.<paramref name="minor"/>.</param>
    public static IEnumerable<Finding> Check(Manifest manifest, SecurityLevel level, int minor = LatestMinor) =>
        manifest.PodTemplates().SelectMany(pod => Check(pod, level, minor));

    internal static IEnumerable<Finding> Check(PodTemplate pod, SecurityLevel level, int minor)
    {
        if (level == SecurityLevel.Privileged)
            return [];
        var baseline = Baseline(pod, minor).Select(fault => fault.As(pod, SecurityLevel.Baseline));
        return level == SecurityLevel.Baseline ? baseline : baseline.Concat(Restricted(pod, minor).Select(fault => fault.As(pod, SecurityLevel.Restricted)));
    }

    private static IEnumerable<Fault> Baseline(PodTemplate pod, int minor) =>
    [
        .. WindowsHostProcess(pod),
        .. HostNamespaces(pod),
        .. Privileged(pod),
        .. AddedCapabilities(pod),
        .. HostPaths(pod),
        .. HostPorts(pod),
        .. minor >= 34 ? HostProbes(pod) : [],
        .. AppArmor(pod),
        .. SeLinux(pod, minor),
        .. minor >= 35 && pod.HasOwnUsers ? [] : ProcMount(pod),
        .. minor >= 19 ? SeccompUnconfined(pod) : SeccompAnnotations(pod),
        .. Sysctls(pod, minor),
    ];

    private static IEnumerable<Fault> Restricted(PodTemplate pod, int minor)
    {
        var linux = !(minor >= 25 && pod.IsWindows);
        var rootOutside = !(minor >= 35 && pod.HasOwnUsers);
        return
        [
            .. Volumes(pod),
            .. minor >= 8 && linux ? PrivilegeEscalation(pod) : [],
            .. rootOutside ? RunAsNonRoot(pod) : [],
            .. minor >= 23 && rootOutside ? RunAsUser(pod) : [],
            .. minor >= 19 && linux ? SeccompRequired(pod) : [],
            .. minor >= 22 && linux ? DroppedCapabilities(pod) : [],
            .. minor >= 35 && pod.HasOwnUsers ? ProcMount(pod) : [],
        ];
    }

    /// <summary>A fault before it is known whose it is.</summary>
    private readonly record struct Fault(string Rule, string Path, string Message, string Fix)
    {
        internal Finding As(PodTemplate pod, SecurityLevel level) => new(Rule, level, pod.Owner.ToString(), Path, Message, Fix);
    }
}
