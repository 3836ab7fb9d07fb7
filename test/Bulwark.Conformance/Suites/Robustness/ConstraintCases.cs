using System.Text.Json;
using System.Text.RegularExpressions;
using Bulwark.Assurance;
using Bulwark.Models;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>How far published rows are from keeping each relation of the samples.</summary>
internal static partial class ConstraintCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var (url, lcld) = (v.GetProperty("url"), v.GetProperty("lcld"));
        var sample = Sample("url-phishing.json");
        yield return Vectors.Try($"{name}/url", () => Compare($"{name}/url", AsPublished(sample), url, "violation"));
        yield return Vectors.Try($"{name}/url_repaired", () => Compare($"{name}/url_repaired", sample, url, "violation_repaired"));
        yield return Vectors.Try($"{name}/lcld", () => Compare($"{name}/lcld", Sample("loans.json"), lcld, "violation"));
    }

    /// <summary>As published, "a above 0 means b above 0" was written so that a count can never break it.</summary>
    internal static TabularConstraints AsPublished(TabularConstraints sample) =>
        sample with { Relations = [.. sample.Relations.Select(relation => relation with { Rule = Implication().Replace(relation.Rule, "0 <= $1 or 0 < $2") })] };

    internal static TabularConstraints Sample(string file)
    {
        using var stream = typeof(ConstraintCases).Assembly.GetManifestResourceStream(file) ?? throw new InvalidDataException($"The sample {file} is absent.");
        using var reader = new StreamReader(stream);
        return TabularConstraints.Parse(reader.ReadToEnd());
    }

    internal static FeatureSchema Schema(JsonElement names, double[]? low = null, double[]? high = null, string[]? types = null) => new()
    {
        Label = "the label",
        Features = [.. names.EnumerateArray().Select((name, j) => new Feature
        {
            Name = name.GetString()!,
            Kind = types?[j] == "int" ? FeatureKind.Integer : FeatureKind.Numeric,
            Minimum = low?[j] ?? -1e9,
            Maximum = high is null ? 1e9 : high[j] > low![j] ? high[j] : low[j] + 1,
            Mutable = true,
        })],
    };

    private static CaseResult Compare(string id, TabularConstraints constraints, JsonElement v, string member)
    {
        var compiled = constraints.Compile(Schema(v.GetProperty("names")));
        var violations = new double[compiled.Relations.Count];
        var row = 0;
        foreach (var published in v.GetProperty(member).EnumerateArray())
        {
            compiled.Violations(v.GetProperty("x")[row].Flat(), violations);
            var result = Vectors.Close($"{id}", published.Flat(), violations, 1e-9);
            if (result.Outcome != Outcome.Passed)
                return result with { Reason = $"row {row}: {result.Reason}" };
            row++;
        }

        return CaseResult.Pass(id);
    }

    [GeneratedRegex(@"(\w+) > 0 => (\w+) > 0")]
    private static partial Regex Implication();
}
