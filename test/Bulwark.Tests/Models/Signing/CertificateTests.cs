using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models.Signing;

public sealed class CertificateTests : IDisposable
{
    private static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), Until = From.AddDays(30);
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384), _middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly EcdsaPemSigner _signer = EcdsaPemSigner.Generate();
    private readonly X509Certificate2 _root, _middle;

    public CertificateTests()
    {
        Directory.CreateDirectory(_folder["model"]);
        File.WriteAllText(_folder["model/a"], "a");
        _root = Authority("CN=root", _rootKey).CreateSelfSigned(From.AddYears(-1), Until.AddYears(1));
        using var issued = Authority("CN=middle", _middleKey).Create(_root, From.AddMonths(-6), Until.AddMonths(6), [1]);
        _middle = issued.CopyWithPrivateKey(_middleKey);
    }

    private string Signature => _folder["model.sig"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _root.Dispose();
        _middle.Dispose();
        _rootKey.Dispose();
        _middleKey.Dispose();
        _signer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_signature_by_certificate_is_trusted_under_its_root()
    {
        using var leaf = Leaf();
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, [leaf, _middle], cancel: Cancel);
        var report = await VerifyAsync(From.AddDays(1), _root);
        Assert.True(report.IsTrusted, report.Detail);
        Assert.Contains("CN=release", report.Signer);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(31)]
    public async Task Outside_its_validity_a_certificate_is_refused(int day)
    {
        using var leaf = Leaf();
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, [leaf, _middle], cancel: Cancel);
        await RefusedAsync(From.AddDays(day), _root, nameof(X509ChainStatusFlags.NotTimeValid));
    }

    [Fact]
    public async Task Another_root_a_missing_link_and_a_root_that_the_bundle_brings_are_refused()
    {
        using var leaf = Leaf();
        using var strangerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = Authority("CN=root", strangerKey).CreateSelfSigned(From.AddYears(-1), Until.AddYears(1));
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, [leaf, _middle, _root], cancel: Cancel);
        await RefusedAsync(From.AddDays(1), stranger, "not trusted");
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, [leaf], cancel: Cancel);
        await RefusedAsync(From.AddDays(1), _root, nameof(X509ChainStatusFlags.PartialChain));
    }

    [Theory]
    [InlineData(false, true, "not for digital signatures")]
    [InlineData(true, false, "")]
    public async Task A_certificate_for_another_purpose_is_refused(bool signs, bool code, string why)
    {
        using var leaf = Leaf(signs, code);
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, [leaf, _middle], cancel: Cancel);
        await RefusedAsync(From.AddDays(1), _root, why);
    }

    [Fact]
    public async Task A_certificate_of_another_key_is_not_put_into_a_signature()
    {
        using var leaf = Leaf();
        using var other = EcdsaPemSigner.Generate();
        await Assert.ThrowsAsync<CryptographicException>(() => ModelSignature.SignAsync(_folder["model"], Signature, other, [leaf, _middle], cancel: Cancel));
    }

    [Fact]
    public async Task Trust_in_a_key_does_not_extend_to_certificates_nor_the_other_way()
    {
        using var leaf = Leaf();
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, [leaf, _middle], cancel: Cancel);
        Assert.Equal(ModelSignatureVerdict.UntrustedSigner, (await ModelSignature.VerifyAsync(_folder["model"], Signature, SignatureTrust.Key(_signer.PublicKey), cancel: Cancel)).Verdict);
        await ModelSignature.SignAsync(_folder["model"], Signature, _signer, cancel: Cancel);
        Assert.Equal(ModelSignatureVerdict.UntrustedSigner, (await VerifyAsync(From.AddDays(1), _root)).Verdict);
    }

    private Task<ModelSignatureReport> VerifyAsync(DateTimeOffset now, X509Certificate2 root) =>
        ModelSignature.VerifyAsync(_folder["model"], Signature, SignatureTrust.Roots([root], new Clock(now)), cancel: Cancel);

    private async Task RefusedAsync(DateTimeOffset now, X509Certificate2 root, string why)
    {
        var report = await VerifyAsync(now, root);
        Assert.Equal(ModelSignatureVerdict.UntrustedSigner, report.Verdict);
        Assert.Contains(why, report.Detail);
    }

    private X509Certificate2 Leaf(bool signs = true, bool code = true)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(_signer.ToPem());
        var request = new CertificateRequest("CN=release", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(signs ? X509KeyUsageFlags.DigitalSignature : X509KeyUsageFlags.NonRepudiation, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(code ? "1.3.6.1.5.5.7.3.3" : "1.3.6.1.5.5.7.3.1")], false));
        return request.Create(_middle, From, Until, [2]);
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request;
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
