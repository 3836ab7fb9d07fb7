using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Bulwark.Server;

/// <summary>What a responder says of clients' certificates, asked when a client sends its first request and again while it sends more. Thread-safe.</summary>
/// <remarks>
/// No handshake waits for it. An answer counts while it is younger than the refresh time; up to twice that it counts once more while a new one is fetched beside the
/// request; older, the request waits. A responder that is away leaves an answer in force until its end and the grace after it; then nobody is let in by it.
/// </remarks>
internal sealed class OcspStatuses(OcspOptions options, TimeProvider time, ILogger logger, HttpMessageHandler? handler = null) : IDisposable
{
    private const int MostEntries = 20_000;
    private const int LargestAnswer = 64 * 1024;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }) { Timeout = options.Timeout, MaxResponseContentBufferSize = LargestAnswer };

    /// <summary>What is known of every certificate of a path below its root, and until when that may be taken without asking again. <see cref="CertificateVerdict.Unverified"/> when the responder cannot be asked.</summary>
    internal async ValueTask<(CertificateVerdict Verdict, DateTimeOffset Until)> AskAsync(IReadOnlyList<ParsedCertificate> path)
    {
        var until = DateTimeOffset.MaxValue;
        for (var i = 0; i < path.Count - 1; i++)
        {
            var (verdict, good) = await AskAsync(path[i], path[i + 1]);
            if (verdict is not CertificateVerdict.Trusted)
                return (verdict, default);
            until = good < until ? good : until;
        }

        return (CertificateVerdict.Trusted, until);
    }

    public void Dispose() => _http.Dispose();

    private async ValueTask<(CertificateVerdict Verdict, DateTimeOffset Until)> AskAsync(ParsedCertificate certificate, ParsedCertificate issuer)
    {
        var entry = EntryOf(certificate, issuer);
        var now = time.GetUtcNow();
        var known = entry.Known;
        if (known is null || now >= Ends(known, options.Refresh * 2))
        {
            await entry.AskAsync(() => FetchAsync(certificate, issuer));
            known = entry.Known;
        }
        else if (now >= Ends(known, options.Refresh))
        {
            _ = entry.AskAsync(() => FetchAsync(certificate, issuer));
        }

        now = time.GetUtcNow();
        if (known is null || now >= (known.Answer.NextUpdate ?? known.Asked + (options.Refresh * 2)) + options.Grace)
            return (CertificateVerdict.Unverified, default);
        return (known.Answer.Verdict, Ends(known, options.Refresh) is var fresh && fresh > now ? fresh : now);
    }

    /// <summary>When an answer is old, by when it was had and by its own end.</summary>
    private static DateTimeOffset Ends(Known known, TimeSpan age) => known.Answer.NextUpdate is { } next && next < known.Asked + age ? next : known.Asked + age;

    private Entry EntryOf(ParsedCertificate certificate, ParsedCertificate issuer)
    {
        if (_entries.Count >= MostEntries)
            _entries.Clear();   // each is asked for again
        return _entries.GetOrAdd($"{Convert.ToHexStringLower(SHA256.HashData([.. issuer.Subject.Encoded.Span, .. issuer.Key.Encoded.Span]))}:{certificate.Serial}", _ => new());
    }

    /// <summary>A new answer; null when there is none to be relied on.</summary>
    private async Task<Known?> FetchAsync(ParsedCertificate certificate, ParsedCertificate issuer)
    {
        var question = new OcspQuestion(certificate, issuer, options.Nonce ? RandomNumberGenerator.GetBytes(32) : null);
        try
        {
            using var content = new ByteArrayContent(question.Encode()) { Headers = { ContentType = new MediaTypeHeaderValue("application/ocsp-request") } };
            using var response = await _http.PostAsync(options.Address, content);
            if (!response.IsSuccessStatusCode || response.Content.Headers.ContentType?.MediaType != "application/ocsp-response")
                throw new InvalidDataException($"the responder answers {(int)response.StatusCode} {response.Content.Headers.ContentType}");
            var asked = time.GetUtcNow();
            var answer = OcspAnswer.Read(await response.Content.ReadAsByteArrayAsync(), question, asked);
            if (asked >= (answer.NextUpdate ?? answer.ThisUpdate + (options.Refresh * 2)))
                throw new InvalidDataException("the answer is too old");
            return new(answer, asked);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or InvalidDataException or OperationCanceledException or InvalidOperationException)
        {
            logger.OcspFailed(fault.Message);
            return null;
        }
    }

    private sealed record Known(OcspAnswer Answer, DateTimeOffset Asked);

    /// <summary>One certificate; asked about by one at a time, while the others wait for the same answer.</summary>
    private sealed class Entry
    {
        private readonly Lock _lock = new();
        private volatile Known? _known;
        private Task? _asking;

        internal Known? Known => _known;

        internal Task AskAsync(Func<Task<Known?>> fetch)
        {
            lock (_lock)
            {
                if (_asking is null or { IsCompleted: true })
                    _asking = KeepAsync(fetch);
                return _asking;
            }
        }

        /// <summary>An older answer, as one replayed would be, never takes the place of a newer one.</summary>
        private async Task KeepAsync(Func<Task<Known?>> fetch)
        {
            if (await fetch() is { } answer && !(_known is { } before && answer.Answer.ThisUpdate < before.Answer.ThisUpdate))
                _known = answer;
        }
    }
}
