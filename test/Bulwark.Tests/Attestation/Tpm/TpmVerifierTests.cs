using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Tests.Attestation.Tpm;

public sealed class TpmVerifierTests : IDisposable
{
    private readonly TpmPlatform _tpm = new(), _attacker = new();

    public void Dispose()
    {
        _tpm.Dispose();
        _attacker.Dispose();
    }

    [Fact]
    public void A_genuine_quote_of_a_known_TPM_is_accepted_and_every_leg_says_so()
    {
        var appraisal = TpmPlatform.Verify(_tpm.Evidence() with { EventLog = TpmPlatform.EventLog("eleven"u8) }, _tpm.Policy);

        Assert.True(appraisal.Decision is PlatformDecision.Accepted, $"{appraisal.Failed}");
        Assert.All(appraisal.Legs, leg => Assert.Equal(LegOutcome.Passed, leg.Outcome));
        Assert.Equal(appraisal.Legs.Count, appraisal.Legs.Select(leg => leg.Name).Distinct().Count());
    }

    public static TheoryData<string, string> Legs => new()
    {
        { "ak-format", "Format" }, { "quote-format", "Format" }, { "signature-format", "Format" }, { "quote-signature", "Signature" }, { "quote-type", "Type" }, { "ak-restricted", "AkNotRestricted" }, { "ak-fixed", "AkNotFixed" },
        { "ek-format", "CertFormat" }, { "ek-root", "UntrustedRoot" }, { "ek-chain", "CertChain" }, { "ek-dates", "CertExpired" }, { "ek-usage", "EkUsage" }, { "ek-binding", "EkBinding" }, { "nonce", "Nonce" },
        { "pcr-bank", "PcrBank" }, { "pcr-selection", "PcrSelection" }, { "pcr-digest", "PcrDigest" }, { "pcr-values", "PcrValues" }, { "measurement", "Measurement" }, { "event-log", "EventLog" }, { "platform", "Platform" },
    };

    [Theory, MemberData(nameof(Legs))]
    public void Each_leg_fails_under_its_own_name(string name, string code)
    {
        var (evidence, policy) = Bent(name);
        var appraisal = TpmPlatform.Verify(evidence, policy);

        Assert.NotEqual(PlatformDecision.Accepted, appraisal.Decision);
        var leg = appraisal.Legs.Single(leg => leg.Name == name);
        Assert.Equal((LegOutcome.Failed, code), (leg.Outcome, leg.Code));
    }

    [Fact]
    public void Every_leg_of_an_appraisal_has_its_negative_test() =>
        Assert.Equal(TpmPlatform.Verify(_tpm.Evidence(), _tpm.Policy).Legs.Select(leg => leg.Name).Order(), Legs.Select(row => row.Data.Item1).Order());

    [Fact]
    public void No_flipped_bit_of_the_signed_structure_or_the_signature_is_accepted()
    {
        var genuine = _tpm.Evidence();
        for (var bit = 0; bit < 8 * genuine.Attest.Length; bit++)
        {
            var attest = genuine.Attest.ToArray();
            attest[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(PlatformDecision.Accepted, TpmPlatform.Verify(genuine with { Attest = attest }, _tpm.Policy).Decision);
        }

        for (var at = 0; at < genuine.Signature.Length; at++)
        {
            var signature = genuine.Signature.ToArray();
            signature[at] ^= 1;
            Assert.NotEqual(PlatformDecision.Accepted, TpmPlatform.Verify(genuine with { Signature = signature }, _tpm.Policy).Decision);
        }
    }

    [Fact]
    public void A_key_that_was_enrolled_needs_no_credential()
    {
        TpmPublic.TryRead(_tpm.AttestationPublic, out var key);
        var policy = _tpm.Policy with { EndorsementKeys = [], AttestationKeys = [Convert.ToHexStringLower(key!.Name.Span)] };
        Assert.Equal(PlatformDecision.Accepted, TpmPlatform.Verify(_tpm.Evidence() with { ProvedEndorsementKey = default }, policy).Decision);
    }

    [Fact]
    public void Registers_read_back_as_they_were_written_and_rubbish_is_none()
    {
        var bytes = PcrValues.Encode(_tpm.Pcrs);
        Assert.True(PcrValues.TryDecode(bytes, out var read));
        Assert.Equal(bytes, PcrValues.Encode(read));
        Assert.False(PcrValues.TryDecode(bytes.AsSpan(0, bytes.Length - 1), out _));
        Assert.False(PcrValues.TryDecode((byte[])[.. bytes, .. bytes], out _));
        Assert.False(PcrValues.TryDecode([0, 0x99, 0], out _));
    }

    private (TpmEvidence Evidence, TpmPolicy Policy) Bent(string leg)
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (evidence, policy) = (_tpm.Evidence(), _tpm.Policy);
        var forged = _tpm.Pcrs[TpmHash.Sha256].ToDictionary(register => register.Key, register => register.Key == 0 ? new byte[32] : register.Value);
        return leg switch
        {
            "ak-format" => (evidence with { KeyPublic = new byte[40] }, policy),
            "quote-format" => (_tpm.Signed([.. evidence.Attest.ToArray(), 0]), policy),
            "signature-format" => (evidence with { Signature = evidence.Signature[..10] }, policy),
            "quote-signature" => (_tpm.Evidence(signer: stranger), policy),
            "quote-type" => (_tpm.Evidence(type: 0x8017), policy),
            "ak-restricted" => (evidence with { KeyPublic = _tpm.Public(0x00040072) }, policy),
            "ak-fixed" => (evidence with { KeyPublic = _tpm.Public(0x00050070) }, policy),
            "ek-format" => (evidence with { EndorsementChain = [_tpm.Endorsement.RawData] }, policy),
            "ek-root" => (evidence, policy with { EndorsementRoots = [_attacker.Root.KeyDigest()] }),
            "ek-chain" => (evidence with { EndorsementChain = [_attacker.Endorsement.RawData, _tpm.Root.RawData] }, policy),
            "ek-dates" => (evidence with { EndorsementChain = [_tpm.Certificate(end: AttestationPki.Now.AddDays(-1)).RawData, _tpm.Root.RawData] }, policy),
            "ek-usage" => (evidence with { EndorsementChain = [_tpm.Certificate("1.3.6.1.5.5.7.3.1").RawData, _tpm.Root.RawData] }, policy),
            "ek-binding" => (evidence with { ProvedEndorsementKey = _attacker.EndorsementPublic }, policy),
            "nonce" => (_tpm.Evidence(nonce: new byte[32]), policy),
            "pcr-bank" => (evidence, policy with { Required = new(TpmHash.Sha1, [0]) }),
            "pcr-selection" => (_tpm.Evidence(indices: [0, 7]), policy),
            "pcr-digest" => (evidence with { Pcrs = new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> { [TpmHash.Sha256] = forged } }, policy),
            "pcr-values" => (evidence, policy with { Values = new Dictionary<int, IReadOnlyList<string>> { [7] = ["00"] } }),
            "measurement" => (evidence, policy with { Measurements = ["00"] }),
            "event-log" => (evidence with { EventLog = TpmPlatform.EventLog("twelve"u8) }, policy),
            "platform" => (evidence, policy with { EndorsementKeys = [_attacker.Endorsement.KeyDigest()] }),
            _ => throw new ArgumentOutOfRangeException(nameof(leg), leg, null),
        };
    }
}
