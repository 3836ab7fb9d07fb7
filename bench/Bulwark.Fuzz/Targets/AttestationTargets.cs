using Bulwark.Attestation;
using Bulwark.Attestation.Certificates;
using Bulwark.Attestation.Dcap;
using Bulwark.Attestation.Snp;
using Bulwark.Attestation.Tpm;
using Bulwark.Tests.Attestation;
using Bulwark.Tests.Attestation.Tpm;

namespace Bulwark.Fuzz.Targets;

/// <summary>One world for all targets: its keys cost time.</summary>
internal static class AttestationSeeds
{
    private static readonly Lazy<HardwareWorld> s_world = new(() => new());

    internal static HardwareWorld World => s_world.Value;
}

/// <summary>Evidence of every kind: whatever is read and is not what was made is never trusted.</summary>
internal sealed class EvidenceTarget : IFuzzTarget
{
    private List<byte[]>? _genuine;

    public string Name => "attestation-evidence";

    public IEnumerable<byte[]> Seeds() => _genuine ??= [.. HardwareWorld.Kinds.Select(kind => AttestationSeeds.World.Evidence(kind).ToJson())];

    public void Run(ReadOnlySpan<byte> input)
    {
        var evidence = Evidence.FromJson(input);
        var appraisal = AttestationSeeds.World.Verify(evidence);
        if (appraisal.Verdict is EvidenceVerdict.Trusted && !Seeds().Any(one => Signed(Evidence.FromJson(one), evidence)))
            throw new InvalidOperationException($"Evidence of kind {evidence.Kind} that nobody made was trusted.");
    }

    public bool IsRefusal(Exception failure) => failure is InvalidDataException;

    /// <summary>The bytes that are signed or bound; what surrounds them may be spelled otherwise.</summary>
    private static bool Signed(Evidence genuine, Evidence other) =>
        genuine.Kind == other.Kind && genuine.Nonce.AsSpan().SequenceEqual(other.Nonce) && genuine.Model == other.Model && genuine.ReportData().AsSpan().SequenceEqual(other.ReportData())
        && genuine.Payload.AsSpan(0, 100).SequenceEqual(other.Payload.AsSpan(0, Math.Min(100, other.Payload.Length)));
}

/// <summary>SNP reports and the host's certificate table.</summary>
internal sealed class SnpTarget : IFuzzTarget
{
    public string Name => "attestation-snp";

    public IEnumerable<byte[]> Seeds()
    {
        yield return AttestationSeeds.World.Snp.Report();
        yield return [.. new Guid("63da758d-e664-4564-adc5-f4b93be8accd").ToByteArray(bigEndian: true), 48, 0, 0, 0, 2, 0, 0, 0, .. new byte[24], 0xAB, 0xCD];
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        _ = SnpEvidence.FromCertificateTable(bytes, bytes);
        if (SnpReport.TryRead(bytes, out var report))
            _ = report!.ReservedAreZero() && report.IsSignedBy(AttestationSeeds.World.Snp.Vcek.PublicKey.ExportSubjectPublicKeyInfo());
    }

    public bool IsRefusal(Exception failure) => false;
}

/// <summary>Quotes and Intel's collateral, through the whole verifier.</summary>
internal sealed class QuoteTarget : IFuzzTarget
{
    private readonly byte[] _collateral = AttestationSeeds.World.Intel.Collateral(), _quote = AttestationSeeds.World.Intel.Quote();

    public string Name => "attestation-dcap";

    public IEnumerable<byte[]> Seeds() => [_quote, AttestationSeeds.World.Intel.Quote(tdx: false), AttestationSeeds.World.Intel.Quote(td15: true), _collateral];

    public void Run(ReadOnlySpan<byte> input)
    {
        var verifier = new DcapVerifier(AttestationSeeds.World.Intel.Policy(), AttestationSeeds.World.Time);
        _ = verifier.Verify(input, _collateral);
        _ = verifier.Verify(_quote, input);
        _ = RuntimeMeasurements.TryReplay(input, out _);
    }

    public bool IsRefusal(Exception failure) => false;
}

/// <summary>A TPM's structures, registers and event logs.</summary>
internal sealed class TpmTarget : IFuzzTarget
{
    public string Name => "attestation-tpm";

    public IEnumerable<byte[]> Seeds()
    {
        var tpm = AttestationSeeds.World.Tpm;
        return [tpm.Evidence().Attest.ToArray(), tpm.Evidence().Signature.ToArray(), tpm.AttestationPublic, tpm.EndorsementPublic, PcrValues.Encode(tpm.Pcrs), TpmPlatform.EventLog("eleven"u8),
            AttestationSeeds.World.Evidence(EvidenceKinds.AzureVtpm).Parts[EvidenceParts.HclReport]];
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var tpm = AttestationSeeds.World.Tpm;
        _ = TpmQuote.TryRead(input, out _);
        if (TpmPublic.TryRead(input, out _))
            _ = TpmCredential.TryMake(input, tpm.AttestationPublic);
        if (TpmSignature.TryRead(input, out var signature))
            _ = signature.Verifies(tpm.Endorsement.PublicKey.ExportSubjectPublicKeyInfo(), input);
        if (PcrValues.TryDecode(input, out var values) && !PcrValues.Encode(values).AsSpan().SequenceEqual(input))
            throw new InvalidOperationException("Registers have two spellings.");
        if (MeasuredLog.TryRead(input, out var log))
            _ = log.Replay(TpmHash.Sha256);
        if (AzureHclReport.TryRead(input.ToArray(), out var hcl))
            _ = AzureRuntimeData.AttestationKey(hcl!.Report.Span.Slice(0x50, 64), hcl.RuntimeData.Span);
    }

    public bool IsRefusal(Exception failure) => false;
}

/// <summary>Certificates, revocation lists and RA-TLS certificates.</summary>
internal sealed class AttestationCertificateTarget : IFuzzTarget
{
    public string Name => "attestation-certificates";

    public IEnumerable<byte[]> Seeds() => [AttestationSeeds.World.Snp.Vcek.RawData, AttestationSeeds.World.Intel.Pck.RawData, AttestationSeeds.World.Snp.RevocationList(), AttestationSeeds.World.Tpm.Endorsement.RawData];

    public void Run(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        _ = RaTlsCertificate.Read(bytes);
        _ = RevocationList.TryRead(bytes, out _);
        if (!DerCertificate.TryRead(bytes, out var certificate))
            return;
        _ = SnpCertificate.Read(certificate!, out _);
        _ = PckFacts.Read(certificate!);
        new ChainCheck("one", [certificate!, certificate!], []).AddTo(new(), AttestationSeeds.World.Time.GetUtcNow());
    }

    public bool IsRefusal(Exception failure) => false;
}

/// <summary>Evidence policies: what is read can be written, and reads back the same.</summary>
internal sealed class EvidencePolicyTarget : IFuzzTarget
{
    public string Name => "attestation-policy";

    public IEnumerable<byte[]> Seeds() => [AttestationSeeds.World.Policy.ToJson()];

    public void Run(ReadOnlySpan<byte> input)
    {
        var policy = EvidencePolicy.FromJson(input);
        if (EvidencePolicy.FromJson(policy.ToJson()).Digest() != policy.Digest())
            throw new InvalidOperationException("A policy reads back as another one.");
    }

    public bool IsRefusal(Exception failure) => failure is InvalidDataException;
}
