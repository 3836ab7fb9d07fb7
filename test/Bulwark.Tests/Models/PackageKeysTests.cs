using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

public sealed class PackageKeysTests : SealedPackage
{
    [Fact]
    public async Task A_newer_key_goes_beside_the_package_which_stays_as_it_was_signed()
    {
        var cancel = TestContext.Current.CancellationToken;
        Assert.Equal(RewrapOutcome.Newest, (await PackageKeys.RewrapAsync(Output, Keys, cancel)).Outcome);
        Assert.False(File.Exists($"{Output}.keys"));
        var old = Keys.List().Single(key => key.Id.Name == "models").Id;
        await Keys.RotateAsync(KeyUri.Of(old).Key, cancel);
        Assert.Equal(RewrapOutcome.Rewrapped, (await PackageKeys.RewrapAsync(Output, Keys, cancel)).Outcome);
        Assert.Equal(RewrapOutcome.Newest, (await PackageKeys.RewrapAsync(Output, Keys, cancel)).Outcome);
        Assert.Equal(Package, await File.ReadAllBytesAsync(Output, cancel));
        var forged = JsonNode.Parse(await File.ReadAllTextAsync($"{Output}.keys", cancel))!;   // the newest key's name over bytes that are none
        forged["keys"]![0]!["bytes"] = Convert.ToBase64String(new byte[60]);
        await File.WriteAllTextAsync($"{Output}.keys", forged.ToJsonString(), cancel);
        Assert.Equal(RewrapOutcome.Rewrapped, (await PackageKeys.RewrapAsync(Output, Keys, cancel)).Outcome);
        Keys.Destroy(old);
        using (var model = await SealedModel.OpenAsync(File.OpenRead(Output), Keys, Trusted, cancel))
            Assert.Equal(Folder().Onnx.ToArray(), model.File(ModelFolder.OnnxName).ToArray());
        using (var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(Package), PackageKeys.Beside(Output), Keys, Trusted, cancel)).DataKey)
            Assert.Equal(32, dataKey.Length);
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(Package), Keys, Trusted, cancel));   // without what lies beside it

        var another = Path.Combine(Scratch.Path, "other.bulwark");   // keys of one package do not open another
        Keys.CreateSymmetric("gone");
        await SealedModel.SealAsync(Folder(), Manifest, Keys, "gone", Publisher, another, cancel);
        Keys.Destroy(Keys.List().Single(key => key.Id.Name == "gone").Id);
        File.Copy($"{Output}.keys", $"{another}.keys");
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(File.OpenRead(another), Keys, Trusted, cancel));
        Assert.Equal(RewrapOutcome.Failed, (await PackageKeys.RewrapAsync(another, Keys, cancel)).Outcome);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"format":"package-keys/v2","fileId":"a","keys":[{"kek":"models@1","bytes":"AA=="}]}""")]
    [InlineData("""{"format":"package-keys/v1","fileId":"a","keys":[]}""")]
    [InlineData("""{"format":"package-keys/v1","fileId":"a","keys":[null]}""")]
    [InlineData("""{"format":"package-keys/v1","fileId":"a","keys":[{"kek":"models@1","bytes":""}]}""")]
    [InlineData("""{"format":"package-keys/v1","fileId":"a","keys":[{"kek":"models@1","bytes":"AA=="}],"more":1}""")]
    public async Task What_lies_beside_a_package_and_is_no_keys_is_said_to_be_none(string text)
    {
        await File.WriteAllTextAsync($"{Output}.keys", text, TestContext.Current.CancellationToken);
        Assert.Throws<InvalidDataException>(() => PackageKeys.Beside(Output));
        Assert.Equal(RewrapOutcome.Failed, (await PackageKeys.RewrapAsync(Output, Keys, TestContext.Current.CancellationToken)).Outcome);
    }
}
