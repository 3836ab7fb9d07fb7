using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Polly;
using Polly.Retry;

namespace Bulwark.Keys;

/// <summary>Asks one key server over HTTPS: Bulwark's TLS policy, a limit of time and size, patient with a server that is busy, no redirects.</summary>
/// <remarks>A body may hold a key: it is wiped when it has been sent or read, and no error message quotes one.</remarks>
internal sealed class StoreClient : IDisposable
{
    private const int MaximumReplyBytes = 8 << 20;
    private readonly HttpClient _http;
    private readonly string _server;
    private readonly ResiliencePipeline<HttpResponseMessage> _patience;

    /// <param name="server">For people: the host.</param>
    /// <param name="options">Whom to trust, how long to wait.</param>
    internal StoreClient(string server, KeyStoreOptions options)
    {
        if (options.Faults().ToArray() is { Length: > 0 } faults)
            throw new ArgumentException(string.Join(' ', faults), nameof(options));
        _server = server;
        _http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = TlsPolicy.Client(options.Authorities),
            AllowAutoRedirect = false,   // a redirect must not carry our token elsewhere
            UseCookies = false,
            ConnectTimeout = options.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaximumReplyBytes,
        };
        var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = options.Time };
        if (options.Retries > 0)
        {
            pipeline.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = options.Retries,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = TimeSpan.FromSeconds(5),
                UseJitter = true,
                ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is HttpRequestException { HttpRequestError: not HttpRequestError.SecureConnectionError } or TimeoutException || attempt.Outcome.Result is { } reply && IsBusy(reply.StatusCode)),
                DelayGenerator = attempt => ValueTask.FromResult(attempt.Outcome.Result?.Headers.RetryAfter?.Delta is { } wished ? TimeSpan.FromSeconds(Math.Min(wished.TotalSeconds, 10)) : (TimeSpan?)null),
                OnRetry = attempt =>
                {
                    attempt.Outcome.Result?.Dispose();
                    return default;
                },
            });
        }

        _patience = pipeline.Build();
        Timeout = options.Timeout;
    }

    private TimeSpan Timeout { get; }

    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <param name="method">The verb.</param>
    /// <param name="uri">Absolute.</param>
    /// <param name="body">Wiped before this returns; null without.</param>
    /// <param name="prepare">Adds headers, a signature.</param>
    /// <param name="repeatable">False where a second request would do the thing twice.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="contentType">Of the body.</param>
    /// <exception cref="KeyProviderException">The server cannot be reached, or does not answer in time.</exception>
    internal async Task<StoreReply> SendAsync(
        HttpMethod method, Uri uri, byte[]? body, Action<HttpRequestMessage> prepare, bool repeatable, CancellationToken cancel, string contentType = "application/json")
    {
        try
        {
            using var response = repeatable
                ? await _patience.ExecuteAsync(async ending => await SendOnceAsync(method, uri, body, prepare, contentType, ending).ConfigureAwait(false), cancel).ConfigureAwait(false)
                : await SendOnceAsync(method, uri, body, prepare, contentType, cancel).ConfigureAwait(false);
            return new StoreReply(response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false));
        }
        catch (HttpRequestException failure)
        {
            throw failure.HttpRequestError == HttpRequestError.SecureConnectionError
                ? new KeyProviderException($"No trusted TLS 1.3 connection to {_server}.", "check the server's certificate, its authority, and that it speaks TLS 1.3", failure)
                : new KeyProviderException($"{_server} cannot be reached ({failure.HttpRequestError}).", "is the address right, the server up, and the network open?", failure);
        }
        catch (TimeoutException failure)
        {
            throw new KeyProviderException($"{_server} did not answer within {Timeout.TotalSeconds:0.#} s.", "try again when it is less busy", failure);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendOnceAsync(HttpMethod method, Uri uri, byte[]? body, Action<HttpRequestMessage> prepare, string contentType, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Timeout);
        using var request = new HttpRequestMessage(method, uri);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        }

        prepare(request);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    private static bool IsBusy(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;
}
