using Bulwark.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bulwark.Tests.Server;

/// <summary>What is left of a refused body holds nothing up.</summary>
public class RefusedBodyTests
{
    private static readonly Reply s_tooLarge = Reply.Of(new Refusal(StatusCodes.Status413PayloadTooLarge, "body-too-large", "A body may have 64 bytes."));

    [Fact]
    public async Task A_refused_request_leaves_before_its_body_is_taken()
    {
        var load = new GatewayLoad(1);
        Assert.True(load.TryEnter());
        using var body = new Held();
        var stay = load.Enter();
        var writing = s_tooLarge.WriteAsync(Request(body, new()), stay);
        Assert.True(body.IsAsked);          // it waits for what the client still sends
        Assert.Equal(0, load.UnderWay);
        Assert.True(load.TryEnter());       // and the next request has its place
        stay.Leave();
        Assert.Equal(1, load.UnderWay);     // left once
        body.End();
        await writing;
    }

    [Fact]
    public async Task Beyond_so_many_refused_bodies_connections_are_broken_off()
    {
        var bodies = Enumerable.Range(0, RequestBody.MostDrains).Select(_ => new Held()).ToArray();
        var writing = bodies.Select(body => s_tooLarge.WriteAsync(Request(body, new()))).ToArray();
        Assert.All(bodies, body => Assert.True(body.IsAsked));
        using var one = new Held();
        var connection = new Connection();
        await s_tooLarge.WriteAsync(Request(one, connection));
        Assert.True(connection.IsAborted);
        Assert.False(one.IsAsked);
        foreach (var body in bodies)
            body.End();
        await Task.WhenAll(writing);
        using var after = new Held();
        after.End();
        connection = new();
        await s_tooLarge.WriteAsync(Request(after, connection));
        Assert.True(after.IsAsked);
        Assert.False(connection.IsAborted);
    }

    private static DefaultHttpContext Request(Held body, Connection connection)
    {
        var http = new DefaultHttpContext();
        http.Features.Set<IHttpRequestLifetimeFeature>(connection);
        (http.Request.Protocol, http.Request.Body) = (HttpProtocol.Http11, body);
        return http;
    }

    private sealed class Connection : IHttpRequestLifetimeFeature
    {
        internal bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsAborted = true;
    }

    /// <summary>A body of which nothing comes until it ends, whoever loses patience.</summary>
    private sealed class Held : MemoryStream
    {
        private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal bool IsAsked { get; private set; }

        internal void End() => _end.SetResult(0);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            IsAsked = true;
            return new(_end.Task);
        }
    }
}
