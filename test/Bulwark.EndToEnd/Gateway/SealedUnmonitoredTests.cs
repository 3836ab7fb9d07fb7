using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A query monitor that acts on rows cannot be passed by with requests that hide them.</summary>
public sealed class SealedUnmonitoredTests : GatewayTest
{
    [Fact]
    public async Task Sealed_requests_to_a_watched_model_are_refused_and_recorded_unless_the_operator_takes_them()
    {
        var watched = World.Options with { Observer = new ActsOnRows() };
        var trail = Directory.CreateTempSubdirectory("bulwark-trail");
        ObliviousProtocol[] protocols = [ObliviousProtocol.None, ObliviousProtocol.Ehbp, ObliviousProtocol.ObliviousHttp, ObliviousProtocol.ChunkedObliviousHttp];
        try
        {
            await using (var host = await World.StartAsync(watched with { TrailDirectory = trail.FullName }))
            {
                foreach (var protocol in protocols)
                {
                    using var client = Client(host, protocol);
                    var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
                    Assert.Contains("sealed-not-monitored", failure.Message, StringComparison.Ordinal);
                }

                using var plain = World.Payments(host);
                using var answer = await GatewayWorld.InferAsync(plain, GatewayWorld.Body(GatewayWorld.GoodRow));
                Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
            }

            var recorded = string.Concat(trail.EnumerateFiles("*", SearchOption.AllDirectories).Select(file => File.ReadAllText(file.FullName)));
            Assert.Equal(protocols.Length, recorded.Split("sealed-not-monitored").Length - 1);
        }
        finally
        {
            Bulwark.Tests.TemporaryFolder.Remove(trail.FullName);
        }

        await using var open = await World.StartAsync(watched with { SealedUnmonitored = true });
        foreach (var protocol in protocols)
        {
            using var client = Client(open, protocol);
            Assert.Single(await client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
        }
    }

    private BulwarkClient Client(GatewayHost host, ObliviousProtocol protocol) => new(new BulwarkClientOptions
    {
        Gateway = host.BaseAddress,
        Model = "fraud",
        Policy = World.EvidencePolicy,
        Log = World.Keys.PublicKey("log"),
        Brokers = [World.Keys.PublicKey("signing")],
        Authorities = [World.Identity.LoadAuthority()],
        Certificate = World.Identity.LoadClient("payments"),
        Token = World.Identity.LoadToken("payments"),
        Protocol = protocol,
    });

    private sealed class ActsOnRows : QueryObserver
    {
        public override bool MustSeeRows(string model) => model == "fraud";
    }
}
