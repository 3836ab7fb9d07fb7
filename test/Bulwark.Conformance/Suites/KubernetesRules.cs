namespace Bulwark.Conformance.Suites;

/// <summary>Which of our rules asks the same question as another checker's.</summary>
internal static class KubernetesRules
{
    /// <summary>The Kubernetes minor version whose standards the policies of Kyverno state: before 1.31 allowed container_engine_t.</summary>
    internal const int KyvernoMinor = 30;

    internal static readonly Dictionary<string, string> Kyverno = new()
    {
        ["disallow-capabilities"] = "capabilities_baseline",
        ["disallow-host-namespaces"] = "hostNamespaces",
        ["disallow-host-path"] = "hostPathVolumes",
        ["disallow-host-ports"] = "hostPorts",
        ["disallow-host-process"] = "windowsHostProcess",
        ["disallow-privileged-containers"] = "privileged",
        ["disallow-proc-mount"] = "procMount",
        ["disallow-selinux"] = "seLinuxOptions",
        ["restrict-apparmor-profiles"] = "appArmorProfile",
        ["restrict-seccomp"] = "seccompProfile_baseline",
        ["restrict-sysctls"] = "sysctls",
        ["disallow-capabilities-strict"] = "capabilities_restricted",
        ["disallow-privilege-escalation"] = "allowPrivilegeEscalation",
        ["require-run-as-non-root-user"] = "runAsUser",
        ["require-run-as-nonroot"] = "runAsNonRoot",
        ["restrict-seccomp-strict"] = "seccompProfile_restricted",
        ["restrict-volume-types"] = "restrictedVolumes",
    };

    internal static readonly Dictionary<string, string> Polaris = new()
    {
        ["hostIPCSet"] = "hostNamespaces",
        ["hostPIDSet"] = "hostNamespaces",
        ["hostPathSet"] = "hostPathVolumes",
        ["hostProcess"] = "windowsHostProcess",
        ["notReadOnlyRootFilesystem"] = "readOnlyRootFilesystem",
        ["privilegeEscalationAllowed"] = "allowPrivilegeEscalation",
        ["procMount"] = "procMount",
        ["runAsPrivileged"] = "privileged",
        ["cpuRequestsMissing"] = "cpuRequest",
        ["memoryLimitsMissing"] = "memoryLimit",
        ["automountServiceAccountToken"] = "serviceAccountToken",
    };

    internal static readonly Dictionary<string, string> KubeScape = new()
    {
        ["host-pid-ipc-privileges"] = "hostNamespaces",
        ["host-network-access"] = "hostNamespaces",
        ["rule-allow-privilege-escalation"] = "allowPrivilegeEscalation",
        ["container-hostPort"] = "hostPorts",
        ["alert-any-hostpath"] = "hostPathVolumes",
        ["immutable-container-filesystem"] = "readOnlyRootFilesystem",
        ["resources-memory-limits"] = "memoryLimit",
        ["configured-liveness-probe"] = "livenessProbe",
        ["configured-readiness-probe"] = "readinessProbe",
        ["duplicate-env-var"] = "duplicateEnvironment",
        ["mismatching-selector"] = "selector",
        ["non-existent-service-account"] = "missingServiceAccount",
        ["automount-service-account"] = "serviceAccountToken",
        ["set-seccomp-profile"] = "seccompProfile_restricted",
        ["rule-secrets-in-env-var"] = "secretInEnvironment",
        ["pods-in-default-namespace"] = "namespace",
    };

    internal static readonly Dictionary<string, string> KubeLinter = new()
    {
        ["host-ipc"] = "hostNamespaces",
        ["host-pid"] = "hostNamespaces",
        ["privileged-container"] = "privileged",
        ["no-read-only-root-fs"] = "readOnlyRootFilesystem",
        ["duplicate-env-var"] = "duplicateEnvironment",
        ["read-secret-from-env-var"] = "secretInEnvironment",
        ["default-service-account"] = "serviceAccount",
        ["use-namespace"] = "namespace",
        ["unset-cpu-requirements"] = "cpuRequest",
    };
}
