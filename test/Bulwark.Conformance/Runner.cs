using System.Text.Json;
using Bulwark.Conformance.Suites;

namespace Bulwark.Conformance;

/// <summary>Runs one suite of outside judges' vectors and counts the disagreements.</summary>
internal static class Runner
{
    /// <summary>Every suite; null where its room has nothing yet to judge.</summary>
    internal static readonly IReadOnlyDictionary<string, Suite?> Suites = new SortedDictionary<string, Suite?>
    {
        ["attestation"] = AttestationSuite.Cases,
        ["jose"] = JoseSuite.Cases,
        ["kubernetes"] = KubernetesSuite.Cases,
        ["lineage"] = LineageSuite.Cases,
        ["policy"] = PolicySuite.Cases,
        ["privacy"] = PrivacySuite.Cases,
        ["protection"] = ProtectionSuite.Cases,
        ["robustness"] = RobustnessSuite.Cases,
        ["x509"] = X509Suite.Cases,
    };

    internal static int Run(string[] args)
    {
        if (args is ["--list"])
        {
            foreach (var (name, known) in Suites)
                Console.WriteLine(known is null ? $"{name} (not built)" : name);
            return 0;
        }

        if (args.Length is not (2 or 4) || (args.Length == 4 && args[2] != "--json"))
            return Usage("usage: SUITE DIR [--json OUT] | --list");
        if (!Suites.TryGetValue(args[0], out var suite))
            return Usage($"unknown suite {args[0]}; known: {string.Join(", ", Suites.Keys)}");
        var directory = new DirectoryInfo(args[1]);
        if (!directory.Exists)
            return Usage($"no such directory: {directory.FullName}");
        if (suite is null)
        {
            Console.WriteLine($"{args[0]}: not built");
            return 1;
        }

        return Report(args[0], Collect(suite, directory), args.Length == 4 ? args[3] : null);
    }

    /// <summary>A suite that throws has failed: the cases before it count, and the exception is one more failure.</summary>
    private static List<CaseResult> Collect(Suite suite, DirectoryInfo directory)
    {
        var results = new List<CaseResult>();
        try
        {
            results.AddRange(suite(directory));
        }
        catch (Exception failure)
        {
            results.Add(CaseResult.Fail("suite", failure.ToString()));
        }

        if (results.All(result => result.Outcome == Outcome.Skipped))
            results.Add(CaseResult.Fail("suite", $"no case was run in {directory.FullName}"));
        return results;
    }

    private static int Report(string suite, List<CaseResult> results, string? json)
    {
        foreach (var result in results.Where(result => result.Outcome == Outcome.Failed))
            Console.WriteLine($"FAIL {result.Id}: {result.Reason}");
        foreach (var skips in results.Where(result => result.Outcome == Outcome.Skipped).GroupBy(result => result.Reason))
            Console.WriteLine($"skip {skips.Count()}: {skips.Key} (first: {skips.First().Id})");
        if (json is not null)
            File.WriteAllText(json, JsonSerializer.Serialize(new { suite, cases = results.Select(r => new { id = r.Id, outcome = r.Outcome.ToString().ToLowerInvariant(), reason = r.Reason }) }));
        int Count(Outcome outcome) => results.Count(result => result.Outcome == outcome);
        Console.WriteLine($"{Count(Outcome.Passed)} passed, {Count(Outcome.Failed)} failed, {Count(Outcome.Skipped)} skipped");
        return Count(Outcome.Failed) == 0 ? 0 : 1;
    }

    private static int Usage(string message)
    {
        Console.Error.WriteLine(message);
        return 2;
    }
}
