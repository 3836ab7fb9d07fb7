using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;

namespace Bulwark.Tests.Server;

public class DecisionGroupTests
{
    private static readonly Digest Policy = Digest.Of("policy"u8);

    [Theory]
    [InlineData("fraud")]
    [InlineData("b\u00e9trug \"quoted\" \ud83d\ude00")]
    public void Both_ways_of_writing_a_group_give_the_same_canonical_bytes(string model)
    {
        var group = Group(model);
        Subject[] subjects = [new("access policy", Policy), new(model, Digest.Of("package"u8))];
        var payload = DecisionGroup.Payload(group, subjects);
        Assert.Equal(Statement.Of(subjects, group).ToBytes(), payload);
        Assert.True(CanonicalJson.IsCanonical(payload));
    }

    [Fact]
    public void The_envelope_is_the_one_of_every_other_statement()
    {
        using var signer = Signer.Generate();
        var payload = DecisionGroup.Payload(Group("fraud"), [new("access policy", Policy)]);
        var envelope = DecisionGroup.Sign(payload, signer);
        Assert.Equal(Dsse.Sign(Statement.PayloadType, payload, signer), envelope);
        Assert.Equal(DsseVerdict.Trusted, Dsse.Verify(envelope, signer.PublicKey).Verdict);
    }

    [Fact]
    public async Task What_the_log_refuses_is_answered_by_nothing_and_the_next_decision_is_tried_again()
    {
        using var folder = new TemporaryFolder();
        using var signer = Signer.Generate();
        await using var log = await TransparencyLog.CreateAsync(folder["log"], "test/log", signer, TestContext.Current.CancellationToken);
        var failures = 0;
        await using var audit = new AuditWriter(log, signer, null, 16, _ => null, _ => throw new InvalidOperationException($"{++failures}"));   // whoever is told fails, too
        Assert.NotNull(await audit.RecordAsync(Decision()));
        Directory.Move(folder["log"], folder["away"]);
        await File.WriteAllTextAsync(folder["log"], "", TestContext.Current.CancellationToken);
        Assert.Null(await audit.RecordAsync(Decision()));
        Assert.Null(await audit.RecordAsync(Decision()));
        Assert.Equal(2, failures);
    }

    [Fact]
    public async Task Groups_name_the_one_before_and_number_every_decision()
    {
        using var folder = new TemporaryFolder();
        using var signer = Signer.Generate();
        await using var log = await TransparencyLog.CreateAsync(folder["log"], "test/log", signer, TestContext.Current.CancellationToken);
        var failures = new List<Exception>();
        await using (var audit = new AuditWriter(log, signer, new AuditTrail(folder["trail"]), 4096, _ => null, failures.Add))
            await Task.WhenAll(Enumerable.Range(0, 2000).Select(async _ => Assert.NotNull(await audit.RecordAsync(Decision()))));
        Assert.Empty(failures);
        var size = (await log.FlushAsync(TestContext.Current.CancellationToken)).Size;
        Digest? previous = null;
        var next = 0L;
        for (var i = 0L; i < size; i++)
        {
            var opened = Dsse.Verify(log.ReadEntry(i), signer.PublicKey);
            var group = Statement.Parse(opened.Payload).Read<RequestsJudged>();
            Assert.Equal((previous, next), (group.Previous, group.First));
            (previous, next) = (Digest.Of(opened.Payload.Span), next + group.Decisions.Count);
        }

        Assert.Equal(2000, next);
        var lines = await File.ReadAllLinesAsync(Directory.GetFiles(folder["trail"]).Single(), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 2000), lines.Select(line => (int)AuditLine.Parse(line).Number));
    }

    private static GatewayDecision Decision() => new("infer", DateTimeOffset.UnixEpoch) { Policy = Policy, Reason = "x", Status = 403 };

    private static RequestsJudged Group(string model) => new()
    {
        Gateway = "00112233445566778899aabbccddeeff",
        First = 7,
        Previous = Digest.Of("before"u8),
        Policy = Policy,
        Trail = Digest.Of(Encoding.UTF8.GetBytes("lines")),
        Decisions =
        [
            new() { Action = "infer", Time = DateTimeOffset.UnixEpoch.AddTicks(1234567), Outcome = "scored", Reason = "accepted", Status = 200, Client = "hmac-sha256:" + new string('a', 64), Model = model, Policies = ["policy0", "policy1"] },
            new() { Action = "inspect", Time = DateTimeOffset.UnixEpoch, Outcome = "refused", Reason = "token-missing", Status = 401, Policies = [] },
        ],
    };
}
