using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class PolicyHistoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Signer _gateway = Signer.Generate(), _stranger = Signer.Generate();

    public void Dispose()
    {
        _gateway.Dispose();
        _stranger.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_newest_policy_of_its_kind_that_a_trusted_key_logged_is_in_force()
    {
        await using var log = await TransparencyLog.CreateAsync(_folder["log"], "log.example", _gateway, TestContext.Current.CancellationToken);
        Assert.Null(InForce());
        await AppendAsync(Entry("first", PolicyChanged.AccessPolicy, _gateway), Entry("second", PolicyChanged.AccessPolicy, _gateway), Entry("evidence", PolicyChanged.EvidencePolicy, _gateway), Entry("strange", PolicyChanged.AccessPolicy, _stranger));
        Assert.Equal(Digest.Of("second"u8), InForce());
        await AppendAsync([.. Enumerable.Range(0, 600).Select(i => new byte[] { (byte)i })]);   // further back than one bundle
        Assert.Equal(Digest.Of("second"u8), InForce());

        Digest? InForce() => PolicyHistory.InForce(log, PolicyChanged.AccessPolicy, [_gateway.PublicKey]);

        async Task AppendAsync(params byte[][] entries)
        {
            await log.AppendManyAsync([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)], TestContext.Current.CancellationToken);
            await log.FlushAsync(TestContext.Current.CancellationToken);
        }
    }

    private static byte[] Entry(string policy, string kind, Signer signer) =>
        Dsse.Sign(Statement.Of("policy", Digest.Of(System.Text.Encoding.UTF8.GetBytes(policy)), new PolicyChanged { Kind = kind, Time = SampleClaims.Now }), signer);
}
