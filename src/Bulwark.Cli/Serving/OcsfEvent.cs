using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>A decision as an event of the Open Cybersecurity Schema Framework 1.6: class API Activity (6003).</summary>
internal static class OcsfEvent
{
    private const int Class = 6003, Category = 6, Success = 1, Failure = 2, Allowed = 1, Denied = 2;

    internal static object Of(AuditLine line)
    {
        var activity = line.Action == "infer" ? 99 : 2;   // Other (a scoring is none of create, read, update, delete), Read
        var served = line.Status == 200;
        return new
        {
            class_uid = Class,
            class_name = "API Activity",
            category_uid = Category,
            category_name = "Application Activity",
            activity_id = activity,
            activity_name = activity == 2 ? "Read" : line.Action,
            type_uid = (Class * 100) + activity,
            time = line.Time.ToUnixTimeMilliseconds(),
            severity_id = served ? 1 : line.Status is 401 or 403 or 429 ? 3 : 2,
            status_id = served ? Success : Failure,
            status_code = line.Status.ToString(System.Globalization.CultureInfo.InvariantCulture),
            status_detail = line.Reason,
            action_id = served ? Allowed : Denied,
            disposition_id = served ? 1 : 2,
            metadata = new { version = "1.6.0", profiles = new[] { "security_control" }, uid = $"{line.Gateway}/{line.Number}", product = new { name = "Bulwark gateway", vendor_name = "Bulwark" } },
            actor = new { user = new { name = line.Subject, uid = line.Client, type_id = 3 } },
            api = new { operation = line.Action, service = new { name = "inference" }, response = new { code = line.Status, message = line.Reason } },
            attacks = AtlasTechnique.Of(line) is { } atlas ? new[] { new { version = "5.6.0", technique = new { uid = atlas.Id, name = atlas.Name } } } : null,
            src_endpoint = new { zone = line.Facts?.Zone ?? "unknown" },
            resources = line.Model is null ? null : new[] { new { name = line.Model, type = "AI model", version = line.Facts?.Version } },
            policy = new { uid = line.Policy, name = line.Policies.Count == 0 ? "default" : string.Join(",", line.Policies), is_applied = true },
        };
    }
}
