using System.Globalization;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Attestation.Dcap;
using Bulwark.Attestation.Snp;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>TPM quotes, measured logs and the binding of a virtual TPM to its processor's report.</summary>
internal static class TpmCases
{
    internal static CaseResult Quote(EvidenceCase one)
    {
        var chain = new[] { "ekCert", "ekIssuer", "ekRoot" }.Where(one.Has).Select(name => (ReadOnlyMemory<byte>)one.File(name)).ToList();
        var policy = new TpmPolicy
        {
            Required = Required(one),
            EndorsementRoots = one.Has("ekRoot") ? [KeyOf(one.Path("ekRoot"))] : [],
            AllowUnendorsed = chain.Count == 0,
            AllowBareKey = !one.Has("akPublic"),
            AnyPlatform = true,
            AnyMeasurement = true,
            BindingKnown = true,
        };
        var evidence = new TpmEvidence
        {
            Attest = one.File("attest"),
            Signature = one.File("signature"),
            KeyPublic = one.File("akPublic"),
            Key = one.File("akSpki"),
            Pcrs = Registers(one.File("pcrs")),
            EndorsementChain = chain,
        };
        var nonce = one.Has("nonce") ? Convert.FromHexString(File.ReadAllText(one.Path("nonce")).Trim()) : Convert.FromHexString(one.Text("extraData"));
        return Decisions.Compare(one, new TpmVerifier(policy, one.Clock).Verify(evidence, nonce));
    }

    /// <summary>The processor's report vouches for the runtime data, which name the key that signed the TPM's quote.</summary>
    internal static CaseResult Azure(EvidenceCase one)
    {
        SnpReport.TryRead(one.File("report"), out var report);
        var key = AzureRuntimeData.AttestationKey(report!.ReportData, one.File("runtime"));
        if (key is null || !key.AsSpan().SequenceEqual(one.File("akSpki")))
            return CaseResult.Fail(one.Id, "the runtime data are not bound, or name another key");
        TpmQuote.TryRead(one.File("tpmAttest"), out var quote);
        var policy = new TpmPolicy { Required = quote!.Selections[0], AllowUnendorsed = true, AllowBareKey = true, AnyPlatform = true, AnyMeasurement = true };
        var evidence = new TpmEvidence { Attest = one.File("tpmAttest"), Signature = one.File("tpmSignature"), BareSignature = true, Key = key, Pcrs = Registers(one.File("pcrs")) };
        var appraisal = new TpmVerifier(policy, one.Clock).Verify(evidence, default);
        var extra = one.Text("binding").Split("extraData=")[^1];
        return CaseResult.Of(one.Id, appraisal.Decision is PlatformDecision.Accepted && appraisal.Claims["extraData"] == extra, $"{appraisal.Failed?.Name}: {appraisal.Failed?.Detail}");
    }

    internal static CaseResult Log(EvidenceCase one)
    {
        if (!MeasuredLog.TryRead(one.File("log"), out var log))
            return CaseResult.Fail(one.Id, "the log cannot be read");
        foreach (var (bank, values) in Registers(one.File("pcrs")))
        {
            var replayed = log.Replay(bank);
            foreach (var (register, value) in values)
            {
                var found = replayed.TryGetValue(register, out var is_) ? is_ : new byte[value.Length];
                if (!found.AsSpan().SequenceEqual(value))
                    return CaseResult.Fail(one.Id, $"{bank} register {register} is {Convert.ToHexStringLower(found)}, not {Convert.ToHexStringLower(value)}");
            }
        }

        return CaseResult.Pass(one.Id);
    }

    internal static CaseResult RuntimeLog(EvidenceCase one)
    {
        Bulwark.Attestation.Dcap.Quote.TryRead(one.File("quote"), out var quote, out _, out _);
        if (!RuntimeMeasurements.TryReplay(one.File("log"), out var registers))
            return CaseResult.Fail(one.Id, "the log cannot be read");
        for (var index = 0; index < 4; index++)
        {
            if (!registers[index].AsSpan().SequenceEqual(quote!.Body.Slice(328 + 48 * index, 48)))
                return CaseResult.Fail(one.Id, $"RTMR{index} differs");
        }

        return CaseResult.Pass(one.Id);
    }

    private static PcrSelection Required(EvidenceCase one)
    {
        var text = one.Text("requiredPcrs");
        if (text.Length == 0)
            return TpmQuote.TryRead(one.File("attest"), out var quote) && quote.Selections.Count > 0 ? quote.Selections[0] : new(TpmHash.Sha256, []);
        var parts = text.Split(':');
        return new(Bank(parts[0]), [.. parts[1].Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture))]);
    }

    private static Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> Registers(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(bank => Bank(bank.Name), bank => (IReadOnlyDictionary<int, byte[]>)bank.Value.EnumerateObject()
            .ToDictionary(value => int.Parse(value.Name, CultureInfo.InvariantCulture), value => Convert.FromHexString(value.Value.GetString()!)));
    }

    private static TpmHash Bank(string name) => Enum.Parse<TpmHash>(name, ignoreCase: true);

    private static Digest KeyOf(string file)
    {
        using var root = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(file);
        return Digest.Of(root.PublicKey.ExportSubjectPublicKeyInfo());
    }
}
