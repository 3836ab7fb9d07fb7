using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Keys;

public class Pkcs11Tests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_wraps_by_a_key_that_never_leaves_it_and_rotates()
    {
        SoftHsm.NewToken("rotate");
        var kek = KeyUri.Parse("pkcs11:token=rotate;object=kek");
        using var store = Pkcs11Provider.Open(kek, SoftHsm.Options);
        var made = await store.CreateAsync(kek, Cancel);
        Assert.Equal(("AES-256 (in token)", false, "pkcs11:token=rotate;object=kek;id=%01"), (made.Algorithm, made.Extractable, made.Current?.Id.ToString()));
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(kek, key, "file 1"u8.ToArray(), Cancel);
        Assert.Equal(made.Current?.Id, wrapped.Kek);
        Assert.Equal(1 + 12 + 32 + 16, wrapped.Bytes.Length);
        Assert.NotEqual(wrapped.Bytes, (await store.WrapAsync(kek, key, "file 1"u8.ToArray(), Cancel)).Bytes);
        await store.RotateAsync(kek, Cancel);
        var rewrapped = await store.RewrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        Assert.EndsWith("id=%02", rewrapped.Kek.ToString());
        using var old = await store.UnwrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        using var renewed = await store.UnwrapAsync(rewrapped, "file 1"u8.ToArray(), Cancel);
        Assert.Equal(key.Span, old.Span);
        Assert.Equal(key.Span, renewed.Span);
    }

    [Fact]
    public async Task Changed_bytes_another_context_and_another_version_are_refused_alike()
    {
        SoftHsm.NewToken("refuse");
        var kek = KeyUri.Parse("pkcs11:token=refuse;object=kek");
        using var store = Pkcs11Provider.Open(kek, SoftHsm.Options);
        await store.CreateAsync(kek, Cancel);
        await store.RotateAsync(kek, Cancel);
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(kek, key, "file 1"u8.ToArray(), Cancel);
        WrappedKey[] wrong =
        [
            .. Enumerable.Range(0, wrapped.Bytes.Length).Select(at => wrapped with { Bytes = [.. wrapped.Bytes.Select((value, i) => i == at ? (byte)(value ^ 1) : value)] }),
            wrapped with { Bytes = wrapped.Bytes[..^1] }, wrapped with { Bytes = [] }, wrapped with { Bytes = [1] }, wrapped with { Kek = kek.WithVersion("%01") },
            wrapped with { Kek = kek.WithVersion("%09") }, wrapped with { Kek = KeyUri.Parse("pkcs11:token=refuse;object=none;id=%02") }, wrapped with { Kek = new KeyId("kek", 2) },
        ];
        foreach (var bad in wrong)
            Assert.Contains("cannot be opened", (await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(bad, "file 1"u8.ToArray(), Cancel))).Message);
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped, "file 2"u8.ToArray(), Cancel));
        using var opened = await store.UnwrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        Assert.Equal(key.Span, opened.Span);
    }

    [Fact]
    public async Task A_retired_version_opens_only_and_a_destroyed_one_not_at_all()
    {
        SoftHsm.NewToken("retire");
        var kek = KeyUri.Parse("pkcs11:token=retire;object=kek");
        using var store = Pkcs11Provider.Open(kek, SoftHsm.Options);
        var version = (await store.CreateAsync(kek, Cancel)).Versions[0].Id;
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(kek, key, default, Cancel);
        Assert.Equal(KeyState.DecryptOnly, (await store.RetireAsync(version, Cancel)).Versions[0].State);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.WrapAsync(kek, key, default, Cancel));
        using (await store.UnwrapAsync(wrapped, default, Cancel))
        {
        }

        Assert.Empty((await store.DestroyAsync(version, Cancel)).Versions);
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped, default, Cancel));
    }

    [Fact]
    public async Task Without_gcm_a_token_wraps_by_key_wrap_with_padding_bound_to_its_context()
    {
        SoftHsm.NewToken("padded");
        var kek = KeyUri.Parse("pkcs11:token=padded;object=kek");
        using var store = Pkcs11Provider.Open(kek, SoftHsm.Options);
        await store.CreateAsync(kek, Cancel);
        store.WithoutGcm = true;
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(kek, key, "file 1"u8.ToArray(), Cancel);
        Assert.Equal(2, wrapped.Bytes[0]);
        using var opened = await store.UnwrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        Assert.Equal(key.Span, opened.Span);
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped, "file 2"u8.ToArray(), Cancel));
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped with { Bytes = [.. wrapped.Bytes[..^1], (byte)(wrapped.Bytes[^1] ^ 1)] }, "file 1"u8.ToArray(), Cancel));
    }

    [Fact]
    public async Task Many_threads_share_a_token()
    {
        SoftHsm.NewToken("threads");
        var kek = KeyUri.Parse("pkcs11:token=threads;object=kek");
        using var store = Pkcs11Provider.Open(kek, SoftHsm.Options);
        await store.CreateAsync(kek, Cancel);
        await Parallel.ForAsync(0, 64, Cancel, async (i, cancel) =>
        {
            using var key = SecretBytes.Random(32);
            var wrapped = await store.WrapAsync(kek, key, BitConverter.GetBytes(i), cancel);
            using var opened = await store.UnwrapAsync(wrapped, BitConverter.GetBytes(i), cancel);
            Assert.True(key.Span.SequenceEqual(opened.Span));
        });
    }

    [Fact]
    public void What_is_missing_is_said_with_what_to_do()
    {
        SoftHsm.NewToken("pin");
        var kek = KeyUri.Parse("pkcs11:token=pin;object=kek");
        string Fault(KeyUri uri, Func<string, string?> variable) => Assert.Throws<KeyProviderException>(() => Pkcs11Provider.Open(uri, new() { Variable = variable })) is var fault ? $"{fault.Message} {fault.Advice}" : "";
        string? Module(string name, string? pin) => name == "BULWARK_PKCS11_MODULE" ? SoftHsm.Module : pin;
        Assert.Contains("BULWARK_PKCS11_MODULE", Fault(kek, _ => null));
        Assert.Contains("BULWARK_PKCS11_PIN", Fault(kek, name => Module(name, null)));
        Assert.Contains("refuses the PIN", Fault(kek, name => Module(name, "wrong-9753")));
        Assert.DoesNotContain("9753", Fault(kek, name => Module(name, "wrong-9753")));
        Assert.Contains("No token answers", Fault(KeyUri.Parse("pkcs11:token=absent;object=kek"), name => Module(name, SoftHsm.Pin)));
        Assert.Contains("is missing", Fault(KeyUri.Parse("pkcs11:token=pin;object=kek?pin-source=file:/nowhere/pin"), name => Module(name, null)));
        Assert.Contains("cannot be loaded", Fault(KeyUri.Parse($"pkcs11:token=pin;object=kek?module-path={typeof(Pkcs11Tests).Assembly.Location}"), name => Module(name, SoftHsm.Pin)));
        Assert.Contains("runs a program", Fault(KeyUri.Parse("pkcs11:token=pin;object=kek?pin-source=%7Ccat"), name => Module(name, null)));
    }

    [Fact]
    public void A_pin_file_must_be_its_owners()
    {
        if (OperatingSystem.IsWindows())
            return;   // has no such permissions
        SoftHsm.NewToken("pin-file");
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["pin"], SoftHsm.Pin + "\n");
        var kek = KeyUri.Parse($"pkcs11:token=pin-file;object=kek?pin-source=file:{folder["pin"]}&module-path={SoftHsm.Module}");
        File.SetUnixFileMode(folder["pin"], UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("open to others", Assert.Throws<KeyProviderException>(() => Pkcs11Provider.Open(kek, new() { Variable = _ => null })).Message);
        File.SetUnixFileMode(folder["pin"], UnixFileMode.UserRead);
        using var store = Pkcs11Provider.Open(kek, new() { Variable = _ => null });
        Assert.True(store.Holds(kek));
        Assert.False(store.Holds(KeyUri.Parse("pkcs11:token=other;object=kek")));
    }

    [Theory]
    [InlineData("1.2.840.10045.3.1.7", 256)]
    [InlineData("1.3.132.0.34", 384)]
    public async Task A_tokens_signing_key_is_an_ordinary_ecdsa_key_without_a_private_half(string curve, int size)
    {
        SoftHsm.NewToken($"sign{size}");
        var address = KeyUri.Parse($"pkcs11:token=sign{size};object=signing");
        using (var made = Pkcs11Ecdsa.Create(address, ECCurve.CreateFromValue(curve), SoftHsm.Options))
            Assert.Equal(size, made.KeySize);
        using var signer = Pkcs11Ecdsa.Open(address, SoftHsm.Options);
        var hash = size == 256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384;
        var signature = signer.SignData("model"u8.ToArray(), hash, DSASignatureFormat.Rfc3279DerSequence);
        using var verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(signer.ExportSubjectPublicKeyInfo(), out _);
        Assert.True(verifier.VerifyData("model"u8, signature, hash, DSASignatureFormat.Rfc3279DerSequence));
        Assert.False(verifier.VerifyData("other"u8, signature, hash, DSASignatureFormat.Rfc3279DerSequence));
        var der = await EcdsaSignature.SignAsync(signer, "model"u8.ToArray(), Cancel);
        Assert.True(signer.PublicKey.Verify("model"u8, der));
        Assert.Contains("cannot leave", Assert.Throws<CryptographicException>(() => signer.ExportParameters(true)).Message);
        Assert.Throws<KeyProviderException>(() => Pkcs11Ecdsa.Create(address, ECCurve.CreateFromValue(curve), SoftHsm.Options));
        Assert.Contains("no such", Assert.Throws<KeyProviderException>(() => Pkcs11Ecdsa.Open(KeyUri.Parse($"pkcs11:token=sign{size};object=none"), SoftHsm.Options)).Message);
    }
}
