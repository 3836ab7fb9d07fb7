using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Attestation;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;
using Bulwark.Tests.Attestation.Dcap;
using Bulwark.Tests.Attestation.Snp;
using Bulwark.Tests.Attestation.Tpm;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation;

/// <summary>A worker on hardware of each kind that does not exist, and a policy that lets it in.</summary>
public sealed class HardwareWorld : IDisposable
{
    private readonly RSA _azureKey = RSA.Create(2048);

    internal SnpPlatform Snp { get; } = new();
    internal DcapPlatform Intel { get; } = new();
    internal TpmPlatform Tpm { get; } = new();
    internal HpkeKeyPair Hpke { get; } = HpkeKeyPair.Generate();
    internal Signer Receipts { get; } = Signer.Generate();
    internal FakeTimeProvider Time { get; } = new(AttestationPki.Now);
    internal byte[] Nonce { get; } = RandomNumberGenerator.GetBytes(32);
    internal Digest Model { get; } = Digest.Of("model"u8);
    internal static IReadOnlyList<string> Kinds { get; } = [EvidenceKinds.SevSnp, EvidenceKinds.Tdx, EvidenceKinds.Sgx, EvidenceKinds.Tpm, EvidenceKinds.AzureVtpm];

    internal EvidencePolicy Policy => new()
    {
        Environment = EvidenceEnvironment.Development,
        Kinds = Kinds,
        Snp = Snp.Policy,
        Tdx = Intel.Policy() with { MaximumCollateralAge = null },
        Sgx = Intel.Policy(tdx: false) with { TdAttributes = null, Xfam = null },
        Tpm = Tpm.Policy,
        Measurements = [.. new[] { $"sha384:{Repeated(48)}", $"sha256:{Repeated(32)}", $"sha256:{Tpm.Composite}" }.Select(value => new ReferenceValue(value))],
        Models = [Model],
        MaximumAgeSeconds = 300,
        MaximumCollateralAgeDays = 30,
    };

    /// <summary>Genuine evidence, its statement bent by <paramref name="bend"/> before the hardware signs it.</summary>
    internal Evidence Evidence(string kind, Action<byte[]>? bend = null)
    {
        var shell = new Evidence
        {
            Kind = kind,
            Payload = [],
            Nonce = Nonce,
            Keys = new() { Hpke = Hpke.PublicKey.ToArray(), Receipt = Receipts.PublicKey, TlsSpki = [1, 2, 3] },
            Model = Model,
            BootId = new byte[16],
        };
        return kind switch
        {
            EvidenceKinds.SevSnp => shell with { Payload = Snp.Report(report => { shell.ReportData().CopyTo(report.AsSpan(0x50)); bend?.Invoke(report); }), Parts = Certificates() },
            EvidenceKinds.Tdx => shell with { Payload = Intel.Quote(body => { shell.ReportData().CopyTo(body.AsSpan(520)); bend?.Invoke(body); }), Parts = Part(EvidenceParts.Collateral, Intel.Collateral()) },
            EvidenceKinds.Sgx => shell with { Payload = Intel.Quote(body => { shell.ReportData().CopyTo(body.AsSpan(320)); bend?.Invoke(body); }, tdx: false), Parts = Part(EvidenceParts.Collateral, Intel.Collateral(tdx: false)) },
            EvidenceKinds.Tpm => OfTpm(shell, Tpm.Evidence(bend, nonce: shell.QuoteData())),
            EvidenceKinds.AzureVtpm => OfAzure(shell, bend),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
    }

    internal EvidenceAppraisal Verify(Evidence evidence, EvidencePolicy? policy = null, byte[]? nonce = null, CollateralFolder? collateral = null) => new EvidenceVerifier(policy ?? Policy, Time, collateral)
        .Verify(evidence, nonce ?? Nonce, new(Tpm.AttestationPublic, Tpm.EndorsementPublic));

    public void Dispose()
    {
        Snp.Dispose();
        Intel.Dispose();
        Tpm.Dispose();
        Hpke.Dispose();
        Receipts.Dispose();
        _azureKey.Dispose();
    }

    private Dictionary<string, byte[]> Certificates() => new()
    {
        [EvidenceParts.Leaf] = Snp.Vcek.RawData,
        [EvidenceParts.Signing] = Snp.Ask.RawData,
        [EvidenceParts.Root] = Snp.Ark.RawData,
        [EvidenceParts.RevocationList] = Snp.RevocationList(),
    };

    private Evidence OfTpm(Evidence shell, TpmEvidence quote) => shell with
    {
        Payload = quote.Attest.ToArray(),
        Parts = new Dictionary<string, byte[]>
        {
            [EvidenceParts.Signature] = quote.Signature.ToArray(),
            [EvidenceParts.AttestationKey] = Tpm.AttestationPublic,
            [EvidenceParts.Pcrs] = PcrValues.Encode(Tpm.Pcrs),
            [EvidenceParts.EndorsementChain] = Encoding.ASCII.GetBytes($"{Tpm.Endorsement.ExportCertificatePem()}\n{Tpm.Root.ExportCertificatePem()}\n"),
        },
    };

    private Evidence OfAzure(Evidence shell, Action<byte[]>? bend)
    {
        var key = _azureKey.ExportParameters(false);
        var runtime = Encoding.UTF8.GetBytes($$"""{"keys":[{"kid":"HCLAkPub","kty":"RSA","e":"{{Base64Url.EncodeToString(key.Exponent)}}","n":"{{Base64Url.EncodeToString(key.Modulus)}}"}]}""");
        var report = Snp.Report(bytes => { bytes.AsSpan(0x50, 64).Clear(); SHA256.HashData(runtime, bytes.AsSpan(0x50)); bend?.Invoke(bytes); });
        byte[] hcl = [.. "HCLA"u8, .. new byte[28], .. report, .. new byte[8], 2, 0, 0, 0, 1, 0, 0, 0, .. BitConverter.GetBytes(runtime.Length), .. runtime];
        var attest = Tpm.Evidence(nonce: shell.QuoteData()).Attest.ToArray();
        return shell with
        {
            Payload = attest,
            Parts = new Dictionary<string, byte[]>(Certificates())
            {
                [EvidenceParts.HclReport] = hcl,
                [EvidenceParts.Pcrs] = PcrValues.Encode(Tpm.Pcrs),
                [EvidenceParts.Signature] = _azureKey.SignData(attest, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            },
        };
    }

    private static Dictionary<string, byte[]> Part(string name, byte[] value) => new() { [name] = value };

    private static string Repeated(int count) => Convert.ToHexStringLower(Enumerable.Repeat((byte)0x4D, count).ToArray());
}
