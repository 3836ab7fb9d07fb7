using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Benchmarks.Channel;
using Bulwark.Server;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>Tokens that are not remembered, read whole, beside the bare signature check of the platform and of <c>openssl speed</c>: by the processor time of one thread.</summary>
internal static class TokenRates
{
    private const int Rounds = 25, Calls = 400;   // the first ones while the code is still being compiled
    private const double Goal = 13_000;
    private static readonly byte[] s_certificate = [1, 2, 3];

    internal static void Run()
    {
        using var point = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var modulus = RSA.Create(2048);
        var q = point.ExportParameters(false).Q;
        var n = modulus.ExportParameters(false);
        Report("ES256", "ecdsap256", $$"""{"kty":"EC","crv":"P-256","kid":"k","x":"{{Encode(q.X!)}}","y":"{{Encode(q.Y!)}}"}""",
            data => point.SignData(data, HashAlgorithmName.SHA256), (data, signature) => point.VerifyData(data, signature, HashAlgorithmName.SHA256));
        Report("PS256", "rsa2048", $$"""{"kty":"RSA","kid":"k","n":"{{Encode(n.Modulus!)}}","e":"{{Encode(n.Exponent!)}}"}""",
            data => modulus.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss), (data, signature) => modulus.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        Report("RS256", "rsa2048", $$"""{"kty":"RSA","kid":"k","n":"{{Encode(n.Modulus!)}}","e":"{{Encode(n.Exponent!)}}"}""",
            data => modulus.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), (data, signature) => modulus.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static void Report(string algorithm, string rival, string key, Func<byte[], byte[]> sign, Func<byte[], byte[], bool> verify)
    {
        var options = new AccessTokenOptions { Keys = new(JsonWebKey.Parse(key)), Issuer = "https://issuer.invalid", Audience = "bench", Algorithms = new HashSet<string>([algorithm]) };
        var reader = new AccessTokenReader(options);
        var now = DateTimeOffset.UtcNow;
        var signed = Part(new { alg = algorithm, kid = "k", typ = "at+jwt" }) + "." + Part(new Dictionary<string, object>
        {
            ["iss"] = options.Issuer,
            ["aud"] = options.Audience,
            ["sub"] = "payments",
            ["client_id"] = "payments",
            ["jti"] = "4f1c",
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
            ["cnf"] = new Dictionary<string, string> { ["x5t#S256"] = Encode(SHA256.HashData(s_certificate)) },
        });
        var data = Encoding.ASCII.GetBytes(signed);
        var signature = sign(data);
        var token = $"{signed}.{Encode(signature)}";
        var (bare, whole) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            bare = Math.Min(bare, PerCall(() => verify(data, signature)));
            whole = Math.Min(whole, PerCall(() => reader.Read(token, s_certificate, out _) == TokenVerdict.Accepted));
        }

        var machine = Environment.ProcessorCount / whole;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"token {algorithm}, not remembered: {1 / whole,7:N0} a second and core, {machine,7:N0} on {Environment.ProcessorCount} cores ({(machine >= Goal ? "holds" : "MISSES")} {Goal:N0}); its signature alone {1 / bare,7:N0}, openssl speed {OpenSsl(rival)}"));
    }

    private static double PerCall(Func<bool> call) => ThreadClock.Of(() =>
    {
        for (var i = 0; i < Calls; i++)
            if (!call())
                throw new InvalidOperationException("The token is refused.");
    }) / Calls;

    /// <summary>Verifications a second of processor time, by the system's own tool; "absent" without it.</summary>
    private static string OpenSsl(string algorithm)
    {
        try
        {
            using var tool = Process.Start(new ProcessStartInfo("openssl", ["speed", "-seconds", "1", algorithm]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            tool.ErrorDataReceived += (_, _) => { };
            tool.BeginErrorReadLine();
            var last = tool.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
            return last.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "absent";
        }
    }

    private static string Part<T>(T part) => Encode(JsonSerializer.SerializeToUtf8Bytes(part));

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
