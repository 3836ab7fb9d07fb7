using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Cli;

public sealed class VerifyReceiptTests : IAsyncLifetime
{
    private static readonly Digest Model = Digest.Of("package"u8), Evidence = Digest.Of("evidence"u8), Data = Digest.Of("data"u8);
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _worker = Signer.Generate();
    private Workspace _workspace = null!;

    public async ValueTask InitializeAsync() =>
        _workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), passphrase: null);

    public ValueTask DisposeAsync()
    {
        _worker.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_receipt_is_walked_from_its_signature_to_the_data_set()
    {
        await LogMakingAsync();
        await LogReleaseAsync("released");
        var (code, links) = await VerifyAsync(await ReceiptAsync());
        Assert.Equal(["signature", "statement", "log", "checkpoint", "policy", "attestation", "package", "training", "privacy", "data"], links.Keys);
        Assert.All(links.Values, link => Assert.True(link.Holds, link.Detail));
        Assert.Contains("ε 1", links["privacy"].Detail);
        Assert.Contains("INSECURE", links["attestation"].Detail);
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task A_prediction_whose_key_was_never_released_is_answered_no()
    {
        await LogMakingAsync();
        var (code, links) = await VerifyAsync(await ReceiptAsync());
        Assert.Equal(1, code);
        Assert.False(links["attestation"].Holds);
        Assert.True(links["package"].Holds);
    }

    [Fact]
    public async Task A_refused_release_is_answered_no()
    {
        await LogMakingAsync();
        await LogReleaseAsync("refused");
        var (code, links) = await VerifyAsync(await ReceiptAsync());
        Assert.Equal(1, code);
        Assert.False(links["attestation"].Holds);
    }

    [Fact]
    public async Task A_package_that_nobody_sealed_is_answered_no()
    {
        await LogReleaseAsync("released");
        var (code, links) = await VerifyAsync(await ReceiptAsync());
        Assert.Equal(1, code);
        Assert.False(links["package"].Holds);
    }

    [Fact]
    public async Task Statements_of_a_stranger_in_the_log_do_not_count()
    {
        await LogMakingAsync();
        using var keys = _workspace.OpenKeys();
        using var stranger = Signer.Generate();
        var release = SampleClaims.Released(Model, Evidence, _worker.PublicKey);
        await (await _workspace.OpenLogAsync(keys)).AppendAsync(Dsse.Sign(release, stranger), TestContext.Current.CancellationToken);
        var (code, links) = await VerifyAsync(await ReceiptAsync());
        Assert.Equal(1, code);
        Assert.False(links["attestation"].Holds);
    }

    [Fact]
    public async Task A_receipt_of_an_unknown_worker_is_answered_no_before_anything_is_walked()
    {
        using var another = Signer.Generate();
        await LogMakingAsync();
        await _workspace.AppendAsync(SampleClaims.Released(Model, Evidence, another.PublicKey), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_folder["receipt.json"], await ReceiptAsync(), TestContext.Current.CancellationToken);
        var (code, output, _) = await CommandContractTests.RunAsync(["verify", _folder["receipt.json"], "-w", _folder["w"]]);
        Assert.Equal(1, code);
        Assert.Contains("not signed by a trusted worker", output);
    }

    private async Task LogMakingAsync()
    {
        await _workspace.AppendAsync(Statement.Of("policy.cedar", Digest.Of("policy"u8), new PolicyChanged { Kind = PolicyChanged.AccessPolicy, Time = SampleClaims.Now }));
        await _workspace.AppendAsync(SampleClaims.Committed(Data));
        await _workspace.AppendAsync(SampleClaims.Trained(Digest.Of("another model of the same data"u8), Data, 9));
        await _workspace.AppendAsync(SampleClaims.Trained(SampleClaims.Onnx, Data, 1));
        await _workspace.AppendAsync(SampleClaims.Sealed(Model, SampleClaims.Onnx, Data));
    }

    private Task<LogEntryReceipt> LogReleaseAsync(string verdict) => _workspace.AppendAsync(SampleClaims.Released(Model, Evidence, _worker.PublicKey, verdict));

    private async Task<byte[]> ReceiptAsync()
    {
        var envelope = PredictionReceipt.Sign(new PredictionFacts
        {
            RequestDigest = Digest.Of("request"u8),
            ResponseDigest = Digest.Of("response"u8),
            ModelDigest = Model,
            PolicyVersion = Digest.Of("policy"u8),
            AttestationDigest = Evidence,
            ScreenVerdict = "passed",
            Outcome = "scored",
            Time = DateTimeOffset.UnixEpoch,
            Insecure = true,
        }, _worker);
        using var keys = _workspace.OpenKeys();
        var log = await _workspace.OpenLogAsync(keys);
        var given = await log.AppendAsync(envelope);
        return new PredictionReceipt(envelope, PredictionReceipt.NewSalt(), log.ProofFor(given.Index)).ToBytes();
    }

    private async Task<(int Code, Dictionary<string, EvidenceLink> Links)> VerifyAsync(byte[] receipt)
    {
        await File.WriteAllBytesAsync(_folder["receipt.json"], receipt, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["worker.key"], _worker.PublicKey + "\n", TestContext.Current.CancellationToken);
        var (code, output, _) = await CommandContractTests.RunAsync(["verify", _folder["receipt.json"], "--key", _folder["worker.key"], "--json", "-w", _folder["w"]]);
        using var document = JsonDocument.Parse(output);
        var links = document.RootElement.GetProperty("links").Deserialize<EvidenceLink[]>(JsonSerializerOptions.Web)!;
        return (code, links.SelectMany(link => link.Flatten()).ToDictionary(link => link.Name));
    }
}
