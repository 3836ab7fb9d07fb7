using Bulwark.Cryptography;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A gateway that does what it should not with what it carries: a test says what.</summary>
internal sealed class CarryingGateway(HttpMessageHandler way) : DelegatingHandler(way)
{
    /// <summary>Changes a sealed request before it goes on.</summary>
    internal Func<byte[], byte[]>? OnRequest { get; set; }

    /// <summary>Changes an answer before it goes back; of a sealed request only.</summary>
    internal Func<byte[], byte[]>? OnAnswer { get; set; }

    /// <summary>Changes the evidence before it goes back.</summary>
    internal Func<byte[], byte[]>? OnEvidence { get; set; }

    /// <summary>Round trips so far.</summary>
    internal int Count { get; private set; }

    /// <summary>The last sealed request as it went on.</summary>
    internal byte[] LastRequest { get; private set; } = [];

    internal List<byte[]> Answers { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Count++;
        var isSealed = request.Content?.Headers.ContentType?.MediaType == SealedChannel.MediaType;
        if (isSealed)
        {
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            LastRequest = OnRequest?.Invoke(body) ?? body;
            var type = request.Content.Headers.ContentType;
            request.Content = new ByteArrayContent(LastRequest);
            request.Content.Headers.ContentType = type;
        }

        var response = await base.SendAsync(request, cancellationToken);
        var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (isSealed)
            Answers.Add(answer);
        if ((isSealed ? OnAnswer : OnEvidence) is { } change)
        {
            var type = response.Content.Headers.ContentType;
            response.Content = new ByteArrayContent(change(answer));
            response.Content.Headers.ContentType = type;
        }

        return response;
    }
}
