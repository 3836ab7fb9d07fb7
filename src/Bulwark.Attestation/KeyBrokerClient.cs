using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Bulwark.Attestation;

/// <summary>A broker behind HTTPS, in two round trips. Whom the connection is with is the handler's business: pin the broker's certificate there.</summary>
/// <param name="http">With the broker's address as its base; stays the caller's.</param>
public sealed class KeyBrokerClient(HttpClient http) : IKeyBroker
{
    /// <summary>Path of the first round trip.</summary>
    public const string ChallengePath = "attest/challenge";

    /// <summary>Path of the second round trip; <c>?renews=ID</c> for a renewal.</summary>
    public const string ReleasePath = "attest/release";

    /// <summary>The response header with the decision as the broker signed and logged it: base64 of a DSSE envelope.</summary>
    public const string EnvelopeHeader = "Bulwark-Release";

    private const int MostBytes = 1 << 20;

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The broker cannot be reached or did not answer as a broker does.</exception>
    public async ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(introduction, AttestationJson.Default.EvidenceIntroduction);
        var (challenge, _) = await AskAsync(ChallengePath, body, AttestationJson.Default.EvidenceChallenge, cancel);
        return challenge.Nonce.Length == Evidence.NonceSizeInBytes ? challenge : throw new HttpRequestException("The broker's nonce has another length than 32 bytes.");
    }

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The broker cannot be reached or did not answer as a broker does.</exception>
    public async ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var path = renews is null ? ReleasePath : $"{ReleasePath}?renews={Uri.EscapeDataString(renews)}";
        var (answer, envelope) = await AskAsync(path, evidence.ToJson(), AttestationJson.Default.KeyReleaseAnswer, cancel);
        var fits = answer.Key is null || (answer.Key.Model == evidence.Model && answer.Record.Verdict is KeyReleaseVerdict.Released);
        return fits ? answer with { Envelope = envelope } : throw new HttpRequestException("The broker answered with a key that was not asked for.");
    }

    private async Task<(T Answer, byte[] Envelope)> AskAsync<T>(string path, byte[] body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Forbidden))
            throw new HttpRequestException($"The broker answered {(int)response.StatusCode} to {path}.", null, response.StatusCode);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[MostBytes + 1];
        var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        try
        {
            var answer = (read <= MostBytes ? JsonSerializer.Deserialize(bytes.AsSpan(0, read), type) : default) ?? throw new JsonException("nothing, or too much");
            return (answer, response.Headers.TryGetValues(EnvelopeHeader, out var header) ? Convert.FromBase64String(header.First()) : []);
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            throw new HttpRequestException($"The broker's answer to {path} cannot be read: {failure.Message}", failure);
        }
    }
}
