using k8s.Models;

namespace Bulwark.Deployment;

public static partial class ManifestGenerator
{
    /// <summary>Deny everything in the namespace, then allow DNS, the named clients and the named destinations.</summary>
    private static IEnumerable<V1NetworkPolicy> NetworkPolicies(Topology topology)
    {
        yield return Policy(topology, "-default-deny", new() { PodSelector = new(), PolicyTypes = ["Ingress", "Egress"] });
        yield return Policy(topology, "-dns", new()
        {
            PodSelector = Ours(topology),
            PolicyTypes = ["Egress"],
            Egress =
            [
                new()
                {
                    To = [Peer(new NetworkPeer { Namespace = "kube-system", Labels = new Dictionary<string, string> { ["k8s-app"] = "kube-dns" } })],
                    Ports = [new() { Port = 53, Protocol = "UDP" }, new() { Port = 53, Protocol = "TCP" }],
                },
            ],
        });
        if (topology.Clients.Count > 0)
        {
            yield return Policy(topology, "-clients", new()
            {
                PodSelector = Ours(topology),
                PolicyTypes = ["Ingress"],
                Ingress = [new() { FromProperty = [.. topology.Clients.Select(Peer)], Ports = [new() { Port = topology.Port, Protocol = "TCP" }] }],
            });
        }

        if (topology.Destinations.Count > 0)
        {
            yield return Policy(topology, "-destinations", new()
            {
                PodSelector = Ours(topology),
                PolicyTypes = ["Egress"],
                Egress = [.. topology.Destinations.Select(peer => new V1NetworkPolicyEgressRule { To = [Peer(peer)], Ports = [new() { Port = peer.Port!.Value, Protocol = "TCP" }] })],
            });
        }
    }

    private static V1NetworkPolicy Policy(Topology topology, string suffix, V1NetworkPolicySpec spec) =>
        new() { ApiVersion = "networking.k8s.io/v1", Kind = "NetworkPolicy", Metadata = Named(topology, suffix), Spec = spec };

    private static V1LabelSelector Ours(Topology topology) => new() { MatchLabels = Selector(topology) };

    private static V1NetworkPolicyPeer Peer(NetworkPeer peer) => new()
    {
        NamespaceSelector = new() { MatchLabels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = peer.Namespace } },
        PodSelector = peer.Labels.Count > 0 ? new() { MatchLabels = new Dictionary<string, string>(peer.Labels) } : null,
    };
}
