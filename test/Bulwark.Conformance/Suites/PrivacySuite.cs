using System.Text.Json;
using Bulwark.Privacy;

namespace Bulwark.Conformance.Suites;

/// <summary>Rows of published or independently computed privacy figures; each row is recognised by the members that it has.</summary>
internal static class PrivacySuite
{
    internal static Suite? Cases => directory => directory.EnumerateFiles("*.json", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal).SelectMany(OfFile);

    private static IEnumerable<CaseResult> OfFile(FileInfo file)
    {
        JsonDocument document;
        CaseResult? unreadable = null;
        try
        {
            document = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
        }
        catch (JsonException failure)
        {
            unreadable = CaseResult.Fail(file.Name, $"not JSON: {failure.Message}");
            document = JsonDocument.Parse("{}");
        }

        if (unreadable is not null)
            return [unreadable];
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("rows", out var rows) || rows.ValueKind != JsonValueKind.Array)
            return [CaseResult.Skip(file.Name, "not built: no member rows")];
        return rows.EnumerateArray().SelectMany((row, i) => Judge($"{file.Name}#{i}", row)).ToList();
    }

    private static IEnumerable<CaseResult> Judge(string id, JsonElement row)
    {
        try
        {
            return (Has(row, "parts"), Has(row, "sigma_pld"), Has(row, "sigma_analytic"), Has(row, "q"), Has(row, "input")) switch
            {
                (true, _, _, _, _) => PrivacyComposition.Judge(id, row),
                (_, true, _, _, _) => Calibrated(id, row),
                (_, _, true, _, _) => AnalyticGaussian(id, row),
                (_, _, _, true, _) => SampledGaussian(id, row),
                (_, _, _, _, true) => Conversion(id, row),
                _ => [CaseResult.Skip(id, "not built: unknown kind of row")],
            };
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException or NotSupportedException or KeyNotFoundException or FormatException)
        {
            return [CaseResult.Fail(id, failure.ToString())];
        }
    }

    /// <summary>Poisson-sampled Gaussian: soundness, tightness of both bounds, RDP.</summary>
    private static IEnumerable<CaseResult> SampledGaussian(string id, JsonElement row)
    {
        var happened = PrivacyEvent.DpSgd(Number(row, "q"), Number(row, "sigma"), row.GetProperty("steps").GetInt64());
        var delta = Number(row, "delta");
        var bounds = PldAccountant.Epsilon(happened, delta);
        yield return CaseResult.Of($"{id}/order", bounds.Lower <= bounds.Upper, $"lower {bounds.Lower:R} is above upper {bounds.Upper:R}");
        if (Has(row, "eps_best"))
        {
            var (best, error) = (Number(row, "eps_best"), Has(row, "eps_best_err") ? Number(row, "eps_best_err") : 0);
            yield return CaseResult.Of($"{id}/sound", bounds.Upper >= best - error, $"upper {bounds.Upper:R} is below {best:R} - {error:R}");
            yield return CaseResult.Of($"{id}/sound-lower", bounds.Lower <= best + error + 1e-9, $"lower {bounds.Lower:R} is above {best:R} + {error:R}");
            yield return CaseResult.Of($"{id}/tight", bounds.Upper <= (best * 1.001) + 1e-5, $"upper {bounds.Upper:R} is more than 0.1 % above {best:R}");
            yield return CaseResult.Of($"{id}/tight-lower", bounds.Lower >= (best * 0.99) - 1e-3, $"lower {bounds.Lower:R} is too far below {best:R}");
        }

        if (Has(row, "eps_pld_today"))
            yield return Near($"{id}/pld", bounds.Upper, Number(row, "eps_pld_today"), 1e-3);
        foreach (var name in new[] { "eps_rdp", "eps_rdp_today" })
        {
            if (Has(row, name) && row.GetProperty(name).ValueKind == JsonValueKind.Number)
                yield return Rdp($"{id}/rdp", happened, delta, Number(row, name), bounds);
        }
    }

    private static IEnumerable<CaseResult> Calibrated(string id, JsonElement row)
    {
        var (q, steps) = (Number(row, "q"), row.GetProperty("steps").GetInt64());
        var budget = new PrivacyBudget(Number(row, "target_eps"), Number(row, "delta"));
        var sigma = Calibration.DpSgdNoise(q, steps, budget);
        var spent = PldAccountant.Epsilon(PrivacyEvent.DpSgd(q, sigma, steps), budget.Delta).Upper;
        yield return CaseResult.Of($"{id}/within", spent <= budget.Epsilon, $"sigma {sigma:R} costs {spent:R}, more than {budget.Epsilon:R}");
        yield return Has(row, "sigma_exact_gaussian")
            ? Near($"{id}/sigma", sigma, Number(row, "sigma_exact_gaussian"), 1e-4)
            : CaseResult.Of($"{id}/sigma", sigma <= Number(row, "sigma_pld") * (1 + 1e-4) && sigma >= Number(row, "sigma_pld") * (1 - 1e-3), $"sigma {sigma:R}, not {Number(row, "sigma_pld"):R}");
    }

    private static IEnumerable<CaseResult> AnalyticGaussian(string id, JsonElement row)
    {
        var (epsilon, delta, expected) = (Number(row, "target_eps"), Number(row, "delta"), Number(row, "sigma_analytic"));
        var sigma = GaussianMechanism.NoiseMultiplier(epsilon, delta);
        yield return Near(id, sigma, expected, 1e-9);
        yield return CaseResult.Of($"{id}/within", GaussianMechanism.Epsilon(sigma, delta) <= epsilon * (1 + 1e-12), $"sigma {sigma:R} does not keep epsilon");
    }

    /// <summary>"orders A..B, rdp=R at every order, delta=D".</summary>
    private static IEnumerable<CaseResult> Conversion(string id, JsonElement row)
    {
        var match = System.Text.RegularExpressions.Regex.Match(row.GetProperty("input").GetString()!, @"^orders (\d+)\.\.(\d+), rdp=([\d.eE+-]+) at every order, delta=([\d.eE+-]+)$");
        if (!match.Success)
            return [CaseResult.Skip(id, "not built: this conversion's input")];
        var orders = Enumerable.Range(int.Parse(match.Groups[1].Value), int.Parse(match.Groups[2].Value) - int.Parse(match.Groups[1].Value) + 1).Select(order => (double)order).ToArray();
        var divergence = double.Parse(match.Groups[3].Value);
        var (epsilon, order) = RdpAccountant.FromDivergences(orders, [.. orders.Select(_ => divergence)], double.Parse(match.Groups[4].Value));
        var published = row.GetProperty("published");
        return
        [
            Near($"{id}/epsilon", epsilon, Number(published, "eps"), 1e-9),
            CaseResult.Of($"{id}/order", !Has(published, "optimal_order") || order == Number(published, "optimal_order"), $"order {order}"),
        ];
    }

    /// <summary>Equal to the published figure to 1e-6, in the published convention; the exact divergences give no more, and neither falls below what is certain.</summary>
    internal static CaseResult Rdp(string id, PrivacyEvent happened, double delta, double published, EpsilonBounds bounds)
    {
        var (found, order) = RdpAccountant.Epsilon(happened, delta);
        var exact = RdpAccountant.Epsilon(happened, delta, RenyiSeries.Exact).Epsilon;
        var sound = found >= bounds.Lower && exact >= bounds.Lower && exact <= found * (1 + 1e-9);
        return CaseResult.Of(id, sound && Math.Abs(found - published) <= 1e-6 * published, $"{found:R} at order {order}, not {published:R}; exactly {exact:R}");
    }

    internal static CaseResult Near(string id, double found, double expected, double relative) =>
        CaseResult.Of(id, Math.Abs(found - expected) <= (relative * Math.Abs(expected)) + 1e-12, $"{found:R}, not {expected:R}");

    internal static bool Has(JsonElement row, string name) => row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out _);

    internal static double Number(JsonElement row, string name) => row.GetProperty(name).GetDouble();
}
