using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>How large the squares of the image attack Square are, query by query.</summary>
internal static class ScheduleCases
{
    internal static bool AreSchedules(JsonElement v) =>
        v.GetProperty("rows") is { ValueKind: JsonValueKind.Array } rows && rows.GetArrayLength() > 0
        && rows[0].ValueKind == JsonValueKind.Object && rows[0].TryGetProperty("p_init", out _);

    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var index = 0;
        foreach (var row in v.GetProperty("rows").EnumerateArray())
        {
            var (id, query, pixels) = ($"{name}/{index++}", (int)row.Number("it"), (int)row.Number("h"));
            var attack = new SquareAttack
            {
                Epsilon = 0,
                Height = pixels,
                Width = pixels,
                InitialShare = row.Number("p_init"),
                Queries = (int)row.Number("n_queries"),
                Rescale = row.GetProperty("rescale").GetBoolean(),
            };
            yield return Vectors.Close(id, [row.Number("p"), row.Number("side")], [attack.Share(query), attack.Side(query)], 1e-12);
        }
    }
}
