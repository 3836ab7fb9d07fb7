using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Models;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Models.Signing;

public sealed class TokenSigningTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("oms256", 256)]
    [InlineData("oms384", 384)]
    public async Task A_model_is_signed_by_a_key_that_stays_in_its_token(string token, int bits)
    {
        SoftHsm.NewToken(token);
        Directory.CreateDirectory(_folder["model"]);
        await File.WriteAllTextAsync(_folder["model/a"], "a", TestContext.Current.CancellationToken);
        using var signer = Pkcs11Ecdsa.Create(KeyUri.Parse($"pkcs11:token={token};object=release"), bits == 256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384, SoftHsm.Options);
        await ModelSignature.SignAsync(_folder["model"], _folder["model.sig"], signer, cancel: TestContext.Current.CancellationToken);
        var trust = SignatureTrust.Key(EcdsaKey.FromPem(signer.PublicKey.ToPem()));
        var report = await ModelSignature.VerifyAsync(_folder["model"], _folder["model.sig"], trust, cancel: TestContext.Current.CancellationToken);
        Assert.True(report.IsTrusted, report.Detail);
        await File.WriteAllTextAsync(_folder["model/a"], "b", TestContext.Current.CancellationToken);
        Assert.Equal(ModelSignatureVerdict.ModelAltered, (await ModelSignature.VerifyAsync(_folder["model"], _folder["model.sig"], trust, cancel: TestContext.Current.CancellationToken)).Verdict);
    }
}
