using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Keys;

public class GcpKmsTests
{
    private const string Name = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
    private static readonly KeyUri s_key = KeyUri.Parse($"gcp-kms:{Name}");
    private static readonly (string, string) s_login = ("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.token");

    private readonly List<byte[]> _versions = [RandomNumberGenerator.GetBytes(32)];
    private readonly HashSet<int> _destroyed = [];
    private int _primary = 1;
    private bool _damages;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void The_checksum_is_that_of_rfc_3720() => Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));

    [Fact]
    public async Task A_key_is_wrapped_rotated_rewrapped_and_destroyed()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var store = KeyStores.Open(s_key, cloud.Options(s_login));
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(s_key, key, "file 1"u8.ToArray(), Cancel);
        Assert.Equal("1", wrapped.Kek.Version);
        var rotated = await store.RotateAsync(s_key, Cancel);
        Assert.Equal([KeyState.DecryptOnly, KeyState.Enabled], rotated.Versions.Select(version => version.State));
        var renewed = await store.RewrapAsync(wrapped, "file 1"u8.ToArray(), Cancel);
        Assert.Equal("2", renewed.Kek.Version);
        using (var opened = await store.UnwrapAsync(renewed, "file 1"u8.ToArray(), Cancel))
            Assert.Equal(key.Span, opened.Span);
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(renewed, "file 2"u8.ToArray(), Cancel));
        Assert.Equal(KeyState.Destroyed, (await store.DestroyAsync(wrapped.Kek, Cancel)).Versions[0].State);
        await Assert.ThrowsAsync<CryptographicException>(async () => await store.UnwrapAsync(wrapped, "file 1"u8.ToArray(), Cancel));
    }

    [Fact]
    public async Task What_was_damaged_on_the_way_is_refused()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var store = KeyStores.Open(s_key, cloud.Options(s_login));
        using var key = SecretBytes.Random(32);
        var wrapped = await store.WrapAsync(s_key, key, default, Cancel);
        _damages = true;
        Assert.Contains("lost on the way", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.WrapAsync(s_key, key, default, Cancel))).Message);
        Assert.Contains("damaged", (await Assert.ThrowsAsync<KeyProviderException>(async () => await store.UnwrapAsync(wrapped, default, Cancel))).Message);
    }

    [Fact]
    public async Task Without_a_token_nothing_is_asked()
    {
        await using var cloud = await FakeCloud.StartAsync(Answer);
        using var nobody = KeyStores.Open(s_key, cloud.Options());
        Assert.Contains("GOOGLE_OAUTH_ACCESS_TOKEN", (await Assert.ThrowsAsync<KeyProviderException>(async () => await nobody.DescribeAsync(s_key, Cancel))).Message);
        Assert.Empty(cloud.Requests);
        using var wrong = KeyStores.Open(s_key, cloud.Options(("GOOGLE_OAUTH_ACCESS_TOKEN", "expired")));
        Assert.Contains("refuses these credentials", (await Assert.ThrowsAsync<KeyProviderException>(async () => await wrong.DescribeAsync(s_key, Cancel))).Message);
    }

    private (int, JsonNode?) Answer(CloudRequest request)
    {
        if (request.Headers.Authorization != "Bearer ya29.token")
            return (401, null);
        var path = request.Path["/v1/".Length..];
        var json = request.Json;
        if (path == $"{Name}:encrypt")
            return Encrypt(json);
        if (path == $"{Name}:decrypt")
            return Decrypt(json);
        if (path == $"{Name}:updatePrimaryVersion")
            _primary = int.Parse((string)json["cryptoKeyVersionId"]!, CultureInfo.InvariantCulture);
        else if (path == $"{Name}/cryptoKeyVersions" && request.Method == "POST")
            _versions.Add(RandomNumberGenerator.GetBytes(32));
        else if (path.EndsWith(":destroy", StringComparison.Ordinal))
            _destroyed.Add(path[^9] - '0');
        else if (path == $"{Name}/cryptoKeyVersions")
            return (200, new JsonObject { ["cryptoKeyVersions"] = new JsonArray([.. Enumerable.Range(1, _versions.Count).Select(Version)]) });
        else if (path == Name)
            return (200, new JsonObject { ["primary"] = Version(_primary) });
        return (200, Version(_versions.Count));
    }

    private (int, JsonNode?) Encrypt(JsonNode json)
    {
        var (plain, bound) = (Bytes(json, "plaintext"), Bytes(json, "additionalAuthenticatedData"));
        var bytes = new byte[13 + plain.Length + 16];
        bytes[0] = (byte)_primary;
        RandomNumberGenerator.Fill(bytes.AsSpan(1, 12));
        using var aes = new AesGcm(_versions[_primary - 1], 16);
        aes.Encrypt(bytes.AsSpan(1, 12), plain, bytes.AsSpan(13, plain.Length), bytes.AsSpan(13 + plain.Length), bound);
        return (200, new JsonObject
        {
            ["name"] = $"{Name}/cryptoKeyVersions/{_primary}",
            ["ciphertext"] = Convert.ToBase64String(bytes),
            ["ciphertextCrc32c"] = Checksum(bytes),
            ["verifiedPlaintextCrc32c"] = (string?)json["plaintextCrc32c"] == Checksum(plain, honest: true),
            ["verifiedAdditionalAuthenticatedDataCrc32c"] = (string?)json["additionalAuthenticatedDataCrc32c"] == Checksum(bound, honest: true),
        });
    }

    private (int, JsonNode?) Decrypt(JsonNode json)
    {
        var (bytes, bound) = (Bytes(json, "ciphertext"), Bytes(json, "additionalAuthenticatedData"));
        var plain = new byte[bytes.Length - 29];
        try
        {
            if (_destroyed.Contains(bytes[0]) || (string?)json["ciphertextCrc32c"] != Checksum(bytes, honest: true))
                return (400, null);
            using var aes = new AesGcm(_versions[bytes[0] - 1], 16);
            aes.Decrypt(bytes.AsSpan(1, 12), bytes.AsSpan(13, plain.Length), bytes.AsSpan(13 + plain.Length), plain, bound);
            return (200, new JsonObject { ["plaintext"] = Convert.ToBase64String(plain), ["plaintextCrc32c"] = Checksum(plain) });
        }
        catch (CryptographicException)
        {
            return (400, new JsonObject { ["error"] = new JsonObject { ["message"] = Encoding.UTF8.GetString(bytes) } });
        }
    }

    private JsonNode Version(int version) => new JsonObject { ["name"] = $"{Name}/cryptoKeyVersions/{version}", ["state"] = _destroyed.Contains(version) ? "DESTROYED" : "ENABLED", ["createTime"] = "2026-01-01T00:00:00Z" };

    /// <summary>CRC-32C bit by bit: another route than the product's.</summary>
    private string Checksum(byte[] bytes, bool honest = false)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F63B78;
        }

        return (_damages && !honest ? crc : ~crc).ToString(CultureInfo.InvariantCulture);
    }

    private static byte[] Bytes(JsonNode json, string name) => Convert.FromBase64String((string?)json[name] ?? "");
}
