using System.Text.Json;

namespace Bulwark.Server;

/// <summary>One line of a gateway's private trail.</summary>
/// <param name="Gateway">The run of a gateway.</param>
/// <param name="Number">The decision's number within the run.</param>
/// <param name="Time">When, UTC.</param>
/// <param name="Action">What was asked.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Client">The client's pseudonym; null when nobody was recognised.</param>
/// <param name="Subject">Who the token named; null when none was accepted.</param>
/// <param name="Model">The model; null when none that is served was asked for.</param>
/// <param name="Policy">Digest of the policy that decided.</param>
/// <param name="Policies">The rules that decided.</param>
/// <param name="Facts">What the policies were told; null when they were not asked.</param>
public sealed record AuditLine(
    string Gateway, long Number, DateTimeOffset Time, string Action, string Outcome, string Reason, int Status,
    string? Client, string? Subject, string? Model, string Policy, IReadOnlyList<string> Policies, PolicyFacts? Facts)
{
    /// <summary>The line's format.</summary>
    public const string Format = "bulwark-decision/v1";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = false };

    /// <summary>Reads one line.</summary>
    /// <exception cref="FormatException">It is no such line.</exception>
    public static AuditLine Parse(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("v", out var format) || format.ValueKind != JsonValueKind.String || !format.ValueEquals(Format))
                throw new FormatException($"This is no line of the format {Format}.");
            var read = json.RootElement.Deserialize<AuditLine>(Strict)!;
            return read.Action is null || read.Outcome is null || read.Reason is null || read.Gateway is null || read.Policies is null
                ? throw new FormatException("A line lacks a member.") : read;
        }
        catch (JsonException fault)
        {
            throw new FormatException($"This is no line of the format {Format}: {fault.Message}", fault);
        }
    }
}
