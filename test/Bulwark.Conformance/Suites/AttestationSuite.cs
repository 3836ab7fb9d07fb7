using System.Globalization;
using System.Text.Json;
using Bulwark.Conformance.Suites.Attestation;

namespace Bulwark.Conformance.Suites;

/// <summary>Platform evidence against published decisions: each case of <c>cases.json</c>, by its kind.</summary>
internal static class AttestationSuite
{
    internal static Suite? Cases => Run;

    private static IEnumerable<CaseResult> Run(DirectoryInfo directory)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory.FullName, "cases.json")));
        var cases = document.RootElement.GetProperty("cases").Clone();
        foreach (var entry in cases.EnumerateArray())
        {
            var one = new EvidenceCase(directory, entry);
            if (one.Kind == "hpke")
            {
                foreach (var result in HpkeCases.Run(one))
                    yield return result;
                continue;
            }

            CaseResult single;
            try
            {
                single = Of(one);
            }
            catch (Exception failure)
            {
                single = CaseResult.Fail(one.Id, failure.ToString());
            }

            yield return single;
        }
    }

    private static CaseResult Of(EvidenceCase one) => one.Kind switch
    {
        "sev-snp" when one.Has("runtime") => SnpCases.Run(one) is { Outcome: Outcome.Passed } ? TpmCases.Azure(one) : SnpCases.Run(one),
        "sev-snp" => SnpCases.Run(one),
        "sev-snp-cert" => SnpCases.Certificate(one),
        "tdx" or "sgx" => DcapCases.Run(one),
        "tpm2" => TpmCases.Quote(one),
        "tcg2-replay" => TpmCases.Log(one),
        "ohttp" => ObliviousCases.Oblivious(one),
        "ehbp" => ObliviousCases.Ehbp(one),
        "rtmr-replay" => TpmCases.RuntimeLog(one),
        "ratls" => RaTlsCases.Run(one),
        "nvidia-gpu" => NvidiaCases.Run(one),
        _ => CaseResult.Skip(one.Id, $"kind {one.Kind} is not built"),
    };
}

/// <summary>One published case: its files, its clock and what is expected.</summary>
internal sealed class EvidenceCase(DirectoryInfo directory, JsonElement entry)
{
    internal string Id { get; } = entry.GetProperty("id").GetString()!;
    internal string Kind { get; } = entry.GetProperty("kind").GetString()!;
    internal JsonElement Expected { get; } = entry.GetProperty("expect");
    internal string Decision => Text("decision");
    internal string Reason => Text("reason");

    /// <summary>The verification time that the case gives.</summary>
    internal TimeProvider Clock => new FixedClock(DateTimeOffset.Parse(entry.GetProperty("time").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));

    internal bool Has(string file) => entry.GetProperty("files").TryGetProperty(file, out _);

    /// <summary>The bytes of a file that the case names; empty when it names none.</summary>
    internal byte[] File(string name) => Has(name) ? System.IO.File.ReadAllBytes(Path(name)) : [];

    internal string Path(string name) => System.IO.Path.Combine(directory.FullName, entry.GetProperty("files").GetProperty(name).GetString()!);

    internal string Text(string member) => Expected.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
