using System.Text.Json.Serialization;

namespace Bulwark.Deployment;

/// <summary>The hardware that keeps a pod from its host.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ConfidentialHardware>))]
public enum ConfidentialHardware
{
    /// <summary>None was said.</summary>
    [JsonStringEnumMemberName("none")] None = 0,
    /// <summary>AMD SEV-SNP.</summary>
    [JsonStringEnumMemberName("snp")] Snp,
    /// <summary>Intel TDX.</summary>
    [JsonStringEnumMemberName("tdx")] Tdx,
}

/// <summary>What makes a pod a confidential one (Confidential Containers on Kata): its machine is measured, and so is what the host hands it.</summary>
public sealed record ConfidentialPod
{
    /// <summary>The hardware.</summary>
    public required ConfidentialHardware Hardware { get; init; }

    /// <summary>With a GPU in the guest.</summary>
    public bool Gpu { get; init; }

    /// <summary>The key broker service of Confidential Containers (Trustee) that the guest's own agent asks, for images that are encrypted; null where none is used. Bulwark's broker is an argument of the program.</summary>
    public Uri? Broker { get; init; }

    /// <summary>That broker's certificate authority, PEM; null for the system's own.</summary>
    public string? BrokerAuthority { get; init; }

    /// <summary>The host may read what the pod writes to its console. False: not even crashes are seen outside.</summary>
    public bool Logs { get; init; } = true;

    /// <summary>What the image starts, before the arguments: its ENTRYPOINT. The host names what a container runs, so the agent lets nothing else in.</summary>
    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    /// <summary>Variables that the image itself sets, by name: the agent lets no others in than these and Kubernetes' own.</summary>
    public IReadOnlyList<string> ImageVariables { get; init; } = ["PATH", "APP_UID", "ASPNETCORE_HTTP_PORTS", "DOTNET_RUNNING_IN_CONTAINER", "DOTNET_VERSION", "ASPNET_VERSION"];

    /// <summary>The runtime class of Kata for this hardware.</summary>
    public string RuntimeClass => $"kata-qemu-{(Gpu ? "nvidia-gpu-" : "")}{(Hardware is ConfidentialHardware.Tdx ? "tdx" : "snp")}";

    internal IEnumerable<string> Faults(Topology topology)
    {
        if (Hardware is ConfidentialHardware.None)
            yield return "confidential needs a hardware: snp or tdx.";
        if (topology.UserNamespace)
            yield return "confidential pods have a kernel of their own; write userNamespace: false.";
        if (topology.ModelImage is not null)
            yield return "confidential pods mount no modelImage: the guest pulls its container's image only. Put the sealed package into it.";
        if (topology.RuntimeClass is { } named && named != RuntimeClass)
            yield return $"runtimeClass '{named}' is not {RuntimeClass}; leave it out.";
        if (topology.Arguments is null)
            yield return "confidential pods need arguments: the agent lets no others in.";
        if (Entrypoint.Count == 0 || Entrypoint[0].Length == 0)
            yield return "confidential pods need entrypoint, what the image starts: else the host could start another program of it.";
        if (Broker is { } broker && (!broker.IsAbsoluteUri || broker.Scheme != Uri.UriSchemeHttps))
            yield return $"the broker '{broker}' is no https address.";
        if (BrokerAuthority is not null && (Broker is null || !BrokerAuthority.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal) || BrokerAuthority.Contains("'''", StringComparison.Ordinal)))
            yield return "brokerAuthority must be PEM text, and needs a broker.";
        foreach (var name in ImageVariables.Where(name => name.Length == 0 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_') || AgentPolicy.IsHook(name)))
            yield return $"the variable '{name}' is no name, or it makes a program load other code.";
    }
}
