using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>A decision as an event of the Elastic Common Schema 8.11; what looks like probing names its ATLAS technique.</summary>
internal static class EcsEvent
{
    internal static Dictionary<string, object?> Of(AuditLine line)
    {
        var served = line.Status == 200;
        var technique = AtlasTechnique.Of(line);
        return new()
        {
            ["@timestamp"] = line.Time.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
            ["ecs"] = new { version = "8.11.0" },
            ["event"] = new
            {
                kind = technique is null ? "event" : "alert",
                category = line.Status is 401 or 403 ? new[] { "authentication", "api" } : technique is null ? ["api"] : ["api", "threat"],
                type = new[] { "access", served ? "allowed" : "denied" },
                action = line.Action,
                outcome = served ? "success" : "failure",
                reason = line.Reason,
                id = $"{line.Gateway}/{line.Number}",
                dataset = "bulwark.gateway",
                module = "bulwark",
            },
            ["observer"] = new { vendor = "Bulwark", product = "Bulwark gateway", type = "gateway", name = line.Gateway },
            ["user"] = new { name = line.Subject, id = line.Client },
            ["http"] = new { response = new { status_code = line.Status } },
            ["service"] = line.Model is null ? null : new { name = line.Model, version = line.Facts?.Version, type = "model" },
            ["rule"] = new { ruleset = line.Policy, name = line.Policies.Count == 0 ? "default" : string.Join(",", line.Policies) },
            ["threat"] = technique is not { } atlas ? null : new { framework = "MITRE ATLAS", technique = new { id = new[] { atlas.Id }, name = new[] { atlas.Name } } },
        };
    }
}

/// <summary>The technique of MITRE ATLAS 5.6.0 that a refusal speaks of.</summary>
internal static class AtlasTechnique
{
    /// <summary>Null where a refusal speaks of none.</summary>
    internal static (string Id, string Name)? Of(AuditLine line) => line.Reason switch
    {
        "probing" or "decision-only" or "repeated" => ("AML.T0042", "Verify Attack"),
        "relation-broken" or "outlier" => ("AML.T0043", "Craft Adversarial Data"),
        "budget-exhausted" => ("AML.T0034", "Cost Harvesting"),
        "too-many-requests" or "overloaded" => ("AML.T0029", "Denial of AI Service"),
        _ => null,
    };
}
