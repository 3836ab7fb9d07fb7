using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Keys;

public class AwsKmsTests
{
    private const string Arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    private static readonly KeyUri s_key = KeyUri.Parse($"aws-kms:{Arn}");
    private static readonly (string, string)[] s_login = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret-for-tests"), ("AWS_SESSION_TOKEN", "session-1")];

    private readonly byte[] _master = RandomNumberGenerator.GetBytes(32);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void The_signature_is_that_of_the_published_example()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://example.amazonaws.com/");
        AwsSignature.Sign(request, [], new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", null), "us-east-1", "service", new DateTimeOffset(2015, 8, 30, 12, 36, 0, TimeSpan.Zero));
        Assert.EndsWith("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", request.Headers.GetValues("Authorization").Single());
    }

    [Fact]
    public async Task A_key_is_wrapped_and_opened_in_its_context_only()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var store = KeyStores.Open(s_key, cloud.Options(s_login));
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(s_key, key, "file 1"u8.ToArray(), Cancel);
        using (var opened = await store.UnwrapAsync(wrapped, "file 1"u8.ToArray(), Cancel))
            Assert.Equal(key.Span, opened.Span);
        var renewed = await store.RewrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        Assert.NotEqual(wrapped.Bytes, renewed.Bytes);
        using (var opened = await store.UnwrapAsync(renewed, "file 1"u8.ToArray(), Cancel))
            Assert.Equal(key.Span, opened.Span);
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped, "file 2"u8.ToArray(), Cancel));
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped with { Bytes = [.. wrapped.Bytes[..^1], (byte)(wrapped.Bytes[^1] ^ 1)] }, "file 1"u8.ToArray(), Cancel));
        Assert.Equal(KeyState.Enabled, (await store.RotateAsync(s_key, Cancel)).Current?.State);
    }

    [Fact]
    public async Task Wrong_credentials_are_said_and_never_shown()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var key = SecretBytes.Random(32);
        using var nobody = KeyStores.Open(s_key, cloud.Options());
        Assert.Contains("AWS_ACCESS_KEY_ID", (await Assert.ThrowsAsync<KeyProviderException>(async () => await nobody.WrapAsync(s_key, key, default, Cancel))).Message);
        using var wrong = KeyStores.Open(s_key, cloud.Options([s_login[0], ("AWS_SECRET_ACCESS_KEY", "not-the-secret"), s_login[2]]));
        var refusal = await Assert.ThrowsAsync<KeyProviderException>(async () => await wrong.WrapAsync(s_key, key, default, Cancel));
        Assert.Contains("refuses these credentials", refusal.Message);
        Assert.DoesNotContain("not-the-secret", refusal.ToString());
    }

    private (int, JsonNode?) Answer(CloudRequest request)
    {
        if (!IsSigned(request))
            return (400, new JsonObject { ["__type"] = "InvalidSignatureException" });
        var json = request.Json;
        var context = Encoding.UTF8.GetBytes((json["EncryptionContext"] ?? json["SourceEncryptionContext"])?.ToJsonString() ?? "");
        try
        {
            return request.Headers["X-Amz-Target"].ToString() switch
            {
                "TrentService.Encrypt" when (string?)json["KeyId"] == Arn => (200, Encrypted(Convert.FromBase64String((string)json["Plaintext"]!), context)),
                "TrentService.Decrypt" when (string?)json["KeyId"] == Arn => (200, new JsonObject { ["KeyId"] = Arn, ["Plaintext"] = Convert.ToBase64String(Decrypted(json, context)) }),
                "TrentService.ReEncrypt" => (200, Encrypted(Decrypted(json, context), Encoding.UTF8.GetBytes(json["DestinationEncryptionContext"]!.ToJsonString()))),
                "TrentService.DescribeKey" => (200, new JsonObject { ["KeyMetadata"] = new JsonObject { ["KeyState"] = "Enabled", ["KeySpec"] = "SYMMETRIC_DEFAULT", ["CreationDate"] = 1.7e9 } }),
                "TrentService.RotateKeyOnDemand" => (200, new JsonObject { ["KeyId"] = Arn }),
                _ => (400, new JsonObject { ["__type"] = "NotFoundException" }),
            };
        }
        catch (CryptographicException)
        {
            return (400, new JsonObject { ["__type"] = "InvalidCiphertextException" });
        }
    }

    /// <summary>Recomputes Signature Version 4 from what came over the wire.</summary>
    private static bool IsSigned(CloudRequest request)
    {
        var parts = request.Headers.Authorization.ToString().Split(' ', 2)[1].Split(", ").Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        var names = parts["SignedHeaders"].Split(';');
        if (!names.Contains("host") || !names.Contains("x-amz-target") || !names.Contains("x-amz-security-token") || request.Headers["X-Amz-Security-Token"] != "session-1")
            return false;
        var scope = parts["Credential"].Split('/', 2)[1];
        var headers = string.Concat(names.Select(name => $"{name}:{(name == "host" ? request.Host : request.Headers[name].ToString())}\n"));
        var canonical = $"{request.Method}\n{request.Path}\n\n{headers}\n{parts["SignedHeaders"]}\n{Convert.ToHexStringLower(SHA256.HashData(request.Body))}";
        var text = $"AWS4-HMAC-SHA256\n{request.Headers["X-Amz-Date"]}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = scope.Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4secret-for-tests"), (key, part) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part)));
        return parts["Signature"] == Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text))) && scope.EndsWith("/eu-central-1/kms/aws4_request", StringComparison.Ordinal);
    }

    private JsonObject Encrypted(byte[] plain, byte[] context)
    {
        var bytes = new byte[12 + plain.Length + 16];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, 12));
        using var aes = new AesGcm(_master, 16);
        aes.Encrypt(bytes.AsSpan(0, 12), plain, bytes.AsSpan(12, plain.Length), bytes.AsSpan(12 + plain.Length), context);
        return new JsonObject { ["KeyId"] = Arn, ["CiphertextBlob"] = Convert.ToBase64String(bytes) };
    }

    private byte[] Decrypted(JsonNode json, byte[] context)
    {
        var bytes = Convert.FromBase64String((string)json["CiphertextBlob"]!);
        var plain = new byte[bytes.Length - 28];
        using var aes = new AesGcm(_master, 16);
        aes.Decrypt(bytes.AsSpan(0, 12), bytes.AsSpan(12, plain.Length), bytes.AsSpan(12 + plain.Length), plain, context);
        return plain;
    }
}
