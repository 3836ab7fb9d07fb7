using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Serving;

/// <summary>A client of a gateway: mutual TLS 1.3 against one authority, a bearer token, Open Inference Protocol V2.</summary>
internal sealed class GatewayClient : IDisposable
{
    private const int LargeBody = 64 << 10;
    private readonly HttpClient _http;

    internal GatewayClient(Uri gateway, X509Certificate2 authority, X509Certificate2? certificate, string? token)
    {
        var handler = new SocketsHttpHandler { SslOptions = TlsPolicy.Client([authority], certificate), Expect100ContinueTimeout = TimeSpan.FromSeconds(10) };
        _http = new HttpClient(handler) { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(20) };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The body of an inference request for one row; a missing value goes as null.</summary>
    internal static byte[] Body(ReadOnlySpan<float> row) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        id = "demo-1",
        inputs = new[] { new { name = "features", shape = new[] { 1, row.Length }, datatype = "FP32", data = row.ToArray().Select(value => float.IsNaN(value) ? (float?)null : value) } },
    });

    /// <summary>Sends a body to a model.</summary>
    internal async Task<(int Status, byte[] Body, HttpResponseHeaders Headers)> InferAsync(string model, byte[] body, CancellationToken cancel, (string Name, string Value)? header = null)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"v2/models/{Uri.EscapeDataString(model)}/infer") { Content = content };
        request.Headers.ExpectContinue = body.Length > LargeBody;   // a refusal comes before the body; else it could be lost with the connection that closes behind it
        if (header is var (name, value))
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request, cancel);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancel), response.Headers);
    }

    /// <summary>Sends a body and says in one line what came back, also when the handshake was refused.</summary>
    internal async Task<string> TryAsync(string model, byte[] body, CancellationToken cancel, (string Name, string Value)? header = null)
    {
        try
        {
            var (status, answer, _) = await InferAsync(model, body, cancel, header);
            using var document = JsonDocument.Parse(answer);
            return $"{status} {(document.RootElement.TryGetProperty("error", out var error) ? error.GetString() : Encoding.UTF8.GetString(answer))}";
        }
        catch (HttpRequestException refusal)
        {
            return $"handshake refused ({refusal.HttpRequestError})";
        }
    }
}
