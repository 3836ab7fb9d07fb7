using System.Text.Json;
using System.Text.RegularExpressions;
using Bulwark.Deployment;

namespace Bulwark.Conformance.Suites;

/// <summary>Manifests judged by the admission controller's own test data, and by the test data of other checkers where they have the same rule.</summary>
internal static partial class KubernetesSuite
{
    internal static Suite? Cases => directory => PodSecurity(directory).Concat(Kyverno(directory)).Concat(Polaris(directory)).Concat(KubeScape(directory)).Concat(KubeLinter(directory));

    /// <summary>The official verdict: the folder's name, for that level and version.</summary>
    private static IEnumerable<CaseResult> PodSecurity(DirectoryInfo directory)
    {
        foreach (var file in Yaml(directory, "pod-security-standards"))
        {
            var id = Id(directory, file);
            if (PodSecurityCase().Match(id) is not { Success: true } named)
            {
                yield return CaseResult.Skip(id, "no level, version and verdict in its path");
                continue;
            }

            var level = Enum.Parse<SecurityLevel>(named.Groups["level"].Value, ignoreCase: true);
            var minor = named.Groups["minor"].Success ? int.Parse(named.Groups["minor"].Value) : PodSecurityStandards.LatestMinor;
            yield return Judge(id, file, named.Groups["verdict"].Value == "pass", manifest => PodSecurityStandards.Check(manifest, level, minor), everyObject: true);
        }
    }

    private static IEnumerable<CaseResult> Kyverno(DirectoryInfo directory)
    {
        foreach (var file in Yaml(directory, "kyverno-pod-security"))
        {
            var id = Id(directory, file);
            var parts = Path.GetFileNameWithoutExtension(file.Name).Split("__");
            var good = parts[^1].EndsWith("good", StringComparison.Ordinal);
            if (parts[0] == "subrule")
                yield return CaseResult.Skip(id, "not built: a policy of Kyverno whose exclusions are not in the vectors");
            else if (parts.Length == 3 && KubernetesRules.Kyverno.TryGetValue(parts[1], out var rule))
                yield return Judge(id, file, good, manifest => PodSecurityStandards.Check(manifest, SecurityLevel.Restricted, KubernetesRules.KyvernoMinor).Where(finding => finding.Rule == rule), everyObject: true);
            else
                yield return CaseResult.Skip(id, $"not built: the policy {parts.ElementAtOrDefault(1)} of Kyverno is no control of the standards");
        }
    }

    private static IEnumerable<CaseResult> Polaris(DirectoryInfo directory)
    {
        foreach (var file in Yaml(directory, "polaris"))
        {
            var id = Id(directory, file);
            var check = file.Directory!.Name;
            if (!file.Name.StartsWith("success", StringComparison.Ordinal) && !file.Name.StartsWith("failure", StringComparison.Ordinal))
                yield return CaseResult.Skip(id, "a check's definition, not a case");
            else if (KubernetesRules.Polaris.TryGetValue(check, out var rule))
                yield return JudgeSet(id, [file], file.Name.StartsWith("success", StringComparison.Ordinal), rule);
            else
                yield return CaseResult.Skip(id, $"not built: the check {check} of Polaris");
        }
    }

    private static IEnumerable<CaseResult> KubeScape(DirectoryInfo directory)
    {
        foreach (var expected in Below(directory, "kubescape").Where(file => file.Name == "expected.json"))
        {
            var rule = expected.Directory!.Parent!.Name;
            var id = Id(directory, expected);
            if (!KubernetesRules.KubeScape.TryGetValue(rule, out var ours))
            {
                yield return CaseResult.Skip(id, $"not built: the rule {rule} of Kubescape");
                continue;
            }

            var passes = JsonDocument.Parse(File.ReadAllText(expected.FullName)).RootElement.GetArrayLength() == 0;
            var inputs = expected.Directory.EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.Extension is ".yaml" or ".yml" or ".json" && file.FullName != expected.FullName);
            yield return JudgeSet(id, inputs, passes, ours);
        }
    }

    private static IEnumerable<CaseResult> KubeLinter(DirectoryInfo directory)
    {
        foreach (var list in Below(directory, "kube-linter").Where(file => file.Name == "expected.json"))
        {
            foreach (var test in JsonDocument.Parse(File.ReadAllText(list.FullName)).RootElement.GetProperty("expected").EnumerateArray())
            {
                var id = $"kube-linter/{test.GetProperty("test").GetString()}";
                var check = test.GetProperty("check").GetString() ?? "";
                var file = Path.Combine(list.DirectoryName!, test.GetProperty("file").GetString()!);
                if (!KubernetesRules.KubeLinter.TryGetValue(check, out var rule) || !File.Exists(file))
                {
                    yield return CaseResult.Skip(id, rule is null ? $"not built: the check {check} of KubeLinter" : "its file is not here");
                    continue;
                }

                var count = test.GetProperty("reportCount").GetInt32();
                var found = Of(ManifestReader.Read(File.ReadAllText(file), Path.GetFileName(file)), rule).ToArray();
                yield return CaseResult.Of(id, found.Length == count, $"expected {count} findings, got {found.Length}");
            }
        }
    }

    private static CaseResult Judge(string id, FileInfo file, bool passes, Func<Manifest, IEnumerable<Finding>> check, bool everyObject)
    {
        try
        {
            var manifests = ManifestReader.Read(File.ReadAllText(file.FullName), file.Name).Where(manifest => manifest.HasPods).ToArray();
            var found = manifests.SelectMany(check).ToArray();
            var refused = everyObject ? manifests.Length > 0 && manifests.All(manifest => check(manifest).Any()) : found.Length > 0;
            return passes ? CaseResult.Of(id, found.Length == 0 && manifests.Length > 0, Said(true, found)) : CaseResult.Of(id, refused, Said(false, found));
        }
        catch (FormatException fault)
        {
            return CaseResult.Of(id, !passes, fault.Message);
        }
    }

    private static CaseResult JudgeSet(string id, IEnumerable<FileInfo> files, bool passes, string rule)
    {
        var found = Of([.. files.SelectMany(file => ManifestReader.Read(File.ReadAllText(file.FullName), file.Name))], rule).ToArray();
        return CaseResult.Of(id, found.Length == 0 == passes, Said(passes, found));
    }

    private static IEnumerable<Finding> Of(IReadOnlyList<Manifest> manifests, string rule) =>
        manifests.SelectMany(manifest => PodSecurityStandards.Check(manifest, SecurityLevel.Restricted).Concat(HardeningRules.Check(manifest)))
            .Concat(ManifestSetRules.Check(manifests)).Where(finding => finding.Rule == rule);

    private static string Said(bool passes, Finding[] found) =>
        passes ? $"must pass, but {string.Join("; ", found.Select(finding => $"{finding.Rule} at {finding.Path}").DefaultIfEmpty("nothing was checked"))}" : "must be refused, but passed";

    private static IEnumerable<FileInfo> Yaml(DirectoryInfo directory, string family) => Below(directory, family).Where(file => file.Extension is ".yaml" or ".yml" or ".json" && file.Name != "expected.json");

    private static IEnumerable<FileInfo> Below(DirectoryInfo directory, string family) =>
        new DirectoryInfo(Path.Combine(directory.FullName, family)) is { Exists: true } folder ? folder.EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal) : [];

    private static string Id(DirectoryInfo directory, FileInfo file) => Path.GetRelativePath(directory.FullName, file.FullName).Replace('\\', '/');

    [GeneratedRegex("(?<level>restricted|baseline|privileged)/(v1\\.(?<minor>[0-9]+)|latest)/(?<verdict>pass|fail)/")]
    private static partial Regex PodSecurityCase();
}
