using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

public sealed class SealedModelTests : SealedPackage
{
    [Fact]
    public async Task A_sealed_model_is_verified_without_a_secret_and_shows_its_manifest()
    {
        var verification = await Verify(Package);
        Assert.Equal(SealVerdict.Trusted, verification.Verdict);
        Assert.Equal(Publisher.PublicKey, verification.Signer);
        Assert.Equal(Digest.Of(Package), verification.PackageDigest);
        Assert.Equal(Info.PackageDigest, verification.PackageDigest);
        Assert.Equal(0.5, verification.Manifest!.Epsilon);
        Assert.Equal(["model.onnx", "screen.json"], verification.Manifest.Files.Select(file => file.Name));
    }

    [Fact]
    public async Task With_the_data_key_the_files_come_back_in_memory_and_score()
    {
        var (dataKey, _) = await SealedModel.UnwrapDataKeyAsync(new MemoryStream(Package), Keys, Trusted, TestContext.Current.CancellationToken);
        using (dataKey)
        using (var model = await SealedModel.OpenAsync(new MemoryStream(Package), dataKey, Trusted, TestContext.Current.CancellationToken))
        {
            Assert.Equal(Folder().Onnx.ToArray(), model.File(ModelFolder.OnnxName).ToArray());
            Assert.Equal("{}", model.Text(ModelFolder.ScreenName));
            Assert.Equal(ModelSamples.Schema.ToJson(), model.Schema()!.ToJson());
            using var scorer = model.OpenScorer();
            Assert.IsType<NetworkScorer>(scorer);
            Assert.Equal(ModelSamples.Schema.Width, scorer.Width);
            Assert.Throws<FileNotFoundException>(() => model.File("other"));
        }
    }

    [Fact]
    public async Task The_package_holds_neither_the_model_nor_the_data_key_in_the_clear()
    {
        var onnx = Folder().Onnx.ToArray();
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(Package), Keys, Trusted, TestContext.Current.CancellationToken)).DataKey;
        Assert.Equal(-1, Package.AsSpan().IndexOf(onnx.AsSpan(onnx.Length / 2, 16)));
        Assert.Equal(-1, Package.AsSpan().IndexOf(dataKey.Span));
    }

    [Fact]
    public async Task A_package_that_is_not_the_one_that_was_stated_is_refused_while_it_is_opened()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(Package), Keys, Trusted, cancel)).DataKey;
        var right = await SealedModel.RequireAsync(new MemoryStream(Package), Trusted, Info.PackageDigest, cancel);
        using (var opened = await right.OpenAsync(dataKey, cancel))
            Assert.Equal(Info.PackageDigest, opened.PackageDigest);
        var other = await SealedModel.RequireAsync(new MemoryStream(Package), Trusted, Digest.Of("another"u8), cancel);
        var refusal = await Assert.ThrowsAsync<CryptographicException>(() => other.OpenAsync(dataKey, cancel));
        Assert.Contains("it was replaced", refusal.Message, StringComparison.Ordinal);
        using var stranger = Signer.Generate();
        var untrusted = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.RequireAsync(new MemoryStream(Package), [stranger.PublicKey], Info.PackageDigest, cancel));
        Assert.Contains("UntrustedSigner", untrusted.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_signed_by_a_stranger_is_refused()
    {
        using var stranger = Signer.Generate();
        await SealedModel.SealAsync(Folder(), Manifest, Keys, "models", stranger, Output, TestContext.Current.CancellationToken);
        var package = await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken);
        var verification = await Verify(package);
        Assert.Equal(SealVerdict.UntrustedSigner, verification.Verdict);
        Assert.Equal(stranger.PublicKey, verification.Signer);
        var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(package), Keys, Trusted, TestContext.Current.CancellationToken));
        Assert.Contains("UntrustedSigner", refusal.Message);
    }

    [Fact]
    public async Task Without_any_trusted_key_nothing_is_trusted() =>
        Assert.Equal(SealVerdict.UntrustedSigner, (await SealedModel.VerifyAsync(new MemoryStream(Package), [], TestContext.Current.CancellationToken)).Verdict);

    [Fact]
    public async Task A_wrong_data_key_opens_nothing()
    {
        using var wrong = SecretBytes.Random(32);
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(Package), wrong, Trusted, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_ring_without_the_key_opens_nothing()
    {
        using var other = KeyRing.Create(Path.Combine(Scratch.Path, "other.json"), KeyRingUnlock.KeyFile(Path.Combine(Scratch.Path, "other.key")));
        other.CreateSymmetric("models");
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(Package), other, Trusted, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_verdicts_zero_refuses() =>
        Assert.False(new SealVerification(default, "", default).IsTrusted);

    [Fact]
    public async Task A_faulty_manifest_is_not_sealed()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => SealedModel.SealAsync(Folder(), Manifest with { Accuracy = 1.5 }, Keys, "models", Publisher, Output, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ArgumentException>(() => SealedModel.SealAsync(Folder(), Manifest with { Epsilon = 1, Delta = null }, Keys, "models", Publisher, Output, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_cancelled_sealing_leaves_the_old_package_and_nothing_else()
    {
        var before = Directory.GetFiles(Scratch.Path).Order().ToArray();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SealedModel.SealAsync(Folder(), Manifest, Keys, "models", Publisher, Output, new CancellationToken(canceled: true)));
        Assert.Equal(before, Directory.GetFiles(Scratch.Path).Order());
        Assert.Equal(Package, await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_overhead_does_not_grow_with_the_model()
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = Folder().Onnx, ["weights.bin"] = new byte[8 * 1024 * 1024] };
        var large = await SealedModel.SealAsync(new ModelFolder(Manifest, files), Manifest, Keys, "models", Publisher, Output, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper!.WriteLine($"small: {Info.PlainBytes} -> {Info.PackageBytes} bytes; large: {large.PlainBytes} -> {large.PackageBytes} bytes, {(double)(large.PackageBytes - large.PlainBytes) / large.PlainBytes:P4}");
        Assert.InRange(large.PackageBytes - large.PlainBytes, 1, 16 * 1024);
    }
}
