using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Keys;

/// <summary>Signs a request to AWS, Signature Version 4.</summary>
/// <remarks>Source: AWS General Reference, "Create a signed AWS API request": canonical request, string to sign, derived key.</remarks>
internal static class AwsSignature
{
    internal const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Adds the date, the session's token and the signature.</summary>
    internal static void Sign(HttpRequestMessage request, ReadOnlySpan<byte> body, AwsCredentials credentials, string region, string service, DateTimeOffset now)
    {
        var date = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("X-Amz-Date", date);
        if (credentials.SessionToken is { } session)
            request.Headers.TryAddWithoutValidation("X-Amz-Security-Token", session);
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = request.RequestUri!.Authority };
        foreach (var header in request.Headers.Where(header => header.Key.StartsWith("X-Amz-", StringComparison.OrdinalIgnoreCase)))
            headers[header.Key.ToLowerInvariant()] = string.Join(',', header.Value).Trim();
        if (request.Content?.Headers.ContentType is { } type)
            headers["content-type"] = type.ToString();
        var names = string.Join(';', headers.Keys);
        var canonical = $"{request.Method}\n{request.RequestUri.AbsolutePath}\n\n{string.Concat(headers.Select(header => $"{header.Key}:{header.Value}\n"))}\n{names}\n{Convert.ToHexStringLower(SHA256.HashData(body))}";
        var scope = $"{date[..8]}/{region}/{service}/aws4_request";
        var toSign = $"{Algorithm}\n{date}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Key(credentials.SecretKey, date[..8], region, service), Encoding.UTF8.GetBytes(toSign)));
        request.Headers.TryAddWithoutValidation("Authorization", $"{Algorithm} Credential={credentials.AccessKey}/{scope}, SignedHeaders={names}, Signature={signature}");
    }

    private static byte[] Key(string secret, string day, string region, string service)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in (string[])[day, region, service, "aws4_request"])
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return key;
    }
}

/// <summary>Who asks AWS.</summary>
internal sealed record AwsCredentials(string AccessKey, string SecretKey, string? SessionToken)
{
    private const string Advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN for a session";

    internal static AwsCredentials Find(KeyStoreOptions options) => new(
        options.Required("AWS_ACCESS_KEY_ID", Advice), options.Required("AWS_SECRET_ACCESS_KEY", Advice), options.Variable("AWS_SESSION_TOKEN") is { Length: > 0 } token ? token : null);

    /// <summary>Never the secret.</summary>
    public override string ToString() => AccessKey;
}
