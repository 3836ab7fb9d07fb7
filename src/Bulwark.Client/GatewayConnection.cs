using System.Net.Http.Headers;
using Bulwark.Cryptography;

namespace Bulwark.Client;

/// <summary>The HTTP side: it carries, and is trusted with nothing.</summary>
internal sealed class GatewayConnection : IDisposable
{
    internal const string ReceiptHeader = "Bulwark-Receipt";
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

    public void Dispose() => _http.Dispose();

    private async Task<GatewayAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            try
            {
                using var response = await _http.SendAsync(request, cancel);
                var receipt = response.Headers.TryGetValues(ReceiptHeader, out var values) ? values.FirstOrDefault() : null;
                return new((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsByteArrayAsync(cancel), receipt);
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

internal sealed record GatewayAnswer(int Status, string? MediaType, byte[] Body, string? Receipt);
