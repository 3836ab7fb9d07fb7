using System.Net;
using Bulwark.Server;
using static Bulwark.EndToEnd.Gateway.RawHttp2;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Clients that break HTTP/2, rule by rule: they are told which (RFC 9113, section 7), or lose their connection, and nobody else notices.</summary>
public sealed class Http2AbuseTests(Http2AbuseTests.Stage stage) : IClassFixture<Http2AbuseTests.Stage>
{
    private const uint Protocol = 1, FlowControl = 3, StreamClosed = 5, FrameSize = 6, Refused = 7, Cancelled = 8, Compression = 9, Calm = 11;
    private static readonly byte[] s_request = Frame(Headers, EndStream | EndHeaders, 1, Get());

    /// <summary>Frames behind the preface and an empty SETTINGS, and the codes that RFC 9113 allows for them.</summary>
    private static readonly Dictionary<string, (byte[] Bytes, uint[] Codes)> s_offences = new()
    {
        ["a frame above the size that was agreed"] = (Frame(Headers, EndStream | EndHeaders, 1, new byte[16_385]), [FrameSize]),
        ["data above that size"] = ([.. Frame(Headers, EndHeaders, 1, Get()), .. Frame(Body, 0, 1, new byte[16_385])], [FrameSize]),
        ["data on a stream that was never opened"] = (Frame(Body, 0, 1, new byte[8]), [Protocol, StreamClosed]),
        ["data on no stream"] = (Frame(Body, 0, 0, new byte[8]), [Protocol]),
        ["data after the end of its stream"] = ([.. s_request, .. Frame(Body, EndStream, 1, new byte[8])], [StreamClosed, Protocol]),
        ["a stream that a server would open"] = (Frame(Headers, EndStream | EndHeaders, 2, Get()), [Protocol]),
        ["a stream used twice"] = ([.. s_request, .. s_request], [StreamClosed, Protocol]),
        ["a stream below one used before"] = ([.. Frame(Headers, EndStream | EndHeaders, 5, Get()), .. Frame(Headers, EndStream | EndHeaders, 3, Get())], [Protocol, StreamClosed]),
        ["a continuation of nothing"] = (Frame(Continuation, EndHeaders, 1, Get()), [Protocol]),
        ["another frame inside of headers"] = ([.. Frame(Headers, EndStream, 1, Get()), .. Frame(Ping, 0, 0, new byte[8])], [Protocol]),
        ["another stream's continuation"] = ([.. Frame(Headers, EndStream, 1, Get()), .. Frame(Continuation, EndHeaders, 3, Get())], [Protocol]),
        ["headers on no stream"] = (Frame(Headers, EndStream | EndHeaders, 0, Get()), [Protocol]),
        ["settings of half a length"] = (Frame(Settings, 0, 0, new byte[5]), [FrameSize]),
        ["settings on a stream"] = (Frame(Settings, 0, 1), [Protocol]),
        ["settings acknowledged with contents"] = (Frame(Settings, Acknowledge, 0, new byte[6]), [FrameSize]),
        ["a window above 2^31 - 1"] = (Frame(Settings, 0, 0, Setting(4, 0x80000000)), [FlowControl]),
        ["a frame size below 2^14"] = (Frame(Settings, 0, 0, Setting(5, 100)), [Protocol]),
        ["a push that is neither on nor off"] = (Frame(Settings, 0, 0, Setting(2, 2)), [Protocol]),
        ["a window that grows by nothing"] = (Frame(WindowUpdate, 0, 0, Number(0)), [Protocol]),
        ["a window that grows above 2^31 - 1"] = (Frame(WindowUpdate, 0, 0, Number(0x7fffffff)), [FlowControl]),
        ["a window of three bytes"] = (Frame(WindowUpdate, 0, 0, new byte[3]), [FrameSize]),
        ["a ping of seven bytes"] = (Frame(Ping, 0, 0, new byte[7]), [FrameSize]),
        ["a ping on a stream"] = (Frame(Ping, 0, 1, new byte[8]), [Protocol]),
        ["a reset of a stream that was never opened"] = (Frame(ResetStream, 0, 1, Number(8)), [Protocol]),
        ["a reset of three bytes"] = ([.. Frame(Headers, EndHeaders, 1, Get()), .. Frame(ResetStream, 0, 1, new byte[3])], [FrameSize]),
        ["a priority of four bytes"] = (Frame(Priority, 0, 1, new byte[4]), [FrameSize]),
        ["a push promise from a client"] = (Frame(PushPromise, EndHeaders, 1, [0, 0, 0, 2, .. Get()]), [Protocol]),
        ["a farewell on a stream"] = (Frame(GoAway, 0, 1, new byte[8]), [Protocol]),
        ["more padding than frame"] = (Frame(Headers, EndStream | EndHeaders | Padded, 1, [200, .. Get()]), [Protocol]),
        ["a name of no length"] = (Frame(Headers, EndStream | EndHeaders, 1, Get(("", "x"))), [Protocol, Compression]),
        ["a name with a capital"] = (Frame(Headers, EndStream | EndHeaders, 1, Get(("X-Capital", "x"))), [Protocol]),
        ["a header of the connection"] = (Frame(Headers, EndStream | EndHeaders, 1, Get(("connection", "keep-alive"))), [Protocol]),
        ["te other than trailers"] = (Frame(Headers, EndStream | EndHeaders, 1, Get(("te", "gzip"))), [Protocol]),
        ["a pseudo-header that is none"] = (Frame(Headers, EndStream | EndHeaders, 1, Get((":foreign", "x"))), [Protocol]),
        ["a pseudo-header of answers"] = (Frame(Headers, EndStream | EndHeaders, 1, Get((":status", "200"))), [Protocol]),
        ["a pseudo-header twice"] = (Frame(Headers, EndStream | EndHeaders, 1, Get((":path", "/v2"))), [Protocol]),
        ["a pseudo-header behind the others"] = (Frame(Headers, EndStream | EndHeaders, 1, Fields((":method", "GET"), (":scheme", "https"), ("accept", "x"), (":path", "/v2"))), [Protocol]),
        ["no method"] = (Frame(Headers, EndStream | EndHeaders, 1, Fields((":scheme", "https"), (":path", "/v2"))), [Protocol]),
        ["no path"] = (Frame(Headers, EndStream | EndHeaders, 1, Fields((":method", "GET"), (":scheme", "https"))), [Protocol]),
        ["an entry of a table that has none"] = (Frame(Headers, EndStream | EndHeaders, 1, [0xff, 0xff, 0x7f]), [Compression]),
        ["a table larger than was agreed"] = (Frame(Headers, EndStream | EndHeaders, 1, [0x3f, 0xe1, 0xff, 0x3f, .. Get()]), [Compression]),
        ["half a field"] = (Frame(Headers, EndStream | EndHeaders, 1, [0, 10, (byte)'a']), [Compression]),
    };

    public static TheoryData<string> Offences => [.. s_offences.Keys];

    [Theory]
    [MemberData(nameof(Offences))]
    public async Task An_offence_is_named(string offence)
    {
        await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity);
        await connection.SendAsync(s_offences[offence].Bytes);
        if (await connection.ErrorAsync() is { } code)   // a connection that is closed at once may lose the name
            Assert.Contains(code, s_offences[offence].Codes);
        await OthersAreServedAsync();
    }

    [Fact]
    public async Task A_connection_that_does_not_begin_as_http_2_is_closed()
    {
        await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity, greets: false);
        await connection.SendAsync("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n and so on, and so forth"u8.ToArray());
        Assert.Equal(Protocol, await connection.ErrorAsync() ?? Protocol);
        await OthersAreServedAsync();
    }

    [Fact]
    public async Task Headers_that_never_end_are_cut_off()
    {
        await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity);
        var piece = Fields(("x-more", new string('a', 8000)));
        var isOpen = await connection.SendAsync(Frame(Headers, EndStream, 1, Get()));
        for (var i = 0; isOpen && i < 200; i++)
            isOpen = await connection.SendAsync(Frame(Continuation, 0, 1, piece));
        Assert.NotEqual(Tolerated, await connection.ErrorAsync() ?? Calm);   // told or closed: in any case the connection has an end
        await OthersAreServedAsync();
    }

    [Fact]
    public async Task Streams_that_are_opened_and_reset_at_once_end_the_connection_and_no_other()
    {
        byte[] flood = [.. Enumerable.Range(0, 2000).SelectMany(i => (byte[])[.. Frame(Headers, EndHeaders, 1 + (2 * i), Infer()), .. Frame(ResetStream, 0, 1 + (2 * i), Number(8))])];
        var error = RawHttp2.Tolerated;
        for (var attempt = 0; error == RawHttp2.Tolerated && attempt < 20; attempt++)   // a server that keeps up with a flood has no reason to end it
        {
            await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity);
            await connection.SendAsync(flood);
            error = await connection.ErrorAsync() ?? Calm;
            await OthersAreServedAsync();
        }

        Assert.Contains(error, (uint[])[Calm, Refused]);
    }

    [Theory]
    [InlineData(Ping)]
    [InlineData(Settings)]
    public async Task Frames_that_each_want_an_answer_do_not_pile_up(byte type)
    {
        await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity);
        var many = Enumerable.Repeat(Frame(type, 0, 0, new byte[type == Ping ? 8 : 0]), 100).SelectMany(frame => frame).ToArray();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)   // 10,000 frames; answers are not read before they are all sent or the server closes
                if (!await connection.SendAsync(many))
                    return;
        }, GatewayWorld.Cancel);
        await OthersAreServedAsync();
        await connection.ErrorAsync();
        await sending;
        await OthersAreServedAsync();
    }

    [Fact]
    public async Task More_streams_than_allowed_are_refused_one_by_one()
    {
        await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity);
        await connection.SendAsync([.. Enumerable.Range(0, 120).SelectMany(i => Frame(Headers, EndHeaders, 1 + (2 * i), Infer()))]);   // each waits for a body that does not come
        Assert.Equal(Refused, await connection.ErrorAsync());
        await OthersAreServedAsync();
    }

    [Fact]
    public async Task Data_beyond_the_window_are_an_offence()
    {
        await using var connection = await RawHttp2.ConnectAsync(stage.Host, stage.World.Identity);
        var isOpen = await connection.SendAsync(Frame(Headers, EndHeaders, 1, Infer()));
        for (var i = 0; isOpen && i < 512; i++)   // 8 MiB, whatever the server answers
            isOpen = await connection.SendAsync(Frame(Body, 0, 1, new byte[16_384]));
        var error = await connection.ErrorAsync() ?? FlowControl;
        Assert.Contains(error, (uint[])[FlowControl, StreamClosed, Calm, Cancelled, RawHttp2.Tolerated]);   // the last two: refused for its size first, and what came after it was thrown away
        await OthersAreServedAsync();
    }

    private byte[] Infer() => Fields((":method", "POST"), (":scheme", "https"), (":path", "/v2/models/fraud/infer"), (":authority", "localhost"),
        ("content-type", "application/json"), ("authorization", "Bearer " + stage.World.Identity.LoadToken("payments")));

    private async Task OthersAreServedAsync()
    {
        using var other = stage.World.Payments(stage.Host);
        using var response = await GatewayWorld.InferAsync(other, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    /// <summary>One gateway for all offences: what one leaves behind, the next one meets.</summary>
    public sealed class Stage : IAsyncLifetime
    {
        internal GatewayWorld World { get; private set; } = null!;
        internal GatewayHost Host { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            World = await GatewayWorld.CreateAsync();
            Host = await World.StartAsync(World.Options with { Receipts = ReceiptMode.Asked });
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            World.Dispose();
        }
    }
}
