using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Tests.Models.Signing;

public sealed class ModelSignatureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EcdsaPemSigner _signer = EcdsaPemSigner.Generate();

    public ModelSignatureTests()
    {
        Write("model/weights.bin", new string('w', 300_000));
        Write("model/config.json", "{}");
        Write("model/tok/模型.txt", "a");
        Write("model/empty", "");
        Write("model/.git/HEAD", "ref");
    }

    private string Model => _folder["model"];

    private string Signature => _folder["model.sig"];

    private SignatureTrust Trust => SignatureTrust.Key(_signer.PublicKey);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _signer.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(256, ContentHashKind.Sha256, null)]
    [InlineData(384, ContentHashKind.Sha256, 1000L)]
    [InlineData(521, ContentHashKind.Blake2b, null)]
    [InlineData(256, ContentHashKind.Blake2b, 65536L)]
    public async Task A_model_is_signed_and_verified(int bits, ContentHashKind hash, long? shard)
    {
        using var signer = EcdsaPemSigner.Generate(bits);
        var info = await ModelSignature.SignAsync(Model, Signature, signer, options: new() { Hash = hash, ShardBytes = shard }, cancel: Cancel);
        var report = await ModelSignature.VerifyAsync(Model, Signature, SignatureTrust.Key(signer.PublicKey), cancel: Cancel);
        Assert.True(report.IsTrusted, report.Detail);
        Assert.Equal((info.Root, info.Resources, "model"), (report.Root, report.Resources, report.Model));
        Assert.True(shard is null ? info.Resources == 4 : info.Resources > 4);
    }

    [Fact]
    public async Task A_signature_inside_the_model_and_what_git_keeps_are_no_part_of_it()
    {
        var inside = Path.Combine(Model, ModelSignature.FileName);
        await ModelSignature.SignAsync(Model, inside, _signer, cancel: Cancel);
        Write("model/.git/HEAD", "moved on");
        Assert.True((await ModelSignature.VerifyAsync(Model, inside, Trust, cancel: Cancel)).IsTrusted);
        Write("model/tok/.git", "not at the top");
        Assert.Equal(["tok/.git"], (await ModelSignature.VerifyAsync(Model, inside, Trust, cancel: Cancel)).Unsigned);
    }

    [Fact]
    public async Task What_was_changed_removed_or_added_is_named()
    {
        await SignAsync();
        Write("model/weights.bin", new string('w', 299_999) + "v");
        File.Delete(_folder["model/empty"]);
        Write("model/more", "x");
        var report = await VerifyAsync();
        Assert.Equal(ModelSignatureVerdict.ModelAltered, report.Verdict);
        Assert.Equal(["weights.bin"], report.Changed);
        Assert.Equal(["empty"], report.Missing);
        Assert.Equal(["more"], report.Unsigned);
        Assert.Contains("changed: weights.bin", report.Detail);
    }

    [Fact]
    public async Task Files_that_nobody_signed_are_accepted_only_on_request()
    {
        await SignAsync();
        Write("model/more", "x");
        Assert.False((await VerifyAsync()).IsTrusted);
        Assert.True((await ModelSignature.VerifyAsync(Model, Signature, Trust, allowUnsigned: true, cancel: Cancel)).IsTrusted);
    }

    [Fact]
    public async Task Ignored_paths_are_the_signers_choice_and_part_of_what_is_signed()
    {
        await ModelSignature.SignAsync(Model, Signature, _signer, options: new() { Ignore = ["tok"] }, cancel: Cancel);
        Write("model/tok/other", "x");
        var report = await VerifyAsync();
        Assert.True(report.IsTrusted);
        Assert.Equal(["tok"], report.Ignored);   // said, for nobody vouches for it
        await Assert.ThrowsAsync<ArgumentException>(() => ModelSignature.SignAsync(Model, Signature, _signer, options: new() { Ignore = ["../x"] }, cancel: Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => ModelSignature.SignAsync(Model, Signature, _signer, options: new() { Ignore = ["."] }, cancel: Cancel));
    }

    [Fact]
    public async Task Links_are_refused_unless_allowed_and_pipes_always()
    {
        File.CreateSymbolicLink(_folder["model/link"], "config.json");
        await Assert.ThrowsAsync<InvalidDataException>(SignAsync);
        await ModelSignature.SignAsync(Model, Signature, _signer, options: new() { AllowLinks = true }, cancel: Cancel);
        Assert.True((await VerifyAsync()).IsTrusted);
        Directory.CreateSymbolicLink(_folder["model/folder"], "tok");
        Assert.Contains("link to a folder", (await VerifyAsync()).Detail);
        Directory.Delete(_folder["model/folder"]);
        File.Delete(_folder["model/link"]);
        await SignAsync();
        File.CreateSymbolicLink(_folder["model/link"], "config.json");
        Assert.Contains("symbolic link", (await VerifyAsync()).Detail);
        File.Delete(_folder["model/link"]);
        using var made = System.Diagnostics.Process.Start("mkfifo", _folder["model/pipe"]);
        await made.WaitForExitAsync(Cancel);
        Assert.Contains("a pipe", (await VerifyAsync()).Detail);
    }

    [Fact]
    public async Task Another_key_another_signature_and_another_payload_are_told_apart()
    {
        await SignAsync();
        using var other = EcdsaPemSigner.Generate();
        Assert.Equal(ModelSignatureVerdict.UntrustedSigner, (await ModelSignature.VerifyAsync(Model, Signature, SignatureTrust.Key(other.PublicKey), cancel: Cancel)).Verdict);
        await ChangeAsync(bundle => bundle["verificationMaterial"]!["publicKey"]!.AsObject().Remove("hint"));
        Assert.Equal(ModelSignatureVerdict.Malformed, (await VerifyAsync()).Verdict);
        await ChangeAsync(bundle => bundle["verificationMaterial"]!["publicKey"]!["rawBytes"] = "AA==");   // before v1.1: no hint
        Assert.True((await VerifyAsync()).IsTrusted);
        Assert.Equal(ModelSignatureVerdict.WrongSignature, (await ModelSignature.VerifyAsync(Model, Signature, SignatureTrust.Key(other.PublicKey), cancel: Cancel)).Verdict);
        await ChangeAsync(bundle => Flip(bundle["dsseEnvelope"]!, "payload"));
        Assert.Equal(ModelSignatureVerdict.WrongSignature, (await VerifyAsync()).Verdict);
        await SignAsync();
        await ChangeAsync(bundle => Flip(bundle["dsseEnvelope"]!["signatures"]![0]!, "sig"));
        Assert.Equal(ModelSignatureVerdict.WrongSignature, (await VerifyAsync()).Verdict);
    }

    [Fact]
    public async Task A_bundle_of_another_shape_is_malformed()
    {
        Action<JsonNode>[] changes =
        [
            bundle => bundle["mediaType"] = "text/plain",
            bundle => bundle["surprise"] = 1,
            bundle => bundle.AsObject().Remove("dsseEnvelope"),
            bundle => bundle.AsObject().Remove("verificationMaterial"),
            bundle => bundle["verificationMaterial"]!["x509CertificateChain"] = new JsonObject(),
            bundle => bundle["dsseEnvelope"]!["payloadType"] = "text/plain",
            bundle => bundle["dsseEnvelope"]!["signatures"]!.AsArray().Clear(),
            bundle => bundle["dsseEnvelope"]!["signatures"]!.AsArray().Add(new JsonObject { ["sig"] = "AA==" }),
            bundle => bundle["dsseEnvelope"]!["payload"] = "no base64",
        ];
        foreach (var change in changes)
        {
            await SignAsync();
            await ChangeAsync(change);
            Assert.Equal(ModelSignatureVerdict.Malformed, (await VerifyAsync()).Verdict);
        }

        await File.WriteAllTextAsync(Signature, "{", Cancel);
        Assert.Equal(ModelSignatureVerdict.Malformed, (await VerifyAsync()).Verdict);
    }

    [Fact]
    public async Task A_statement_that_is_no_models_is_refused_although_its_signature_is_right()
    {
        (Action<JsonNode> Change, string Why)[] cases =
        [
            (statement => statement["_type"] = "x", "type"),
            (statement => statement["predicateType"] = "x", "of the type"),
            (statement => statement["surprise"] = 1, "unknown member"),
            (statement => statement["predicate"]!["surprise"] = 1, "unknown member"),
            (statement => statement["predicate"]!["serialization"]!["surprise"] = 1, "unknown member"),
            (statement => statement["subject"]!.AsArray().Clear(), "0 subjects"),
            (statement => statement["predicate"]!["resources"]!.AsArray().Clear(), "no resource"),
            (statement => statement["predicate"]!["resources"]![0]!["name"] = "../x", "no path inside"),
            (statement => statement["predicate"]!["resources"]![0]!["name"] = "/etc/passwd", "no path inside"),
            (statement => statement["predicate"]!["resources"]![0]!["name"] = "a//b", "no path inside"),
            (statement => statement["predicate"]!["resources"]![0]!["name"] = "a\\b", "no path inside"),
            (statement => statement["predicate"]!["resources"]![1]!["name"] = "config.json", "twice"),
            (statement => statement["predicate"]!["resources"]![0]!["digest"] = new string('0', 64), "contradicts itself"),
            (statement => statement["predicate"]!["resources"]![0]!["digest"] = "00", "hex digits"),
            (statement => statement["predicate"]!["resources"]![0]!["algorithm"] = "md5", "no hash of this format"),
            (statement => statement["predicate"]!["resources"]![0]!["algorithm"] = "blake2b", "another algorithm"),
            (statement => statement["predicate"]!["serialization"]!["shard_size"] = 5, "shard size"),
            (statement => statement["predicate"]!["serialization"]!["method"] = "shards", "shard size"),
            (statement => statement["predicate"]!["serialization"]!.AsObject().Remove("allow_symlinks"), "links"),
        ];
        foreach (var (change, why) in cases)
        {
            await SignAsync();
            await ResignAsync(change);
            var report = await VerifyAsync();
            Assert.Equal(ModelSignatureVerdict.WrongStatement, report.Verdict);
            Assert.Contains(why, report.Detail);
        }
    }

    [Fact]
    public void Text_that_is_no_UTF_8_is_no_bundle_and_no_crash()
    {
        byte[] bytes = [.. "{\"mediaType\":\"application/vnd.dev.sigstore.bundle"u8, 0xE2, (byte)'V', .. "\"}"u8];
        Assert.False(ModelSignature.IsMatch(bytes));
        Assert.Equal(ModelSignatureVerdict.Malformed, ModelSignature.VerifyStatement(bytes, Trust).Verdict);
    }

    [Fact]
    public async Task Blake3_is_refused_by_name()
    {
        await SignAsync();
        await ResignAsync(statement => statement["predicate"]!["serialization"]!["hash_type"] = "blake3");
        var report = await VerifyAsync();
        Assert.Equal(ModelSignatureVerdict.Unsupported, report.Verdict);
        Assert.Contains("BLAKE3", report.Detail);
    }

    [Fact]
    public async Task A_lone_file_is_a_model_too()
    {
        await ModelSignature.SignAsync(_folder["model/weights.bin"], Signature, _signer, cancel: Cancel);
        Assert.True((await ModelSignature.VerifyAsync(_folder["model/weights.bin"], Signature, Trust, cancel: Cancel)).IsTrusted);
        Assert.False((await ModelSignature.VerifyAsync(_folder["model/config.json"], Signature, Trust, cancel: Cancel)).IsTrusted);
        Assert.False((await VerifyAsync()).IsTrusted);
    }

    [Fact]
    public async Task A_model_of_nothing_is_not_signed()
    {
        Directory.CreateDirectory(_folder["nothing"]);
        await Assert.ThrowsAsync<InvalidDataException>(() => ModelSignature.SignAsync(_folder["nothing"], Signature, _signer, cancel: Cancel));
        Assert.False(File.Exists(Signature));
    }

    [Fact]
    public async Task The_bundle_has_the_members_that_the_upstream_tool_writes()
    {
        await SignAsync();
        var bundle = JsonNode.Parse(await File.ReadAllTextAsync(Signature, Cancel))!;
        Assert.Equal("application/vnd.dev.sigstore.bundle.v0.3+json", (string?)bundle["mediaType"]);
        Assert.Empty(bundle["verificationMaterial"]!["tlogEntries"]!.AsArray());
        Assert.Equal("", (string?)bundle["dsseEnvelope"]!["signatures"]![0]!["keyid"]);
        var statement = JsonNode.Parse(Convert.FromBase64String((string)bundle["dsseEnvelope"]!["payload"]!))!;
        Assert.Equal(["config.json", "empty", "tok/模型.txt", "weights.bin"], statement["predicate"]!["resources"]!.AsArray().Select(one => (string?)one!["name"]));
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", (string?)statement["predicate"]!["resources"]![1]!["digest"]);
        Assert.Equal([".git", ".gitattributes", ".github", ".gitignore"], statement["predicate"]!["serialization"]!["ignore_paths"]!.AsArray().Select(one => (string?)one).Order());
    }

    private async Task SignAsync() => await ModelSignature.SignAsync(Model, Signature, _signer, cancel: Cancel);

    private Task<ModelSignatureReport> VerifyAsync() => ModelSignature.VerifyAsync(Model, Signature, Trust, cancel: Cancel);

    private async Task ChangeAsync(Action<JsonNode> change)
    {
        var bundle = JsonNode.Parse(await File.ReadAllTextAsync(Signature, Cancel))!;
        change(bundle);
        await File.WriteAllTextAsync(Signature, bundle.ToJsonString(), Cancel);
    }

    /// <summary>Changes the statement and signs it again: what is refused then is the statement.</summary>
    private async Task ResignAsync(Action<JsonNode> change)
    {
        var bundle = JsonNode.Parse(await File.ReadAllTextAsync(Signature, Cancel))!;
        var statement = JsonNode.Parse(Convert.FromBase64String((string)bundle["dsseEnvelope"]!["payload"]!))!;
        change(statement);
        var payload = Encoding.UTF8.GetBytes(statement.ToJsonString());
        bundle["dsseEnvelope"]!["payload"] = Convert.ToBase64String(payload);
        bundle["dsseEnvelope"]!["signatures"]![0]!["sig"] = Convert.ToBase64String(await EcdsaSignature.SignAsync(_signer, Bulwark.Lineage.Dsse.PreAuthenticationEncoding("application/vnd.in-toto+json", payload), Cancel));
        await File.WriteAllTextAsync(Signature, bundle.ToJsonString(), Cancel);
    }

    private static void Flip(JsonNode node, string name)
    {
        var bytes = Convert.FromBase64String((string)node[name]!);
        bytes[^1] ^= 1;
        node[name] = Convert.ToBase64String(bytes);
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], text);
    }
}
