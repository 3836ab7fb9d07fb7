using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Cli;

/// <summary>What an attacker could put in the place of one part of a receipt's evidence; each is found, and named.</summary>
public sealed class TamperedReceiptTests : IAsyncLifetime
{
    private static readonly Digest Model = SampleClaims.Package, Evidence = SampleClaims.Evidence;
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _worker = Signer.Generate();
    private Workspace _workspace = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), passphrase: null);

    public ValueTask DisposeAsync()
    {
        _worker.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_whole_chain_holds_with_no_key_but_the_logs()
    {
        var receipt = await MadeAsync();
        Assert.Empty(await FaultsAsync(receipt));
        Assert.True(File.Exists(_workspace.IndexPath));
        await File.WriteAllTextAsync(_workspace.IndexPath, "torn", Cancel);
        Assert.Empty(await FaultsAsync(receipt));
    }

    [Fact]
    public async Task A_receipt_of_another_model_is_named()
    {
        var receipt = await MadeAsync();
        await File.WriteAllTextAsync(_folder["other.bulwark"], "another package", Cancel);
        Assert.Equal(["model:otherModel"], await FaultsAsync(receipt, "--model", _folder["other.bulwark"]));
        var another = await LoggedAsync(SampleClaims.Facts() with { ModelDigest = Digest.Of("another model"u8) });
        Assert.Equal(["attestation:otherModel", "package:notSealed"], await FaultsAsync(another));
    }

    [Fact]
    public async Task A_receipt_of_another_log_is_named()
    {
        var receipt = await MadeAsync();
        using var stranger = Signer.Generate();
        Assert.Equal(["log:otherLog"], await FaultsAsync(receipt, "--log-key", stranger.PublicKey.ToString(), "--key", _worker.PublicKey.ToString()));
        using var keys = _workspace.OpenKeys();
        using var logKey = keys.OpenSigner(Workspace.LogKey);
        await using (var twin = await TransparencyLog.CreateAsync(_folder["twin"], "bulwark.dev/log/twin", logKey, Cancel))
            await twin.AppendAsync(new byte[] { 1 }, Cancel);
        Assert.Equal(["checkpoint:otherLog"], await FaultsAsync(receipt, "--log", _folder["twin"], "--key", _worker.PublicKey.ToString()));
    }

    [Fact]
    public async Task A_swapped_statement_is_named()
    {
        var receipt = await MadeAsync();
        var another = PredictionReceipt.Parse(await LoggedAsync(SampleClaims.Facts() with { Outcome = "refused" }));
        Assert.Equal(["log:notIncluded"], await FaultsAsync((PredictionReceipt.Parse(receipt) with { Envelope = another.Envelope }).ToBytes()));
        var release = Dsse.Sign(SampleClaims.Released(Model, Evidence, _worker.PublicKey), _worker);
        Assert.Equal(["statement:otherStatement", "log:notIncluded"], await FaultsAsync((another with { Envelope = release }).ToBytes(), "--key", _worker.PublicKey.ToString()));
    }

    [Fact]
    public async Task A_stale_checkpoint_is_named()
    {
        await MakingAsync();
        using var keys = _workspace.OpenKeys();
        var early = (await TransparencyLog.OpenAsync(_workspace.LogDirectory, trustedKey: keys.PublicKey(Workspace.LogKey))).Checkpoint;
        var receipt = PredictionReceipt.Parse(await LoggedAsync(SampleClaims.Facts()));
        Assert.Equal(["log:staleCheckpoint"], await FaultsAsync((receipt with { Proof = receipt.Proof! with { Checkpoint = early } }).ToBytes()));
    }

    [Fact]
    public async Task A_log_that_was_rolled_back_or_forked_since_is_named()
    {
        await MakingAsync();
        Copy(_workspace.LogDirectory, _folder["before"]);
        var receipt = await LoggedAsync(SampleClaims.Facts());
        Assert.Equal(["checkpoint:staleLog"], await FaultsAsync(receipt, "--log", _folder["before"], "--key", _worker.PublicKey.ToString()));

        using var keys = _workspace.OpenKeys();
        using var signer = keys.OpenSigner(Workspace.LogKey);
        await using (var fork = await TransparencyLog.OpenAsync(_folder["before"], signer))
        {
            for (var i = 0; i < 3; i++)
                await fork.AppendAsync(new byte[] { 1, (byte)i }, Cancel);
        }

        Assert.Equal(["checkpoint:forkedLog"], await FaultsAsync(receipt, "--log", _folder["before"], "--key", _worker.PublicKey.ToString()));
    }

    [Fact]
    public async Task Evidence_that_is_not_there_or_contradicts_itself_is_named()
    {
        Assert.Equal(["policy:policyNotLogged", "attestation:noRelease", "package:notSealed"], await FaultsAsync(await LoggedAsync(SampleClaims.Facts()), "--key", _worker.PublicKey.ToString()));
        await AppendAsync(SampleClaims.Sealed(Model, SampleClaims.Onnx, SampleClaims.Data), Policy(), SampleClaims.Released(Model, Evidence, _worker.PublicKey));
        Assert.Equal(["training:noTrainingRun"], await FaultsAsync(await LoggedAsync(SampleClaims.Facts())));
        await AppendAsync(SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 9));
        Assert.Equal(["privacy:privacyDiffers", "data:notCommitted"], await FaultsAsync(await LoggedAsync(SampleClaims.Facts())));
        await AppendAsync(SampleClaims.Trained(SampleClaims.Onnx, Digest.Of("other data"u8), 1));
        Assert.Equal(["data:otherData"], await FaultsAsync(await LoggedAsync(SampleClaims.Facts())));
        Assert.Equal(["attestation:hardwareClaim"], (await FaultsAsync(await LoggedAsync(SampleClaims.Facts() with { Insecure = false }))).Take(1));
    }

    [Fact]
    public async Task A_worker_that_the_key_was_not_released_to_is_named_also_when_the_command_line_believes_it()
    {
        await MakingAsync();
        using var other = Signer.Generate();
        var receipt = await LoggedAsync(SampleClaims.Facts(), other);
        Assert.Equal(["attestation:otherWorker"], await FaultsAsync(receipt, "--key", other.PublicKey.ToString()));
        Assert.Equal(["signature:unknownKey"], await FaultsAsync(receipt));
    }

    [Fact]
    public async Task A_workspaces_own_key_signs_no_predictions()
    {
        using var keys = _workspace.OpenKeys();
        using var own = keys.OpenSigner(Workspace.SigningKey);
        Assert.Equal(["signature:unknownKey"], await FaultsAsync(await LoggedAsync(SampleClaims.Facts(), own)));
    }

    [Fact]
    public async Task A_policy_that_was_replaced_before_the_decision_is_named()
    {
        await MakingAsync();
        await AppendAsync(Replaced(SampleClaims.Now.AddSeconds(1)));
        Assert.Empty(await FaultsAsync(await LoggedAsync(SampleClaims.Facts())));   // came into force while it was being judged
        Assert.Equal(["policy:policySuperseded"], await FaultsAsync(await LoggedAsync(SampleClaims.Facts() with { Time = SampleClaims.Now.AddSeconds(1) })));
        await AppendAsync(Policy());
        Assert.Empty(await FaultsAsync(await LoggedAsync(SampleClaims.Facts() with { Time = SampleClaims.Now.AddSeconds(1) })));

        static Statement Replaced(DateTimeOffset time) => Statement.Of("access policy", Digest.Of("another policy"u8), new PolicyChanged { Kind = PolicyChanged.AccessPolicy, Previous = SampleClaims.Policy, Time = time });
    }

    [Fact]
    public async Task A_request_is_proved_with_the_receipts_salt_and_cannot_be_tried_out_without_it()
    {
        await MakingAsync();
        var salt = PredictionReceipt.NewSalt();
        await File.WriteAllTextAsync(_folder["request.json"], "amount 12", Cancel);
        var facts = SampleClaims.Facts() with { RequestDigest = PredictionReceipt.RequestDigest(salt, "amount 12"u8) };
        var receipt = PredictionReceipt.Parse(await LoggedAsync(facts)) with { Salt = salt };
        Assert.Empty(await FaultsAsync(receipt.ToBytes(), "--request", _folder["request.json"]));
        Assert.Equal(["request:otherRequest"], await FaultsAsync((receipt with { Salt = PredictionReceipt.NewSalt() }).ToBytes(), "--request", _folder["request.json"]));
        Assert.DoesNotContain(Digest.Of("amount 12"u8).ToString(), System.Text.Encoding.UTF8.GetString(Dsse.Verify(receipt.Envelope, [_worker.PublicKey]).Payload.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evidence_that_was_made_up_after_the_prediction_does_not_count()
    {
        var receipt = await LoggedAsync(SampleClaims.Facts());
        await MakingAsync();
        Assert.Equal(["policy:policyNotLogged", "attestation:noRelease", "package:notSealed"], await FaultsAsync(receipt, "--key", _worker.PublicKey.ToString()));
    }

    [Fact]
    public async Task Too_few_witnesses_are_named()
    {
        var receipt = await MadeAsync();
        using var witness = Signer.Generate();
        await File.WriteAllTextAsync(_folder["policy"], $"witness w {new NoteKey("witness.example", witness.PublicKey, NoteKeyKind.Cosignature)}\nquorum w\n", Cancel);
        Assert.Equal(["witnesses:quorumMissing"], await FaultsAsync(receipt, "--witness-policy", _folder["policy"]));
    }

    [Fact]
    public async Task Every_flipped_bit_of_the_receipt_or_of_an_entry_it_stands_on_is_found()
    {
        await MakingAsync();
        var salt = PredictionReceipt.NewSalt();
        await File.WriteAllTextAsync(_folder["request.json"], "amount 12", Cancel);
        var receipt = (PredictionReceipt.Parse(await LoggedAsync(SampleClaims.Facts() with { RequestDigest = PredictionReceipt.RequestDigest(salt, "amount 12"u8) })) with { Salt = salt }).ToBytes();
        Assert.Empty(await FaultsAsync(receipt, "--request", _folder["request.json"]));
        for (var at = 0; at < receipt.Length; at += 97)
        {
            var copy = receipt.ToArray();
            copy[at] ^= 4;
            Assert.NotEmpty(await FaultsAsync(copy, "--request", _folder["request.json"]));
        }

        var bundles = Directory.GetFiles(Path.Combine(_workspace.LogDirectory, "tile", "entries"), "*", SearchOption.AllDirectories);
        Assert.NotEmpty(bundles);
        foreach (var bundle in bundles)
        {
            var bytes = await File.ReadAllBytesAsync(bundle, Cancel);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(bundle, bytes, Cancel);
        }

        File.Delete(_workspace.IndexPath);
        Assert.NotEmpty(await FaultsAsync(receipt));
    }

    private async Task<byte[]> MadeAsync()
    {
        await MakingAsync();
        return await LoggedAsync(SampleClaims.Facts());
    }

    private Task MakingAsync() => AppendAsync(
        Policy(), SampleClaims.Committed(SampleClaims.Data), SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1), SampleClaims.Sealed(Model, SampleClaims.Onnx, SampleClaims.Data),
        SampleClaims.Released(Model, Evidence, _worker.PublicKey));

    private static Statement Policy() => Statement.Of("access policy", SampleClaims.Policy, new PolicyChanged { Kind = PolicyChanged.AccessPolicy, Time = SampleClaims.Now });

    private async Task AppendAsync(params Statement[] statements)
    {
        foreach (var statement in statements)
            await _workspace.AppendAsync(statement, Cancel);
    }

    private Task<byte[]> LoggedAsync(PredictionFacts facts) => LoggedAsync(facts, _worker);

    private async Task<byte[]> LoggedAsync(PredictionFacts facts, Signer worker)
    {
        using var keys = _workspace.OpenKeys();
        var envelope = PredictionReceipt.Sign(facts, worker);
        await using var log = await _workspace.OpenLogAsync(keys);
        var given = await log.AppendAsync(envelope, Cancel);
        return new PredictionReceipt(envelope, PredictionReceipt.NewSalt(), await log.ProofForAsync(given.Index, Cancel)).ToBytes();
    }

    /// <summary>The failures' places and names, in order; empty exactly when the command says yes.</summary>
    private async Task<string[]> FaultsAsync(byte[] receipt, params string[] options)
    {
        await File.WriteAllBytesAsync(_folder["receipt.json"], receipt, Cancel);
        var (code, output, error) = await CommandContractTests.RunAsync(["verify", _folder["receipt.json"], "-w", _folder["w"], "--json", .. options]);
        if (code == 2)
            return ["could not ask: " + error];
        using var document = JsonDocument.Parse(output);
        var faults = document.RootElement.GetProperty("links").Deserialize<EvidenceLink[]>(JsonSerializerOptions.Web)!
            .SelectMany(link => link.Flatten()).Where(link => !link.Holds).Select(link => $"{link.Name}:{link.Fault}").ToArray();
        Assert.Equal(faults.Length == 0 ? 0 : 1, code);
        return faults;
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
