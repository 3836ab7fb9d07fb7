using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Bulwark.Attestation;

namespace Bulwark.Server;

/// <summary>What a broker answers over HTTP. What cannot be read is 400, what cannot be decided or recorded 503; neither says more than that.</summary>
internal sealed class BrokerEndpoints(KeyBroker broker, BrokerLog log)
{
    private const int LongestId = 64;
    private const string TooMany = "too many requests; wait a minute", NotRecorded = "the decision could not be made or recorded, so there is none; try again later";

    internal void Map(WebApplication app)
    {
        app.MapPost("/" + KeyBrokerClient.ChallengePath, ChallengeAsync);
        app.MapPost("/" + KeyBrokerClient.ReleasePath, ReleaseAsync);
        app.MapPost("/attest/authority", AuthorityAsync);
        app.MapGet("/attest/policy", PolicyAsync);
        app.MapGet("/health/live", LiveAsync);
    }

    private Task ChallengeAsync(HttpContext http) => AnswerAsync(http, new Judge((body, _) =>
    {
        var challenge = broker.Challenge(Read(body, static bytes => EvidenceIntroduction.FromJson(bytes.Span)), Caller(http.Connection.RemoteIpAddress));
        return Task.FromResult(challenge is null ? new Answer(StatusCodes.Status429TooManyRequests, Problem(TooMany)) : new Answer(StatusCodes.Status200OK, challenge.ToJson()));
    }));

    private Task ReleaseAsync(HttpContext http) => AnswerAsync(http, new Judge(async (body, cancel) =>
    {
        if (!broker.TryAdmit(Caller(http.Connection.RemoteIpAddress)))
            return new(StatusCodes.Status429TooManyRequests, Problem(TooMany));
        var renews = http.Request.Query["renews"].ToString();
        var evidence = Read(body, static bytes => Evidence.FromJson(bytes.Span));
        if (renews.Length > LongestId || evidence.Kind.Length > LongestId || evidence.Kind.Any(char.IsControl))
            return new(StatusCodes.Status400BadRequest, Problem("a release's id and a kind of evidence are short names"));
        var answer = await broker.ReleaseAsync(evidence, renews.Length == 0 ? null : renews, cancel);
        if (log.TakeSigned(answer.Record.ReleaseId) is { } signed)
            http.Response.Headers[KeyBrokerClient.EnvelopeHeader] = Convert.ToBase64String(signed);
        if (answer.Record.FailedLegs is ["challenge"])
            log.Unchallenged();
        return new(answer.Key is null ? StatusCodes.Status403Forbidden : StatusCodes.Status200OK, answer.ToJson());
    }));

    /// <summary>An approval or revocation is in the log before it is in force.</summary>
    private Task AuthorityAsync(HttpContext http) => AnswerAsync(http, new Judge(async (body, cancel) =>
    {
        var used = Read(body, broker.Authorise);
        await log.AppendAsync(body, used, cancel);
        broker.Apply(used);
        return new(StatusCodes.Status200OK, Problem($"{used.Action}: {used.Model}"));
    }));

    private Task PolicyAsync(HttpContext http) => WriteAsync(http, new(StatusCodes.Status200OK, broker.Policy.ToJson()));

    private static Task LiveAsync(HttpContext http) => WriteAsync(http, new(StatusCodes.Status200OK, Problem("live")));

    private async Task AnswerAsync(HttpContext http, Judge judge)
    {
        Answer answer;
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            answer = await judge(body.ToArray(), http.RequestAborted);
        }
        catch (BadHttpRequestException failure)
        {
            answer = new(failure.StatusCode, Problem("the request cannot be read"));
        }
        catch (UnreadableException failure)
        {
            answer = new(StatusCodes.Status400BadRequest, Problem(failure.Message));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            log.Failed(failure);
            answer = new(StatusCodes.Status503ServiceUnavailable, Problem(NotRecorded));
        }

        await WriteAsync(http, answer);
    }

    private static async Task WriteAsync(HttpContext http, Answer answer)
    {
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.Body.WriteAsync(answer.Body, http.RequestAborted);
    }

    /// <summary>Whom a rate counts for: an IPv4 address, or the /64 of an IPv6 one, because whoever has one address of it has all.</summary>
    internal static string Caller(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => $"{address.MapToIPv4()}",
        { AddressFamily: AddressFamily.InterNetworkV6 } => $"{Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8))}/64",
        _ => $"{address}",
    };

    private static byte[] Problem(string title)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("title", title);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>The caller's fault is told apart from the broker's: a damaged log is no bad request.</summary>
    private static T Read<T>(ReadOnlyMemory<byte> body, Func<ReadOnlyMemory<byte>, T> read)
    {
        try
        {
            return read(body);
        }
        catch (InvalidDataException failure)
        {
            throw new UnreadableException(failure.Message);
        }
    }

    private sealed class UnreadableException(string message) : Exception(message);

    private delegate Task<Answer> Judge(ReadOnlyMemory<byte> body, CancellationToken cancel);

    private sealed record Answer(int Status, byte[] Body);
}
