using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Attestation;

/// <summary>The raw-command client against a real TPM 2.0 in software, and its quotes against the verifier.</summary>
public sealed class TpmClientTests : IDisposable
{
    private static readonly PcrSelection s_selection = new(TpmHash.Sha256, [0, 7, 16, 23]);

    private readonly SoftwareTpm _server;
    private readonly TpmClient _tpm;
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(32);

    public TpmClientTests()
    {
        _server = SoftwareTpm.Start();
        _tpm = _server.Open();
    }

    public void Dispose()
    {
        _tpm.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_quote_of_the_right_key_nonce_and_registers_is_accepted(bool rsa)
    {
        _tpm.ExtendPcr(16, SHA256.HashData("loaded"u8));
        using var key = _tpm.CreateAttestationKey(rsa);
        var appraisal = Verify(Evidence(key, _nonce), _nonce, key);
        Assert.True(appraisal.Decision is PlatformDecision.Accepted, appraisal.Failed?.ToString());
    }

    [Fact]
    public void Another_nonce_register_or_key_is_refused_by_name()
    {
        using var key = _tpm.CreateAttestationKey();
        var sound = Evidence(key, _nonce);
        Assert.Equal("nonce", Verify(sound, RandomNumberGenerator.GetBytes(32), key).Failed?.Name);

        var before = sound.Pcrs;
        _tpm.ExtendPcr(16, new byte[32]);
        var extended = Evidence(key, _nonce) with { Pcrs = before };
        Assert.Equal("pcr-digest", Verify(extended, _nonce, key).Failed?.Name);
        var expected = new Dictionary<int, IReadOnlyList<string>> { [16] = [Convert.ToHexStringLower(new byte[32])] };
        Assert.Equal("pcr-values", Verify(Evidence(key, _nonce), _nonce, key, expected).Failed?.Name);

        using var other = _tpm.CreateSaltedAttestationKey("another"u8);
        Assert.NotEqual(key.Public.ToArray(), other.Public.ToArray());
        Assert.Equal("quote-signature", Verify(Evidence(other, _nonce) with { KeyPublic = key.Public }, _nonce, key).Failed?.Name);
        Assert.Equal("platform", Verify(Evidence(other, _nonce), _nonce, key).Failed?.Name);
    }

    [Fact]
    public void An_attestation_key_is_the_same_at_every_start_and_another_in_another_tpm()
    {
        using var first = _tpm.CreateAttestationKey();
        using var again = _tpm.CreateAttestationKey();
        Assert.Equal(first.Public.ToArray(), again.Public.ToArray());
        using var server = SoftwareTpm.Start();
        using var tpm = server.Open();
        using var elsewhere = tpm.CreateAttestationKey();
        Assert.NotEqual(first.Public.ToArray(), elsewhere.Public.ToArray());
    }

    [Fact]
    public void What_is_sealed_to_registers_opens_until_one_of_them_changes()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var @sealed = _tpm.Seal(secret, new(TpmHash.Sha256, [16, 23]));
        for (var i = 0; i < 5; i++)   // more often than a TPM has room for objects: each is flushed
            Assert.Equal(secret, _tpm.Unseal(@sealed));
        _tpm.ExtendPcr(23, new byte[32]);
        for (var i = 0; i < 5; i++)
            Assert.True(Assert.Throws<TpmException>(() => _tpm.Unseal(@sealed)).IsPolicyFailure);
    }

    [Fact]
    public void What_another_tpm_sealed_does_not_open()
    {
        using var server = SoftwareTpm.Start();
        using var other = server.Open();
        var @sealed = other.Seal("secret"u8, new(TpmHash.Sha256, [16]));
        Assert.Throws<TpmException>(() => _tpm.Unseal(@sealed));
    }

    [Fact]
    public void A_register_is_the_digest_of_what_it_was_and_what_came()
    {
        var selection = new PcrSelection(TpmHash.Sha256, [.. Enumerable.Range(0, 24)]);
        var before = _tpm.ReadPcrs(selection)[16];
        var digest = SHA256.HashData("event"u8);
        _tpm.ExtendPcr(16, digest);
        Assert.Equal(24, _tpm.ReadPcrs(selection).Count);
        Assert.Equal(SHA256.HashData([.. before, .. digest]), _tpm.ReadPcrs(selection)[16]);
    }

    [Fact]
    public void A_tpm_that_is_not_there_says_what_to_give() =>
        Assert.Contains("/dev/tpmrm0", Assert.ThrowsAny<IOException>(() => TpmClient.Open("unix:/nonexistent/tpm")).Message, StringComparison.Ordinal);

    private TpmEvidence Evidence(TpmKey key, byte[] nonce)
    {
        var (attest, signature) = _tpm.Quote(key, nonce, s_selection);
        return new()
        {
            Attest = attest,
            Signature = signature,
            KeyPublic = key.Public,
            Pcrs = new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> { [TpmHash.Sha256] = _tpm.ReadPcrs(s_selection) },
        };
    }

    private static PlatformAppraisal Verify(TpmEvidence evidence, byte[] nonce, TpmKey allowed, Dictionary<int, IReadOnlyList<string>>? values = null)
    {
        Assert.True(TpmPublic.TryRead(allowed.Public.Span, out var area));
        var composite = Convert.ToHexStringLower(SHA256.HashData([.. evidence.Pcrs[TpmHash.Sha256].OrderBy(register => register.Key).SelectMany(register => register.Value)]));
        var policy = new TpmPolicy { Required = s_selection, AllowUnendorsed = true, AttestationKeys = [Convert.ToHexStringLower(area.Name.Span)], Values = values ?? [], Measurements = [composite] };
        return new TpmVerifier(policy, TimeProvider.System).Verify(evidence, nonce);
    }
}
