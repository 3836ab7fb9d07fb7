using System.Text.Json;
using Bulwark.Cli.Serving;
using Bulwark.Server;

namespace Bulwark.Tests.Cli;

public class EcsEventTests
{
    [Theory]
    [InlineData("probing", 429, "alert", "failure", "AML.T0042")]
    [InlineData("budget-exhausted", 429, "alert", "failure", "AML.T0034")]
    [InlineData("accepted", 200, "event", "success", null)]
    [InlineData("expired", 401, "event", "failure", null)]
    public void A_decision_is_an_event_with_its_technique(string reason, int status, string kind, string outcome, string? technique)
    {
        var line = new AuditLine("run", 7, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "infer", "refused", reason, status, "pseudonym", "alice", "fraud", "sha256:00", [], null);
        using var ecs = JsonDocument.Parse(JsonSerializer.Serialize(EcsEvent.Of(line)));
        var root = ecs.RootElement;
        Assert.Equal("2026-01-02T03:04:05.0000000Z", root.GetProperty("@timestamp").GetString());
        Assert.Equal((kind, outcome, "run/7"), (root.GetProperty("event").GetProperty("kind").GetString(), root.GetProperty("event").GetProperty("outcome").GetString(), root.GetProperty("event").GetProperty("id").GetString()));
        Assert.Equal(technique, root.GetProperty("threat") is { ValueKind: JsonValueKind.Object } threat ? threat.GetProperty("technique").GetProperty("id")[0].GetString() : null);
        using var ocsf = JsonDocument.Parse(JsonSerializer.Serialize(OcsfEvent.Of(line)));
        Assert.Equal(technique, ocsf.RootElement.GetProperty("attacks") is { ValueKind: JsonValueKind.Array } attacks ? attacks[0].GetProperty("technique").GetProperty("uid").GetString() : null);
    }
}
