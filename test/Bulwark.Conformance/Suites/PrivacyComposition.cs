using System.Text.Json;
using Bulwark.Privacy;

namespace Bulwark.Conformance.Suites;

/// <summary>Rows that compose different mechanisms.</summary>
internal static class PrivacyComposition
{
    internal static IEnumerable<CaseResult> Judge(string id, JsonElement row)
    {
        var parts = row.GetProperty("parts").EnumerateArray().ToList();
        var unknown = parts.Select(part => part.GetProperty("kind").GetString()!).Where(kind => Event(kind, default, probe: true) is null).Distinct().ToList();
        if (unknown.Count > 0)
        {
            yield return CaseResult.Skip(id, $"not built: mechanism {string.Join(", ", unknown)}");
            yield break;
        }

        var delta = PrivacySuite.Number(row, "delta");
        var counted = new ComposedEvent([.. parts.Select(part => new SelfComposedEvent(Of(part), Count(part)))]);
        var bounds = PldAccountant.Epsilon(counted, delta);
        foreach (var (name, slack) in new[] { ("eps_pld_upper_fine", 2e-5), ("eps_best", PrivacySuite.Has(row, "eps_best_err") ? PrivacySuite.Number(row, "eps_best_err") : 0) })
        {
            if (!PrivacySuite.Has(row, name))
                continue;
            var expected = PrivacySuite.Number(row, name);
            yield return CaseResult.Of($"{id}/sound", bounds.Upper >= expected - slack, $"upper {bounds.Upper:R} is below {expected:R}");
            yield return CaseResult.Of($"{id}/tight", bounds.Upper <= (expected * 1.001) + 1e-5, $"upper {bounds.Upper:R} is more than 0.1 % above {expected:R}");
            yield return CaseResult.Of($"{id}/sound-lower", bounds.Lower <= expected + slack, $"lower {bounds.Lower:R} is above {expected:R}");
        }

        var listed = new ComposedEvent([.. parts.SelectMany(part => Enumerable.Repeat(Of(part), (int)Math.Min(Count(part), 100_000)))]);
        if (parts.Sum(Count) <= 100_000)
            yield return PrivacySuite.Near($"{id}/count-is-list", PldAccountant.Epsilon(listed, delta).Upper, bounds.Upper, 1e-9);
        if (PrivacySuite.Has(row, "delta_at_eps1_pld"))
        {
            var (expected, found) = (PrivacySuite.Number(row, "delta_at_eps1_pld"), PldAccountant.Delta(counted, 1));
            yield return CaseResult.Of($"{id}/delta", found.Lower <= expected * (1 + 1e-3) && found.Upper >= expected * (1 - 2e-3) && found.Upper <= expected * (1 + 2e-3), $"delta at epsilon 1 from {found.Lower:R} to {found.Upper:R}, not {expected:R}");
        }

        if (PrivacySuite.Has(row, "eps_rdp") && row.GetProperty("eps_rdp").ValueKind == JsonValueKind.Number)
            yield return Rdp(id, counted, delta, row.GetProperty("eps_rdp").GetDouble(), bounds);
    }

    private static CaseResult Rdp(string id, PrivacyEvent happened, double delta, double expected, EpsilonBounds bounds)
    {
        try
        {
            return PrivacySuite.Rdp($"{id}/rdp", happened, delta, expected, bounds);
        }
        catch (NotSupportedException failure)
        {
            return CaseResult.Skip($"{id}/rdp", $"not built: {failure.Message}");
        }
    }

    private static long Count(JsonElement part) => PrivacySuite.Has(part, "count") ? part.GetProperty("count").GetInt64() : 1;

    private static PrivacyEvent Of(JsonElement part)
    {
        var param = part.GetProperty("param");
        double[] values = param.ValueKind == JsonValueKind.Array ? [.. param.EnumerateArray().Select(value => value.GetDouble())] : [param.GetDouble()];
        return Event(part.GetProperty("kind").GetString()!, values, probe: false)!;
    }

    private static PrivacyEvent? Event(string kind, double[]? values, bool probe)
    {
        double At(int i) => probe ? 1 : values![i];
        return kind switch
        {
            "gaussian" => new GaussianEvent(At(0)),
            "laplace" => new LaplaceEvent(At(0)),
            "sgm" => new PoissonSampledEvent(At(0), new GaussianEvent(At(1))),
            "slap" => new PoissonSampledEvent(At(0), new LaplaceEvent(At(1))),
            "dlap" => new DiscreteLaplaceEvent(At(0), (int)At(1)),
            "epsdelta" => new EpsilonDeltaEvent(At(0), At(1)),
            _ => null,
        };
    }
}
