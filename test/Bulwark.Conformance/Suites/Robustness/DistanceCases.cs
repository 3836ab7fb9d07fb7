using System.Text.Json;
using Bulwark.Monitoring;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Mahalanobis distances of points from a sample.</summary>
internal static class DistanceCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var (x, y, q, width) = (v.Flat("X"), v.Whole("y"), Rows(v.GetProperty("Q")), v.Flat("mean").Length);
        var unbiased = CovarianceEstimate.Sample(x, width);
        var mean = CovarianceEstimate.Mean(x, width);
        var plain = new MahalanobisDistance(mean, unbiased);
        yield return Vectors.Close($"{name}/cov_unbiased", [.. v.Flat("mean"), .. v.Flat("cov_unbiased")], [.. mean, .. unbiased], 1e-9);
        yield return Vectors.Close($"{name}/d2", v.Flat("d2"), [.. q.Select(row => plain.Squared(row))], 1e-9);
        var (means, tied) = CovarianceEstimate.Tied(x, width, y);
        var classes = new ClassDistances(x, width, y);
        yield return Vectors.Close($"{name}/tied_cov", [.. v.Flat("class_means"), .. v.Flat("tied_cov")], [.. means.SelectMany(one => one), .. tied], 1e-9);
        yield return Vectors.Close($"{name}/d2_per_class", v.Flat("d2_per_class"), [.. q.SelectMany(row => classes.Squared(row))], 1e-9);
        yield return Vectors.Close($"{name}/confidence", v.Flat("confidence"), [.. q.Select(row => -classes.Squared(row).Min())], 1e-9);
        yield return Vectors.Close($"{name}/relative_mahalanobis", v.Flat("relative_mahalanobis"), [.. q.Select(row => classes.Relative(row))], 1e-9);
        yield return Shrunk($"{name}/ledoit_wolf", v.GetProperty("ledoit_wolf"), CovarianceEstimate.LedoitWolf(x, width), mean, q);
        yield return Shrunk($"{name}/oas", v.GetProperty("oas"), CovarianceEstimate.OracleApproximating(x, width), mean, q);
        yield return Vectors.Close($"{name}/chi2_sf", v.Flat("chi2_sf"), [.. v.Flat("d2").Select(plain.Chance)], 1e-9);
        yield return Vectors.Close($"{name}/chi2_q", [0.01, 0.001], [plain.Chance(v.GetProperty("chi2_q").Number("p99")), plain.Chance(v.GetProperty("chi2_q").Number("p999"))], 1e-9);
    }

    private static CaseResult Shrunk(string id, JsonElement v, (double Intensity, double[] Covariance) found, double[] mean, double[][] q)
    {
        var distance = new MahalanobisDistance(mean, found.Covariance);
        double[] published = v.TryGetProperty("d2", out var squared) ? squared.Flat() : [];
        return Vectors.Close(id, [v.Number("shrinkage"), .. v.Flat("cov"), .. published], [found.Intensity, .. found.Covariance, .. q.Take(published.Length).Select(row => distance.Squared(row))], 1e-9);
    }

    private static double[][] Rows(JsonElement matrix) => [.. matrix.EnumerateArray().Select(row => row.Flat())];
}
