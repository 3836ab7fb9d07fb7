using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Keys;

public sealed class AzureKeyVaultTests : IDisposable
{
    private const string Kid = "https://name.vault.azure.net/keys/kek";
    private static readonly KeyUri s_key = KeyUri.Parse($"azure-kv:{Kid}");
    private static readonly (string, string) s_login = ("AZURE_KEYVAULT_TOKEN", "eyJ.token");

    private readonly List<(RSA Rsa, byte[] Aes)> _versions = [Fresh()];
    private string _type = "RSA";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("RSA")]
    [InlineData("oct-HSM")]
    public async Task A_key_is_wrapped_rotated_and_rewrapped_bound_to_its_context(string type)
    {
        _type = type;
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var store = KeyStores.Open(s_key, cloud.Options(s_login));
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(s_key, key, "file 1"u8.ToArray(), Cancel);
        Assert.Equal("v1", wrapped.Kek.Version);
        await store.RotateAsync(s_key, Cancel);
        var renewed = await store.RewrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        Assert.Equal("v2", renewed.Kek.Version);
        Assert.Equal([KeyState.DecryptOnly, KeyState.Enabled], (await store.DescribeAsync(s_key, Cancel)).Versions.Select(version => version.State));
        foreach (var each in (WrappedKey[])[wrapped, renewed])
        {
            using var opened = await store.UnwrapAsync(each, "file 1"u8.ToArray(), Cancel);
            Assert.Equal(key.Span, opened.Span);
            await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(each, "file 2"u8.ToArray(), Cancel));
            await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(each with { Bytes = [.. each.Bytes[..^1], (byte)(each.Bytes[^1] ^ 1)] }, "file 1"u8.ToArray(), Cancel));
        }
    }

    [Fact]
    public async Task A_key_with_a_public_half_neither_makes_nor_opens_what_must_prove_its_origin()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var store = KeyStores.Open(s_key, cloud.Options(s_login));
        using var key = SecretBytes.Random(32);
        var footer = new KeyContext(default) { MustAuthenticate = true };
        Assert.Contains("public half", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.WrapAsync(s_key, key, footer, Cancel))).Message);
        var forged = await store.WrapAsync(s_key, key, new KeyContext(default), Cancel);   // as anybody does with the public half
        await Assert.ThrowsAsync<KeyProviderException>(async () => await store.UnwrapAsync(forged, footer, Cancel));
        _type = "oct-HSM";
        using var opened = await store.UnwrapAsync(await store.WrapAsync(s_key, key, footer, Cancel), footer, Cancel);
        Assert.Equal(key.Span, opened.Span);
    }

    [Fact]
    public async Task What_it_cannot_do_and_who_it_does_not_know_is_said()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var nobody = KeyStores.Open(s_key, cloud.Options());
        Assert.Contains("AZURE_KEYVAULT_TOKEN", (await Assert.ThrowsAsync<KeyProviderException>(async () => await nobody.DescribeAsync(s_key, Cancel))).Message);
        using var store = KeyStores.Open(s_key, cloud.Options(s_login));
        Assert.Contains("recovery", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.DestroyAsync(s_key, Cancel))).Message);
        _type = "EC";
        using var key = SecretBytes.Random(32);
        Assert.Contains("type EC", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.WrapAsync(s_key, key, default, Cancel))).Message);
    }

    public void Dispose() => _versions.ForEach(version => version.Rsa.Dispose());

    private (int, JsonNode?) Answer(CloudRequest request)
    {
        if (request.Headers.Authorization != "Bearer eyJ.token")
            return (401, null);
        return request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
        {
            ["keys", "kek"] => (200, Key(_versions.Count)),
            ["keys", "kek", "versions"] => (200, new JsonObject { ["value"] = new JsonArray([.. Enumerable.Range(1, _versions.Count).Select(version => (JsonNode)new JsonObject { ["kid"] = $"{Kid}/v{version}", ["attributes"] = new JsonObject { ["enabled"] = true, ["created"] = 1_700_000_000 + version } })]) }),
            ["keys", "kek", "rotate"] => Rotated(),
            ["keys", "kek", ['v', var digit], var verb] => Use(digit - '0', verb, request.Json),
            _ => (404, null),
        };
    }

    private (int, JsonNode?) Rotated()
    {
        _versions.Add(Fresh());
        return (200, Key(_versions.Count));
    }

    private (int, JsonNode?) Use(int version, string verb, JsonNode json)
    {
        var value = Base64Url.DecodeFromChars((string)json["value"]!);
        var (rsa, aes) = _versions[version - 1];
        try
        {
            var answer = ((string?)json["alg"], verb) switch
            {
                ("RSA-OAEP-256", "wrapkey") => rsa.Encrypt(value, RSAEncryptionPadding.OaepSHA256),
                ("RSA-OAEP-256", "unwrapkey") => rsa.Decrypt(value, RSAEncryptionPadding.OaepSHA256),
                ("A256KW", "wrapkey") => AesKeyWrap.Wrap(aes, value),
                ("A256KW", "unwrapkey") => AesKeyWrap.Unwrap(aes, value).Span.ToArray(),
                _ => [],
            };
            return (200, new JsonObject { ["kid"] = $"{Kid}/v{version}", ["value"] = Base64Url.EncodeToString(answer) });
        }
        catch (CryptographicException)
        {
            return (400, null);
        }
    }

    private JsonObject Key(int version) => new() { ["key"] = new JsonObject { ["kid"] = $"{Kid}/v{version}", ["kty"] = _type } };

    private static (RSA, byte[]) Fresh() => (RSA.Create(2048), RandomNumberGenerator.GetBytes(32));
}
