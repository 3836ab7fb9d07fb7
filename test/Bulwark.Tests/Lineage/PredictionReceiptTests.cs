using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class PredictionReceiptTests : IAsyncLifetime
{
    private static readonly byte[] Request = [1], Response = [2], Salt = PredictionReceipt.NewSalt();
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _logKey = Signer.Generate(), _worker = Signer.Generate(), _other = Signer.Generate();
    private TransparencyLog _log = null!;
    private PredictionReceipt _receipt = null!;

    private static PredictionFacts Facts => new()
    {
        RequestDigest = PredictionReceipt.RequestDigest(Salt, Request),
        ResponseDigest = PredictionReceipt.ResponseDigest(Salt, Response),
        ModelDigest = Digest.Of("model"u8),
        PolicyVersion = Digest.Of("policy"u8),
        AttestationDigest = Digest.Of("evidence"u8),
        ScreenVerdict = "passed",
        Outcome = "scored",
        Time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        Insecure = true,
    };

    public async ValueTask InitializeAsync()
    {
        _log = await TransparencyLog.CreateAsync(_folder["log"], "log.example", _logKey);
        await _log.AppendManyAsync([new byte[] { 1 }, new byte[] { 2 }, new byte[] { 3 }]);
        _receipt = await LoggedAsync(Facts, _worker);
    }

    public ValueTask DisposeAsync()
    {
        _logKey.Dispose();
        _worker.Dispose();
        _other.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void A_receipt_read_from_its_file_is_trusted_link_by_link()
    {
        var receipt = PredictionReceipt.Parse(_receipt.ToBytes());
        var report = receipt.Verify(_logKey.PublicKey, [_worker.PublicKey], Request, Response, Facts.ModelDigest);
        Assert.True(report.Trusted);
        Assert.Equal(["signature", "statement", "log", "request", "response", "model"], report.Links.Select(link => link.Name));
        Assert.Equal(Facts, receipt.Facts);
    }

    [Fact]
    public void Another_worker_log_request_response_or_model_is_named()
    {
        Refused("signature", _receipt.Verify(_logKey.PublicKey, [_other.PublicKey]));
        Refused("log", _receipt.Verify(_other.PublicKey, [_worker.PublicKey]));
        Refused("request", _receipt.Verify(_logKey.PublicKey, [_worker.PublicKey], request: Response));
        Refused("response", _receipt.Verify(_logKey.PublicKey, [_worker.PublicKey], response: Request));
        Refused("model", _receipt.Verify(_logKey.PublicKey, [_worker.PublicKey], model: Digest.Of("another model"u8)));
    }

    [Fact]
    public void A_receipt_without_its_place_in_the_log_is_not_trusted() =>
        Refused("log", (_receipt with { Proof = null }).Verify(_logKey.PublicKey, [_worker.PublicKey]));

    [Fact]
    public async Task The_proof_of_another_receipt_does_not_serve()
    {
        var another = await LoggedAsync(Facts with { Outcome = "refused" }, _worker);
        Refused("log", (_receipt with { Proof = another.Proof }).Verify(_logKey.PublicKey, [_worker.PublicKey]));
    }

    [Fact]
    public async Task A_signed_statement_of_another_kind_is_no_decision()
    {
        var statement = Statement.Create(PredicateTypes.Evaluation, [new Subject("request", Digest.Of(Request))], Facts);
        Refused("statement", (await LoggedAsync(Dsse.Sign(statement, _worker))).Verify(_logKey.PublicKey, [_worker.PublicKey]));
    }

    [Fact]
    public async Task Subjects_that_differ_from_the_facts_are_refused()
    {
        Subject[] subjects = [new("request", Digest.Of(Response)), new("response", Digest.Of(Response)), new("model", Facts.ModelDigest)];
        var statement = Statement.Create(PredicateTypes.Decision, subjects, Facts);
        Refused("statement", (await LoggedAsync(Dsse.Sign(statement, _worker))).Verify(_logKey.PublicKey, [_worker.PublicKey]));
    }

    [Fact]
    public void A_receipt_without_a_salt_of_its_length_is_none()
    {
        var text = System.Text.Encoding.UTF8.GetString(_receipt.ToBytes());
        Assert.Throws<FormatException>(() => PredictionReceipt.Parse(System.Text.Encoding.UTF8.GetBytes(text.Replace(Convert.ToBase64String(Salt), Convert.ToBase64String(Salt[1..]), StringComparison.Ordinal))));
        Assert.NotEqual(PredictionReceipt.RequestDigest(Salt, Request), PredictionReceipt.ResponseDigest(Salt, Request));
    }

    [Fact]
    public void A_changed_byte_anywhere_in_a_receipt_is_refused()
    {
        var bytes = _receipt.ToBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            bool trusted;
            try
            {
                trusted = PredictionReceipt.Parse(bytes).Verify(_logKey.PublicKey, [_worker.PublicKey], Request, Response).Trusted;
            }
            catch (FormatException)
            {
                trusted = false;
            }

            Assert.False(trusted, $"byte {i} ({(char)bytes[i]}) of the receipt can be changed");
            bytes[i] ^= 1;
        }
    }

    private static void Refused(string link, ReceiptReport report)
    {
        Assert.False(report.Trusted);
        Assert.False(report.Links.Single(candidate => candidate.Name == link).Holds);
        Assert.All(report.Links.Where(candidate => candidate.Name != link), other => Assert.True(other.Holds, other.Detail));
    }

    private Task<PredictionReceipt> LoggedAsync(PredictionFacts facts, Signer worker) => LoggedAsync(PredictionReceipt.Sign(facts, worker));

    private async Task<PredictionReceipt> LoggedAsync(byte[] envelope)
    {
        var given = await _log.AppendAsync(envelope);
        return new PredictionReceipt(envelope, Salt, _log.ProofFor(given.Index));
    }
}
