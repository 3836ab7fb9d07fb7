using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>Everything that a running gateway must refuse, each tried over a real connection and expected under its own name.</summary>
internal sealed class RefusalTrials(ServingCase what, Uri gateway, DevelopmentIdentity identity, X509Certificate2 authority)
{
    internal async Task<IReadOnlyList<RefusalTrial>> RunAsync(CancellationToken cancel)
    {
        using var certificate = identity.LoadClient("payments");
        using var stranger = Forge("payments");
        using var other = identity.LoadClient("analyst");
        var token = identity.LoadToken("payments");
        var ordinary = GatewayClient.Body(what.Row);
        var model = what.ModelName;

        var trials = new List<RefusalTrial>();
        async Task TryAsync(string tried, string expected, X509Certificate2? shown, string? bearer, byte[] body, string target, (string, string)? header = null)
        {
            using var client = new GatewayClient(gateway, authority, shown, bearer);
            var answer = await client.TryAsync(target, body, cancel, header);
            trials.Add(new RefusalTrial(tried, expected, answer, answer.Contains(expected, StringComparison.OrdinalIgnoreCase)));
        }

        await TryAsync("no client certificate", "handshake refused", null, token, ordinary, model);
        await TryAsync("a certificate of a stranger's authority", "handshake refused", stranger, token, ordinary, model);
        await TryAsync("a certificate in a header", "forwarded-identity", certificate, token, ordinary, model, ("X-Client-Cert", Convert.ToBase64String(other.RawData)));
        await TryAsync("no token", "token-", certificate, null, ordinary, model);
        await TryAsync("a token without a signature (alg none)", "token-", certificate, Unsigned(token), ordinary, model);
        await TryAsync("another client's token", "token-", certificate, identity.LoadToken("analyst"), ordinary, model);
        await TryAsync("a client whom no policy permits", "policy-denied", other, identity.LoadToken("analyst"), ordinary, model);
        await TryAsync("a body of 2 MiB", "body-too-large", certificate, token, Encoding.UTF8.GetBytes(new string(' ', 2 << 20)), model);
        await TryAsync("a row that is one value short", "wrong-shape", certificate, token, GatewayClient.Body(what.Row.AsSpan(1)), model);
        await TryAsync("a value that is no number", "not-finite", certificate, token, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(ordinary).Replace("\"data\":[", "\"data\":[NaN,", StringComparison.Ordinal)), model);
        await TryAsync("a value out of its bounds", what.OutOfBounds.Reason, certificate, token, GatewayClient.Body(what.OutOfBounds.Row), model);
        if (what.Outlier is { } unheard)
            await TryAsync("an unheard-of combination inside the bounds", unheard.Reason, certificate, token, GatewayClient.Body(unheard.Row), model);
        return trials;
    }

    /// <summary>The same claims under a header that says <c>alg: none</c>, with an empty signature.</summary>
    private static string Unsigned(string token)
    {
        var header = Convert.ToBase64String(Encoding.UTF8.GetBytes("""{"alg":"none","typ":"at+jwt"}""")).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return $"{header}.{token.Split('.')[1]}.";
    }

    /// <summary>A client certificate of an authority that nobody trusts.</summary>
    private static X509Certificate2 Forge(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.2")], critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
