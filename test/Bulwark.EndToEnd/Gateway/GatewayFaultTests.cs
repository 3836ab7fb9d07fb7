using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Bulwark.Cli.Serving;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Lineage;
using Bulwark.Server;
using Bulwark.Tests.Servers;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>What breaks while requests are under way: an honest refusal each time, nothing served that is not recorded, and all as before when it is mended.</summary>
public sealed class GatewayFaultTests : GatewayTest
{
    [Fact]
    public async Task A_full_disk_under_the_trail_is_503_and_goes_on_when_there_is_room()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        var trail = Directory.CreateDirectory(World.PathOf("trail"));
        var day = Path.Combine(trail.FullName, $"decisions-{DateTimeOffset.UtcNow:yyyy-MM-dd}.jsonl");
        File.CreateSymbolicLink(day, "/dev/full");
        await using var host = await World.StartAsync(World.Options with { TrailDirectory = trail.FullName, Receipts = ReceiptMode.Asked });
        using var client = World.Payments(host);
        using (var refused = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow)))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.StartsWith("log-unavailable:", await GatewayWorld.ErrorAsync(refused), StringComparison.Ordinal);
        }

        File.Delete(day);
        using var answered = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        await World.Log.FlushAsync(GatewayWorld.Cancel);
        var report = TrailCheck.Run(trail.GetFiles(), World.Log, World.Keys.PublicKey("signing"));
        Assert.Equal((1L, 0), (report.Decisions, report.Faults.Count));
    }

    [Fact]
    public async Task A_certificate_that_expires_on_a_living_connection_is_refused_by_its_name()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var host = await World.StartAsync(World.Options with { Time = time });
        using var certificate = World.Identity.LoadClient("payments");
        using var client = World.Client(host, certificate, World.Identity.LoadToken("payments"));
        using (var before = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow)))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        time.SetUtcNow(certificate.NotAfter.ToUniversalTime().AddSeconds(1));
        using var after = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.StartsWith("certificate-expired:", await GatewayWorld.ErrorAsync(after), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_under_way_is_answered_while_the_gateway_drains()
    {
        var host = await World.StartAsync(World.Options with { HealthPort = 0, Receipts = ReceiptMode.Asked, DrainTimeout = TimeSpan.FromMinutes(2) });
        await using var stream = await ConnectAsync(host);
        var body = new string(' ', 15_000) + GatewayWorld.Body(GatewayWorld.GoodRow);   // at 240 bytes a second the gateway waits a minute for the rest
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Head(body.Length) + body[..15_000]), GatewayWorld.Cancel);
        await Eventually.IsSoAsync(async () => (await GatewayWorld.MetricsAsync(host)).Contains("bulwark_requests_under_way 1", StringComparison.Ordinal));
        var stopping = host.DisposeAsync().AsTask();
        await Eventually.IsSoAsync(async () => !await TakesConnectionsAsync(host));
        Assert.False(stopping.IsCompleted);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(body[15_000..]), GatewayWorld.Cancel);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 200", await reader.ReadLineAsync(GatewayWorld.Cancel), StringComparison.Ordinal);
        await stopping;
    }

    [Fact]
    public async Task Clients_that_never_end_their_headers_are_cut_off_and_hold_nobody_up()
    {
        await using var host = await World.StartAsync(World.Options with { Receipts = ReceiptMode.Asked });
        var slow = Enumerable.Range(0, 8).Select(async _ =>
        {
            await using var stream = await ConnectAsync(host);
            await stream.WriteAsync("POST /v2/models/fraud/infer HTTP/1.1\r\nHost: local"u8.ToArray(), GatewayWorld.Cancel);
            using var reader = new StreamReader(stream, Encoding.ASCII);
            return await reader.ReadLineAsync(GatewayWorld.Cancel);   // the server ends it, the client never does
        }).ToArray();
        using var client = World.Payments(host);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client));
        Assert.All(await Task.WhenAll(slow), answer => Assert.True(answer is null || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client));
    }

    [Fact]
    public async Task Clients_that_reset_their_connections_leave_no_gap_in_the_record()
    {
        var host = await World.StartAsync(World.Options with { Receipts = ReceiptMode.Asked, TrailDirectory = World.PathOf("trail") });
        var answered = 0;
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            await using var stream = await ConnectAsync(host);
            var body = GatewayWorld.Body(GatewayWorld.GoodRow);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Head(body.Length) + body[..(i % 4 == 0 ? 10 : body.Length)]), GatewayWorld.Cancel);
            if (i % 4 == 3)
                answered += 0 == await stream.ReadAsync(new byte[16], GatewayWorld.Cancel) ? 0 : 1;
        }));
        await Eventually.IsSoAsync(async () => (await GatewayWorld.MetricsAsync(host)).Contains("bulwark_requests_under_way 0", StringComparison.Ordinal));
        var judged = (await GatewayWorld.MetricsAsync(host)).Split('\n').Where(line => line.StartsWith("bulwark_inference_total{", StringComparison.Ordinal)).Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
        await host.DisposeAsync();
        await World.Log.FlushAsync(GatewayWorld.Cancel);
        var report = TrailCheck.Run(new DirectoryInfo(World.PathOf("trail")).GetFiles(), World.Log, World.Keys.PublicKey("signing"));
        Assert.Empty(report.Faults);
        Assert.InRange(report.Decisions, (long)judged, 40);   // more, where the last connections were judged after the count was read
        Assert.True(report.Decisions >= 10, $"{report.Decisions} decisions for {answered} answers");
    }

    [Fact]
    public async Task A_database_that_is_killed_is_503_and_serves_again_when_it_is_back()
    {
        using var postgres = PostgresServer.StartOwn();
        using var signer = World.Keys.OpenSigner("log");
        var directory = World.PathOf("log-in-database");
        var store = await LogStores.OpenAsync("postgres:" + postgres.CreateDatabase(), directory, GatewayWorld.Cancel);
        await using var log = await TransparencyLog.CreateAsync(directory, "bulwark.test/database", signer, store, GatewayWorld.Cancel);
        await using var host = await World.StartAsync(World.Options with { Log = log, Receipts = ReceiptMode.Asked });
        using var client = World.Payments(host);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client));
        postgres.Kill();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(client));
        postgres.StartAgain();
        await Eventually.IsSoAsync(async () => await StatusAsync(client) == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_shared_store_of_queries_that_is_killed_is_503_and_serves_again_when_it_is_back()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var shared = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), TimeSpan.FromSeconds(5));
        var trail = World.PathOf("trail");
        var asked = 0;
        await using (var host = await World.StartAsync(World.Options with { Observer = new MonitoredQueries(AlarmAnswer.Withhold, null, TimeProvider.System, shared), TrailDirectory = trail, Receipts = ReceiptMode.Asked }))
        {
            using var client = World.Payments(host);
            Task<HttpStatusCode> AskAsync()
            {
                asked++;
                return StatusAsync(client);
            }

            await Eventually.IsSoAsync(async () => await AskAsync() == HttpStatusCode.OK);
            redis.Kill();
            asked++;
            using (var refused = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow)))
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
                Assert.StartsWith("monitor-unavailable:", await GatewayWorld.ErrorAsync(refused), StringComparison.Ordinal);
            }

            await redis.StartAgainAsync();
            await Eventually.IsSoAsync(async () => await AskAsync() == HttpStatusCode.OK);
        }

        await World.Log.FlushAsync(GatewayWorld.Cancel);
        var report = TrailCheck.Run(new DirectoryInfo(trail).GetFiles(), World.Log, World.Keys.PublicKey("signing"));
        Assert.Empty(report.Faults);
        Assert.Equal(asked, report.Decisions);
    }

    [Fact]
    public async Task A_client_has_one_rate_at_two_gateways_and_none_while_their_store_is_away()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var shared = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), TimeSpan.FromSeconds(5));
        var options = World.Options with { RequestsPerSecond = 0.001, RequestBurst = 4, SharedRates = new(shared, goOnAlone: false), Receipts = ReceiptMode.Asked };
        await using var first = await World.StartAsync(options);
        var ring = KeyRing.Create(World.PathOf("other-ring.json"), KeyRingUnlock.KeyFile(World.PathOf("other-ring.key")));
        await using var second = await World.StartAsync(options with { Keys = ring, PackageKeys = World.Keys });   // its pseudonyms are others
        using HttpClient one = World.Payments(first), two = World.Payments(second);
        HttpStatusCode[] answers = [await StatusAsync(one), await StatusAsync(two), await StatusAsync(one), await StatusAsync(two), await StatusAsync(one)];
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers);
        redis.Kill();
        using var refused = await GatewayWorld.InferAsync(two, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.StartsWith("rates-unavailable:", await GatewayWorld.ErrorAsync(refused), StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client)
    {
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        return response.StatusCode;
    }

    private static async Task<bool> TakesConnectionsAsync(GatewayHost host)
    {
        using var probe = new TcpClient();
        try
        {
            await probe.ConnectAsync(IPAddress.Loopback, host.BaseAddress.Port, GatewayWorld.Cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private string Head(int length) =>
        $"POST /v2/models/fraud/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {World.Identity.LoadToken("payments")}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n";

    private async Task<SslStream> ConnectAsync(GatewayHost host)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };   // closed, it resets
        await socket.ConnectAsync("127.0.0.1", host.BaseAddress.Port, GatewayWorld.Cancel);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = TlsPolicy.Client([World.Identity.LoadAuthority()], World.Identity.LoadClient("payments"));
        options.TargetHost = "localhost";
        await stream.AuthenticateAsClientAsync(options, GatewayWorld.Cancel);
        return stream;
    }
}
