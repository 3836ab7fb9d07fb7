using System.Net.Http.Headers;
using Bulwark.Cryptography;

namespace Bulwark.Client;

/// <summary>The HTTP side: it carries, and is trusted with nothing.</summary>
internal sealed class GatewayConnection : IDisposable
{
    internal const string ReceiptHeader = "Bulwark-Receipt";
    private const string KeyHeader = "Ehbp-Encapsulated-Key", NonceHeader = "Ehbp-Response-Nonce";
    private const int LargestAnswer = 64 << 20;
    private readonly HttpClient _http;

    internal GatewayConnection(BulwarkClientOptions options, HttpMessageHandler? handler)
    {
        _http = new HttpClient(handler ?? new SocketsHttpHandler { SslOptions = TlsPolicy.Client([.. options.Authorities], options.Certificate) })
        {
            BaseAddress = options.Gateway,
            Timeout = options.Timeout,
            MaxResponseContentBufferSize = LargestAnswer,
        };
        if (options.Token is { } token)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    internal Task<GatewayAnswer> AttestAsync(string model, byte[] nonce, CancellationToken cancel) =>
        SendAsync(new(HttpMethod.Get, $"v2/models/{Uri.EscapeDataString(model)}/attestation?nonce={Convert.ToHexStringLower(nonce)}"), cancel);

    internal async Task<GatewayAnswer> SendSealedAsync(string path, ReadOnlyMemory<byte> message, CancellationToken cancel)
    {
        using var content = new ReadOnlyMemoryContent(message);
        content.Headers.ContentType = new MediaTypeHeaderValue(SealedChannel.MediaType);
        return await SendAsync(new(HttpMethod.Post, path[1..]) { Content = content }, cancel);
    }

    internal async Task<GatewayAnswer> SendObliviousAsync(string path, string mediaType, ObliviousCall call, CancellationToken cancel)
    {
        using var content = new ReadOnlyMemoryContent(call.Message);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        var request = new HttpRequestMessage(HttpMethod.Post, path[1..]) { Content = content };
        if (!call.Encapsulated.IsEmpty)
            request.Headers.Add(KeyHeader, Convert.ToHexStringLower(call.Encapsulated.Span));
        return await SendAsync(request, cancel);
    }

    public void Dispose() => _http.Dispose();

    private async Task<GatewayAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            try
            {
                using var response = await _http.SendAsync(request, cancel);
                var receipt = response.Headers.TryGetValues(ReceiptHeader, out var values) ? values.FirstOrDefault() : null;
                var nonce = response.Headers.TryGetValues(NonceHeader, out var nonces) ? nonces.FirstOrDefault() : null;
                return new((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsByteArrayAsync(cancel), receipt) { Nonce = nonce };
            }
            catch (HttpRequestException failure)
            {
                throw new BulwarkClientException(ClientFailure.Unreachable, $"The gateway {_http.BaseAddress} cannot be asked: {failure.Message}", failure);
            }
            catch (TaskCanceledException failure) when (!cancel.IsCancellationRequested)
            {
                throw new BulwarkClientException(ClientFailure.Unreachable, $"The gateway {_http.BaseAddress} did not answer within {_http.Timeout.TotalSeconds:F0} s.", failure);
            }
        }
    }
}

internal sealed record GatewayAnswer(int Status, string? MediaType, byte[] Body, string? Receipt)
{
    /// <summary>EHBP's header, hexadecimal.</summary>
    internal string? Nonce { get; init; }
}
