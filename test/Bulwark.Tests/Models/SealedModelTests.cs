using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models;

public sealed class SealedModelTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _signer = Signer.Generate();
    private KeyRing _keys = null!;
    private byte[] _package = [];
    private SealedModelInfo _info = null!;

    private string Output => Path.Combine(_folder.Path, "fraud.bulwark");

    private VerificationKey[] Trusted => [_signer.PublicKey];

    public async ValueTask InitializeAsync()
    {
        _keys = KeyRing.Create(Path.Combine(_folder.Path, "keys.json"), KeyRingUnlock.KeyFile(Path.Combine(_folder.Path, "keys.key")));
        _keys.CreateSymmetric("models");
        _info = await SealedModel.SealAsync(Folder(), Manifest, _keys, "models", _signer, Output, TestContext.Current.CancellationToken);
        _package = await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _keys.Dispose();
        _signer.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_sealed_model_is_verified_without_a_secret_and_shows_its_manifest()
    {
        var verification = await Verify(_package);
        Assert.Equal(SealVerdict.Trusted, verification.Verdict);
        Assert.Equal(_signer.PublicKey, verification.Signer);
        Assert.Equal(Digest.Of(_package), verification.PackageDigest);
        Assert.Equal(_info.PackageDigest, verification.PackageDigest);
        Assert.Equal(0.5, verification.Manifest!.Epsilon);
        Assert.Equal(["model.onnx", "screen.json"], verification.Manifest.Files.Select(file => file.Name));
    }

    [Fact]
    public async Task A_newer_key_goes_beside_the_package_which_stays_as_it_was_signed()
    {
        var cancel = TestContext.Current.CancellationToken;
        Assert.Equal(RewrapOutcome.Newest, (await PackageKeys.RewrapAsync(Output, _keys, cancel)).Outcome);
        Assert.False(File.Exists($"{Output}.keys"));
        var old = _keys.List().Single(key => key.Id.Name == "models").Id;
        await _keys.RotateAsync(KeyUri.Of(old).Key, cancel);
        Assert.Equal(RewrapOutcome.Rewrapped, (await PackageKeys.RewrapAsync(Output, _keys, cancel)).Outcome);
        Assert.Equal(RewrapOutcome.Newest, (await PackageKeys.RewrapAsync(Output, _keys, cancel)).Outcome);
        Assert.Equal(_package, await File.ReadAllBytesAsync(Output, cancel));
        var forged = JsonNode.Parse(await File.ReadAllTextAsync($"{Output}.keys", cancel))!;   // the newest key's name over bytes that are none
        forged["keys"]![0]!["bytes"] = Convert.ToBase64String(new byte[60]);
        await File.WriteAllTextAsync($"{Output}.keys", forged.ToJsonString(), cancel);
        Assert.Equal(RewrapOutcome.Rewrapped, (await PackageKeys.RewrapAsync(Output, _keys, cancel)).Outcome);
        _keys.Destroy(old);
        using (var model = await SealedModel.OpenAsync(File.OpenRead(Output), _keys, Trusted, cancel))
            Assert.Equal(Folder().Onnx.ToArray(), model.File(ModelFolder.OnnxName).ToArray());
        using (var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(_package), PackageKeys.Beside(Output), _keys, Trusted, cancel)).DataKey)
            Assert.Equal(32, dataKey.Length);
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(_package), _keys, Trusted, cancel));   // without what lies beside it

        var another = Path.Combine(_folder.Path, "other.bulwark");   // keys of one package do not open another
        _keys.CreateSymmetric("gone");
        await SealedModel.SealAsync(Folder(), Manifest, _keys, "gone", _signer, another, cancel);
        _keys.Destroy(_keys.List().Single(key => key.Id.Name == "gone").Id);
        File.Copy($"{Output}.keys", $"{another}.keys");
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(File.OpenRead(another), _keys, Trusted, cancel));
        Assert.Equal(RewrapOutcome.Failed, (await PackageKeys.RewrapAsync(another, _keys, cancel)).Outcome);
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
        Assert.Equal(RewrapOutcome.Failed, (await PackageKeys.RewrapAsync(Output, _keys, TestContext.Current.CancellationToken)).Outcome);
    }

    [Fact]
    public async Task With_the_data_key_the_files_come_back_in_memory_and_score()
    {
        var (dataKey, _) = await SealedModel.UnwrapDataKeyAsync(new MemoryStream(_package), _keys, Trusted, TestContext.Current.CancellationToken);
        using (dataKey)
        using (var model = await SealedModel.OpenAsync(new MemoryStream(_package), dataKey, Trusted, TestContext.Current.CancellationToken))
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
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(_package), _keys, Trusted, TestContext.Current.CancellationToken)).DataKey;
        Assert.Equal(-1, _package.AsSpan().IndexOf(onnx.AsSpan(onnx.Length / 2, 16)));
        Assert.Equal(-1, _package.AsSpan().IndexOf(dataKey.Span));
    }

    [Fact]
    public async Task A_flipped_bit_in_any_byte_is_refused()
    {
        var envelope = _package.Length - EnvelopeLength(_package);
        var seen = new HashSet<SealVerdict>();
        for (var place = 0; place < _package.Length; place++)
        {
            var damaged = _package.ToArray();
            damaged[place] ^= (byte)(1 << (place % 8));
            var verdict = (await Verify(damaged)).Verdict;
            seen.Add(verdict);
            if (place >= 16 && place < envelope)
                Assert.Equal(SealVerdict.PayloadAltered, verdict);
            else
                Assert.Contains(verdict, new[] { SealVerdict.NotAPackage, SealVerdict.UnknownVersion, SealVerdict.Malformed, SealVerdict.BadSignature });
        }

        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public async Task A_file_cut_off_anywhere_is_refused()
    {
        for (var length = 0; length < _package.Length; length += length < 40 ? 1 : 37)
            Assert.False((await Verify(_package[..length])).IsTrusted);
        var envelope = _package.Length - EnvelopeLength(_package);
        Assert.Equal(SealVerdict.PayloadAltered, (await Verify([.. _package[..(envelope - 1)], .. _package[envelope..]])).Verdict);   // the payload alone is shorter
    }

    [Fact]
    public async Task A_byte_more_is_refused_wherever_it_stands()
    {
        var envelope = _package.Length - EnvelopeLength(_package);
        Assert.Equal(SealVerdict.Malformed, (await Verify([.. _package, 0])).Verdict);
        Assert.Equal(SealVerdict.PayloadAltered, (await Verify([.. _package[..envelope], 0, .. _package[envelope..]])).Verdict);
    }

    /// <summary>Opening verifies in the same reading: whoever skips <c>VerifyAsync</c> is refused the same.</summary>
    [Fact]
    public async Task Opening_at_once_refuses_what_verifying_refuses_and_says_which()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(_package), _keys, Trusted, cancel)).DataKey;
        var envelope = _package.Length - EnvelopeLength(_package);
        foreach (var place in new[] { 0, 9, 12, 16, 600, 16 + ((envelope - 16) / 2), envelope - 1, envelope, _package.Length - 1 })
        {
            var damaged = _package.ToArray();
            damaged[place] ^= 1;
            var verdict = (await Verify(damaged)).Verdict;
            var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(damaged), dataKey, Trusted, cancel));
            Assert.Contains($"({verdict})", refusal.Message, StringComparison.Ordinal);
        }

        foreach (var other in new[] { _package[..^1], [.. _package[..(envelope - 40)], .. _package[envelope..]], [.. _package[..envelope], 0, .. _package[envelope..]] })
            await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(other), dataKey, Trusted, cancel));
    }

    /// <summary>Whoever holds the data key can seal another payload under it; the publisher's signature is what stands against that, and it must not rest on the tags.</summary>
    [Fact]
    public async Task Another_payload_under_the_same_data_key_is_refused_though_every_tag_is_right()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(_package), _keys, Trusted, cancel)).DataKey;
        var stream = new MemoryStream(_package) { Position = 16 };
        var (key, associatedData, offset) = SealedFile.ExportPayloadKey(stream, dataKey.Span);
        using (key)
        {
            var plain = new byte[_info.PlainBytes];
            var message = Floe.Encrypt(key.Span, associatedData, plain, 1 << 20);
            byte[] forged = [.. _package[..(int)(16 + offset)], .. message, .. _package[^EnvelopeLength(_package)..]];
            Assert.Equal(_package.Length, forged.Length);
            var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(forged), dataKey, Trusted, cancel));
            Assert.Contains("PayloadAltered", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_package_that_is_not_the_one_that_was_stated_is_refused_while_it_is_opened()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var dataKey = (await SealedModel.UnwrapDataKeyAsync(new MemoryStream(_package), _keys, Trusted, cancel)).DataKey;
        var right = await SealedModel.RequireAsync(new MemoryStream(_package), Trusted, _info.PackageDigest, cancel);
        using (var opened = await right.OpenAsync(dataKey, cancel))
            Assert.Equal(_info.PackageDigest, opened.PackageDigest);
        var other = await SealedModel.RequireAsync(new MemoryStream(_package), Trusted, Digest.Of("another"u8), cancel);
        var refusal = await Assert.ThrowsAsync<CryptographicException>(() => other.OpenAsync(dataKey, cancel));
        Assert.Contains("it was replaced", refusal.Message, StringComparison.Ordinal);
        using var stranger = Signer.Generate();
        var untrusted = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.RequireAsync(new MemoryStream(_package), [stranger.PublicKey], _info.PackageDigest, cancel));
        Assert.Contains("UntrustedSigner", untrusted.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_of_version_2_does_not_pass_as_one_of_version_1_nor_the_other_way_round()
    {
        var length = EnvelopeLength(_package);
        byte[] turned = [.. _package[..16], .. _package[^length..], .. _package[16..^length]];
        turned[9] = 1;
        Assert.Equal(SealVerdict.Malformed, (await Verify(turned)).Verdict);
        var first = await File.ReadAllBytesAsync(Path.Combine(RepositoryRoot.Path, "test", "Bulwark.Tests", "Models", "Vectors", "model-v1.bulwark"), TestContext.Current.CancellationToken);
        length = EnvelopeLength(first);
        turned = [.. first[..16], .. first[(16 + length)..], .. first[16..(16 + length)]];
        turned[9] = 2;
        Assert.Equal(SealVerdict.Malformed, (await Verify(turned)).Verdict);
    }

    [Fact]
    public async Task A_package_signed_by_a_stranger_is_refused()
    {
        using var stranger = Signer.Generate();
        await SealedModel.SealAsync(Folder(), Manifest, _keys, "models", stranger, Output, TestContext.Current.CancellationToken);
        var package = await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken);
        var verification = await Verify(package);
        Assert.Equal(SealVerdict.UntrustedSigner, verification.Verdict);
        Assert.Equal(stranger.PublicKey, verification.Signer);
        var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(package), _keys, Trusted, TestContext.Current.CancellationToken));
        Assert.Contains("UntrustedSigner", refusal.Message);
    }

    [Fact]
    public async Task Without_any_trusted_key_nothing_is_trusted() =>
        Assert.Equal(SealVerdict.UntrustedSigner, (await SealedModel.VerifyAsync(new MemoryStream(_package), [], TestContext.Current.CancellationToken)).Verdict);

    [Fact]
    public async Task The_payload_of_another_package_is_refused()
    {
        await SealedModel.SealAsync(Folder(), Manifest, _keys, "models", _signer, Output, TestContext.Current.CancellationToken);
        var other = await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken);
        Assert.Equal(SealVerdict.PayloadAltered, (await Verify([.. other[..^EnvelopeLength(other)], .. _package[^EnvelopeLength(_package)..]])).Verdict);
    }

    [Theory]
    [InlineData("[{\"keyid\":\"00\",\"sig\":\"AA==\"}]", SealVerdict.BadSignature)]
    [InlineData("[ORIGINAL,{\"keyid\":\"00\",\"sig\":\"AA==\"}]", SealVerdict.Malformed)]
    [InlineData("[]", SealVerdict.Malformed)]
    [InlineData("[null]", SealVerdict.Malformed)]
    [InlineData("null", SealVerdict.Malformed)]
    public async Task An_envelope_with_other_signatures_is_refused(string signatures, SealVerdict expected)
    {
        var length = EnvelopeLength(_package);
        var envelope = System.Text.Encoding.UTF8.GetString(_package[^length..]);
        var start = envelope.IndexOf("[{\"keyid\"", StringComparison.Ordinal);
        var other = envelope[..start] + signatures.Replace("ORIGINAL", envelope[(start + 1)..^2]) + "}";
        var bytes = System.Text.Encoding.UTF8.GetBytes(other);
        var head = _package[..16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(12), bytes.Length);
        Assert.Equal(expected, (await Verify([.. head, .. _package[16..^length], .. bytes])).Verdict);
    }

    [Fact]
    public async Task A_wrong_data_key_opens_nothing()
    {
        using var wrong = SecretBytes.Random(32);
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(_package), wrong, Trusted, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_ring_without_the_key_opens_nothing()
    {
        using var other = KeyRing.Create(Path.Combine(_folder.Path, "other.json"), KeyRingUnlock.KeyFile(Path.Combine(_folder.Path, "other.key")));
        other.CreateSymmetric("models");
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(_package), other, Trusted, TestContext.Current.CancellationToken));
    }

    /// <param name="at">Where in the payload; its header comes first, and no key store may be asked about a header that nobody signed.</param>
    [Theory, InlineData(0.5), InlineData(0), InlineData(0.01), InlineData(0.02)]
    public async Task A_tampered_package_is_never_opened(double at)
    {
        var damaged = _package.ToArray();
        damaged[16 + (int)(at * damaged.Length)] ^= 1;
        var refusal = await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.OpenAsync(new MemoryStream(damaged), _keys, Trusted, TestContext.Current.CancellationToken));
        Assert.Contains("PayloadAltered", refusal.Message);
        await Assert.ThrowsAsync<CryptographicException>(() => SealedModel.UnwrapDataKeyAsync(new MemoryStream(damaged), _keys, Trusted, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_verdicts_zero_refuses() =>
        Assert.False(new SealVerification(default, "", default).IsTrusted);

    [Fact]
    public async Task Random_bytes_behind_a_right_head_are_refused_and_never_crash()
    {
        var random = new Random(2);
        for (var trial = 0; trial < 2000; trial++)
        {
            var damaged = _package.ToArray();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
                damaged[random.Next(2) == 0 ? 8 + random.Next(8) : damaged.Length - 1 - random.Next(Math.Min(2500, damaged.Length - 16))] = (byte)random.Next(256);
            var verification = await Verify(damaged);
            Assert.True(!verification.IsTrusted || damaged.AsSpan().SequenceEqual(_package));
        }
    }

    [Fact]
    public async Task A_faulty_manifest_is_not_sealed()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => SealedModel.SealAsync(Folder(), Manifest with { Accuracy = 1.5 }, _keys, "models", _signer, Output, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ArgumentException>(() => SealedModel.SealAsync(Folder(), Manifest with { Epsilon = 1, Delta = null }, _keys, "models", _signer, Output, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_cancelled_sealing_leaves_the_old_package_and_nothing_else()
    {
        var before = Directory.GetFiles(_folder.Path).Order().ToArray();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SealedModel.SealAsync(Folder(), Manifest, _keys, "models", _signer, Output, new CancellationToken(canceled: true)));
        Assert.Equal(before, Directory.GetFiles(_folder.Path).Order());
        Assert.Equal(_package, await File.ReadAllBytesAsync(Output, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_overhead_does_not_grow_with_the_model()
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = Folder().Onnx, ["weights.bin"] = new byte[8 * 1024 * 1024] };
        var large = await SealedModel.SealAsync(new ModelFolder(Manifest, files), Manifest, _keys, "models", _signer, Output, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper!.WriteLine($"small: {_info.PlainBytes} -> {_info.PackageBytes} bytes; large: {large.PlainBytes} -> {large.PackageBytes} bytes, {(double)(large.PackageBytes - large.PlainBytes) / large.PlainBytes:P4}");
        Assert.InRange(large.PackageBytes - large.PlainBytes, 1, 16 * 1024);
    }

    private static ModelManifest Manifest => new()
    {
        Name = "fraud",
        Version = "1.0.0",
        Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        DataCommitment = Digest.Of("data"u8),
        Epsilon = 0.5,
        Delta = 1e-5,
        PrivacyUnit = "add or remove one record",
        Accuracy = 0.98,
        RobustAccuracy = 0.9,
        RobustStrength = 0.05,
        Metrics = new Dictionary<string, double> { ["auc"] = 0.97 },
        CodeVersion = "0.1.0",
        Dependencies = new Dictionary<string, string> { ["Google.Protobuf"] = "3" },
        InsecureNotes = ["development key"],
    };

    private static ModelFolder Folder() => new(Manifest, new Dictionary<string, ReadOnlyMemory<byte>>
    {
        [ModelFolder.OnnxName] = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 4)),
        [ModelFolder.ScreenName] = "{}"u8.ToArray(),
    });

    private static int EnvelopeLength(byte[] package) => System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(package.AsSpan(12));

    private Task<SealVerification> Verify(byte[] package) => SealedModel.VerifyAsync(new MemoryStream(package), Trusted, TestContext.Current.CancellationToken);
}
