using System.Text;
using System.Text.Json;

namespace Bulwark.Deployment;

/// <summary>The policy that Kata's agent keeps inside the guest (Rego): what the host may ask of it.</summary>
/// <remarks>
/// Everything that looks in or changes what runs is refused: exec, stdin, tracing, another policy, another image, other arguments, a variable that loads code.
/// It does not compare mounts: the host chooses what lies under mounted volumes, as it does with every volume that is not sealed.
/// </remarks>
internal static class AgentPolicy
{
    /// <summary>What the agent's life needs.</summary>
    private static readonly string[] s_allowed =
    [
        "CloseStdinRequest", "CopyFileRequest", "CreateSandboxRequest", "DestroySandboxRequest", "GetMetricsRequest", "GetOOMEventRequest", "GuestDetailsRequest", "ListInterfacesRequest",
        "ListRoutesRequest", "OnlineCPUMemRequest", "PullImageRequest", "RemoveContainerRequest", "RemoveStaleVirtiofsShareMountsRequest", "ReseedRandomDevRequest", "SignalProcessRequest",
        "StartContainerRequest", "StatsContainerRequest", "TtyWinResizeRequest", "UpdateContainerRequest", "UpdateEphemeralMountsRequest", "UpdateInterfaceRequest", "UpdateRoutesRequest",
        "AddARPNeighborsRequest", "WaitProcessRequest",
    ];

    private static readonly string[] s_refused =
    [
        "AddSwapRequest", "CreateContainerRequest", "ExecProcessRequest", "MemHotplugByProbeRequest", "PauseContainerRequest", "ResumeContainerRequest", "SetGuestDateTimeRequest",
        "SetPolicyRequest", "StartTracingRequest", "StopTracingRequest", "WriteStreamRequest",
    ];

    private static readonly string[] s_hooks = ["LD_", "GCONV_PATH", "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "DOTNET_GCName", "DOTNET_GCPath", "DOTNET_DiagnosticPorts", "CORECLR_", "COR_", "COMPlus_", "BULWARK_"];

    /// <summary>True for a variable that makes a program load other code or open a door.</summary>
    internal static bool IsHook(string variable) => s_hooks.Any(hook => variable.StartsWith(hook, StringComparison.OrdinalIgnoreCase));

    internal static string Write(Topology topology, ConfidentialPod pod)
    {
        var text = new StringBuilder("package agent_policy\n\nimport future.keywords.every\nimport future.keywords.if\nimport future.keywords.in\n\n");
        foreach (var request in s_allowed.Order(StringComparer.Ordinal))
            text.Append($"default {request} := true\n");
        foreach (var request in s_refused.Order(StringComparer.Ordinal))
            text.Append($"default {request} := false\n");
        text.Append($"default ReadStreamRequest := {(pod.Logs ? "true" : "false")}\n\n");
        text.Append($"images := {Set([topology.Image])}\narguments := {List([.. pod.Entrypoint, .. topology.Arguments ?? []])}\n");
        text.Append($"variables := {Set([.. pod.ImageVariables, "HOSTNAME", "HOME", "TERM", "DOTNET_EnableDiagnostics"])}\n\n");
        text.Append("""
            # The pod's own sandbox container: it runs "pause" and nothing else.
            CreateContainerRequest if {
              input.OCI.Annotations["io.kubernetes.cri.container-type"] == "sandbox"
              every storage in input.storages { storage.source in {"pause", "pause:"} }
              input.OCI.Process.Args == ["/pause"]
            }

            CreateContainerRequest if {
              input.OCI.Annotations["io.kubernetes.cri.container-type"] == "container"
              pulled := {storage.source | some storage in input.storages; storage.driver == "image_guest_pull"}
              pulled == images
              input.OCI.Process.Args == arguments
              every entry in input.OCI.Process.Env { allowed(split(entry, "=")) }
              not input.OCI.Process.Terminal
              input.OCI.Process.User.UID == 10001
              input.OCI.Process.NoNewPrivileges
            }

            allowed(parts) if parts[0] in variables
            allowed(parts) if startswith(parts[0], "KUBERNETES_")

            """.ReplaceLineEndings("\n"));
        return text.ToString();
    }

    private static string Set(IReadOnlyList<string> values) => "{" + string.Join(", ", values.Select(Text)) + "}";

    private static string List(IReadOnlyList<string> values) => "[" + string.Join(", ", values.Select(Text)) + "]";

    private static string Text(string value) => JsonSerializer.Serialize(value, AgentPolicyJson.Default.String).Replace("'", "\\u0027", StringComparison.Ordinal);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class AgentPolicyJson : System.Text.Json.Serialization.JsonSerializerContext;
