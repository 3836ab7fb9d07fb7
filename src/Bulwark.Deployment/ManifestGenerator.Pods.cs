using k8s.Models;

namespace Bulwark.Deployment;

public static partial class ManifestGenerator
{
    private static V1Deployment Deployment(Topology topology) => new()
    {
        ApiVersion = "apps/v1",
        Kind = "Deployment",
        Metadata = Named(topology),
        Spec = new()
        {
            Replicas = topology.Replicas,
            RevisionHistoryLimit = 3,
            Selector = new() { MatchLabels = Selector(topology) },
            Strategy = new() { Type = "RollingUpdate", RollingUpdate = new() { MaxUnavailable = 0, MaxSurge = 1 } },
            Template = Template(topology),
        },
    };

    private static V1StatefulSet StatefulSet(Topology topology) => new()
    {
        ApiVersion = "apps/v1",
        Kind = "StatefulSet",
        Metadata = Named(topology),
        Spec = new()
        {
            Replicas = topology.Replicas,
            ServiceName = topology.Name,
            PodManagementPolicy = "Parallel",
            Selector = new() { MatchLabels = Selector(topology) },
            Template = Template(topology),
            PersistentVolumeClaimRetentionPolicy = new() { WhenDeleted = "Retain", WhenScaled = "Retain" },
            VolumeClaimTemplates =
            [
                new()
                {
                    Metadata = new() { Name = "state" },
                    Spec = new() { AccessModes = ["ReadWriteOnce"], Resources = new() { Requests = Quantities(("storage", topology.Storage!)) } },
                },
            ],
        },
    };

    private static V1PodTemplateSpec Template(Topology topology) => new()
    {
        Metadata = new() { Labels = Labels(topology), Annotations = Annotations(topology) },
        Spec = new()
        {
            ServiceAccountName = topology.Name,
            AutomountServiceAccountToken = false,
            EnableServiceLinks = false,
            ShareProcessNamespace = false,
            HostUsers = topology.UserNamespace ? false : null,
            RuntimeClassName = topology.Confidential?.RuntimeClass ?? topology.RuntimeClass,
            TerminationGracePeriodSeconds = 30,
            SecurityContext = new()
            {
                RunAsNonRoot = true,
                RunAsUser = User,
                RunAsGroup = User,
                FsGroup = User,
                FsGroupChangePolicy = "OnRootMismatch",
                SeccompProfile = new() { Type = "RuntimeDefault" },
            },
            TopologySpreadConstraints =
            [
                new() { MaxSkew = 1, TopologyKey = "kubernetes.io/hostname", WhenUnsatisfiable = "ScheduleAnyway", LabelSelector = new() { MatchLabels = Selector(topology) } },
            ],
            Containers = [Container(topology)],
            Volumes = [.. Volumes(topology)],
        },
    };

    /// <summary>The probes only connect: every answer of the port needs a client certificate, and the kubelet has none.</summary>
    private static V1Container Container(Topology topology) => new()
    {
        Name = "gateway",
        Image = topology.Image,
        ImagePullPolicy = "IfNotPresent",
        Args = topology.Arguments is { } arguments ? [.. arguments] : null,
        Ports = [new() { Name = "https", ContainerPort = topology.Port, Protocol = "TCP" }],
        Env = [new() { Name = "DOTNET_EnableDiagnostics", Value = "0" }, new() { Name = "HOME", Value = "/tmp" }],
        SecurityContext = new()
        {
            AllowPrivilegeEscalation = false,
            Privileged = false,
            ReadOnlyRootFilesystem = true,
            RunAsNonRoot = true,
            Capabilities = new() { Drop = ["ALL"] },
            SeccompProfile = new() { Type = "RuntimeDefault" },
        },
        Resources = new()
        {
            Requests = Quantities(("cpu", topology.Cpu), ("memory", topology.Memory), ("ephemeral-storage", "64Mi")),
            Limits = Quantities(("memory", topology.Memory), ("ephemeral-storage", "256Mi")),
        },
        StartupProbe = new() { TcpSocket = new() { Port = "https" }, PeriodSeconds = 2, FailureThreshold = 60 },
        ReadinessProbe = new() { TcpSocket = new() { Port = "https" }, PeriodSeconds = 5, FailureThreshold = 2 },
        LivenessProbe = new() { TcpSocket = new() { Port = "https" }, PeriodSeconds = 10, FailureThreshold = 3 },
        VolumeMounts = [.. Mounts(topology)],
    };

    private static IEnumerable<V1VolumeMount> Mounts(Topology topology)
    {
        yield return new() { Name = "tmp", MountPath = "/tmp" };
        if (topology.Storage is not null)
            yield return new() { Name = "state", MountPath = "/var/lib/bulwark" };
        if (topology.ModelImage is not null)
            yield return new() { Name = "model", MountPath = "/model", ReadOnlyProperty = true };
        foreach (var secret in topology.Secrets)
            yield return new() { Name = $"secret-{secret}", MountPath = $"/run/secrets/bulwark/{secret}", ReadOnlyProperty = true };
    }

    /// <summary>The scratch folder is memory: nothing that was opened for scoring reaches a disk. Mode 288 is 0440.</summary>
    private static IEnumerable<V1Volume> Volumes(Topology topology)
    {
        yield return new() { Name = "tmp", EmptyDir = new() { Medium = "Memory", SizeLimit = new("64Mi") } };
        if (topology.ModelImage is { } model)
            yield return new() { Name = "model", Image = new() { Reference = model, PullPolicy = "IfNotPresent" } };
        foreach (var secret in topology.Secrets)
            yield return new() { Name = $"secret-{secret}", Secret = new() { SecretName = secret, DefaultMode = 288, Optional = false } };
    }

    private static Dictionary<string, ResourceQuantity> Quantities(params (string Name, string Value)[] quantities) =>
        quantities.ToDictionary(quantity => quantity.Name, quantity => new ResourceQuantity(quantity.Value));
}
