using System.Security.Cryptography;
using Bulwark.Cryptography;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Cryptography;

/// <summary>Sealed requests against whoever carries them.</summary>
public sealed class SealedChannelTests : IDisposable
{
    private static readonly SealedRoute s_route = new("POST", "/v2/models/fraud/infer", "fraud");
    private static readonly byte[] s_binding = [1, 2, 3];

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2027, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly byte[] _workerKey;
    private readonly SealedEndpoint _worker;
    private readonly SealedChannel _client;

    public SealedChannelTests()
    {
        var keys = HpkeKeyPair.Generate();
        _workerKey = keys.PublicKey.ToArray();
        _worker = new(keys, s_binding, _time);
        _client = SealedChannel.Open(_workerKey, s_binding, _time.GetUtcNow());
    }

    public void Dispose()
    {
        _client.Dispose();
        _worker.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(508)]
    [InlineData(65536)]
    [InlineData(200_000)]
    public void Request_and_response_come_back(int size)
    {
        var body = RandomNumberGenerator.GetBytes(size);
        for (var i = 0; i < 3; i++)
        {
            var call = _client.Seal(s_route, body);
            var arrival = _worker.Open(s_route, call.Message.Span);
            Assert.Equal(body, arrival.Body.ToArray());
            Assert.Equal(body, call.Open(arrival.Seal(body)));
        }
    }

    [Fact]
    public void Sizes_are_seen_in_buckets_only()
    {
        int Length(int size) => _client.Seal(s_route, new byte[size]).Message.Length;
        Assert.Equal(Length(0), Length(508));
        Assert.Equal(Length(509), Length(1020));
        Assert.NotEqual(Length(508), Length(509));
        Assert.Equal(Length(70_000), Length(131_000));
    }

    [Fact]
    public void A_replay_is_refused_in_any_order_and_numbers_may_overtake()
    {
        var calls = Enumerable.Range(0, 5).Select(i => _client.Seal(s_route, [(byte)i])).ToList();
        foreach (var i in (int[])[3, 0, 4, 1, 2])
            Assert.Equal(i, _worker.Open(s_route, calls[i].Message.Span).Body.Span[0]);
        Assert.All(calls, call => Refused(SealedRefusal.Replayed, call.Message.ToArray()));
        var late = _client.Seal(s_route, []);
        for (var i = 0; i < ReplayWindow.Size; i++)
            _worker.Open(s_route, _client.Seal(s_route, []).Message.Span);
        Refused(SealedRefusal.Replayed, late.Message.ToArray());
    }

    [Fact]
    public void Every_changed_byte_is_refused()
    {
        var message = _client.Seal(s_route, new byte[40]).Message.ToArray();
        for (var i = 0; i < message.Length; i++)
        {
            message[i] ^= 0x10;
            Assert.Throws<SealedRequestException>(() => _worker.Open(s_route, message));
            message[i] ^= 0x10;
        }

        _worker.Open(s_route, message);
    }

    [Fact]
    public void What_is_cut_or_reordered_is_refused_by_name()
    {
        var message = _client.Seal(s_route, new byte[200_000]).Message.ToArray();
        const int Chunk = 4 + SealedMessage.ChunkSize + 16;
        var front = message[..SealedMessage.RequestFront];
        var (first, second, rest) = (message[front.Length..(front.Length + Chunk)], message[(front.Length + Chunk)..(front.Length + 2 * Chunk)], message[(front.Length + 2 * Chunk)..]);
        Refused(SealedRefusal.Truncated, [.. front, .. first, .. second]);
        Refused(SealedRefusal.Truncated, [.. front, .. first]);
        Refused(SealedRefusal.Tampered, [.. front, .. second, .. first, .. rest]);
        Refused(SealedRefusal.Tampered, [.. message, 0]);
        Refused(SealedRefusal.Malformed, message[..40]);
        Assert.Equal(200_000, _worker.Open(s_route, message).Body.Length);
    }

    [Theory]
    [InlineData("GET", "/v2/models/fraud/infer", "fraud")]
    [InlineData("POST", "/v2/models/fraud/versions/1/infer", "fraud")]
    [InlineData("POST", "/v2/models/fraud/infer", "loans")]
    public void A_request_opens_only_where_it_was_sent(string method, string path, string model)
    {
        var call = _client.Seal(s_route, "row"u8);
        Assert.Equal(SealedRefusal.Tampered, Assert.Throws<SealedRequestException>(() => _worker.Open(new(method, path, model), call.Message.Span)).Refusal);
        Assert.Equal("row"u8, _worker.Open(s_route, call.Message.Span).Body.Span);
    }

    [Fact]
    public void A_response_opens_only_for_its_request()
    {
        var (first, second) = (_client.Seal(s_route, "a"u8), _client.Seal(s_route, "a"u8));
        var (one, two) = (_worker.Open(s_route, first.Message.Span), _worker.Open(s_route, second.Message.Span));
        var (answer, other) = (one.Seal("score"u8), two.Seal("score"u8));
        Assert.Equal(SealedRefusal.Tampered, Assert.Throws<SealedRequestException>(() => first.Open(other)).Refusal);
        Assert.Equal(SealedRefusal.Truncated, Assert.Throws<SealedRequestException>(() => first.Open(answer.AsSpan(0, SealedMessage.ResponseFront))).Refusal);
        Assert.Equal(SealedRefusal.Malformed, Assert.Throws<SealedRequestException>(() => first.Open("{\"error\":\"plain\"}"u8)).Refusal);
        Assert.Equal("score"u8, first.Open(answer));
        answer[^1] ^= 1;
        Assert.Equal(SealedRefusal.Tampered, Assert.Throws<SealedRequestException>(() => first.Open(answer)).Refusal);
    }

    [Fact]
    public void Another_worker_another_binding_and_another_time_are_refused_by_name()
    {
        using var other = HpkeKeyPair.Generate();
        using var toOther = SealedChannel.Open(other.PublicKey, s_binding, _time.GetUtcNow());
        Refused(SealedRefusal.UnknownKey, toOther.Seal(s_route, []).Message.ToArray());
        using var otherBinding = SealedChannel.Open(_workerKey, [9], _time.GetUtcNow());
        Refused(SealedRefusal.Tampered, otherBinding.Seal(s_route, []).Message.ToArray());
        using var future = SealedChannel.Open(_workerKey, s_binding, _time.GetUtcNow() + TimeSpan.FromMinutes(3));
        Refused(SealedRefusal.Expired, future.Seal(s_route, []).Message.ToArray());
        _time.Advance(TimeSpan.FromMinutes(13));
        Refused(SealedRefusal.Expired, _client.Seal(s_route, []).Message.ToArray());
    }

    [Fact]
    public void A_session_that_is_still_accepted_is_never_forgotten_for_room()
    {
        using var keys = HpkeKeyPair.Generate();
        using var endpoint = new SealedEndpoint(HpkeKeyPair.Import(keys.ExportPrivateKey()), s_binding, _time, mostSessions: 1);
        using var first = SealedChannel.Open(keys.PublicKey, s_binding, _time.GetUtcNow());
        using var second = SealedChannel.Open(keys.PublicKey, s_binding, _time.GetUtcNow());
        endpoint.Open(s_route, first.Seal(s_route, []).Message.Span);
        Assert.Equal(SealedRefusal.Busy, Assert.Throws<SealedRequestException>(() => endpoint.Open(s_route, second.Seal(s_route, []).Message.Span)).Refusal);
        _time.Advance(TimeSpan.FromMinutes(15));
        using var third = SealedChannel.Open(keys.PublicKey, s_binding, _time.GetUtcNow());
        endpoint.Open(s_route, third.Seal(s_route, []).Message.Span);
    }

    private void Refused(SealedRefusal expected, byte[] message) =>
        Assert.Equal(expected, Assert.Throws<SealedRequestException>(() => _worker.Open(s_route, message)).Refusal);
}
