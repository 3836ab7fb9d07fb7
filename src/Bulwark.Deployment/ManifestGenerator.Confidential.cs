using k8s.Models;

namespace Bulwark.Deployment;

/// <content>Confidential pods: Kata's runtime class and the initdata that the pods are started with.</content>
public static partial class ManifestGenerator
{
    private const string InitdataAnnotation = "io.katacontainers.config.hypervisor.cc_init_data";

    /// <summary>As Kata's own deployment declares it; the guest's memory is the pod's, on top of this.</summary>
    private static V1RuntimeClass RuntimeClass(ConfidentialPod pod) => new()
    {
        ApiVersion = "node.k8s.io/v1",
        Kind = "RuntimeClass",
        Metadata = new() { Name = pod.RuntimeClass },
        Handler = pod.RuntimeClass,
        Overhead = new() { PodFixed = Quantities(("memory", "2048Mi"), ("cpu", "1")) },
        Scheduling = new() { NodeSelector = new Dictionary<string, string> { ["katacontainers.io/kata-runtime"] = "true" } },
    };

    private static Dictionary<string, string>? Annotations(Topology topology) => topology.Confidential is null ? null : new()
    {
        [InitdataAnnotation] = Initdata.Of(topology).Annotation(),
        ["io.containerd.cri.runtime-handler"] = topology.Confidential.RuntimeClass,
    };
}
