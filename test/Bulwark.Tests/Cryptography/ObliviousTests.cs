using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class ObliviousTests
{
    private static readonly (ushort, ushort)[] s_suites = [(1, HpkeAead.Aes256Gcm), (1, HpkeAead.ChaCha20)];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(4096)]
    public void A_chunked_exchange_comes_back_whole(int size)
    {
        using var keys = HpkeKeyPair.Generate();
        var config = new ObliviousKeyConfig(7, 0x0010, keys.PublicKey.ToArray(), s_suites);
        var body = RandomNumberGenerator.GetBytes(size);
        foreach (var aead in (ushort[])[HpkeAead.Aes256Gcm, HpkeAead.ChaCha20])
        {
            var (message, client) = ObliviousExchange.SealChunked(config, aead, body, chunkSize: 16);
            var (opened, gateway) = ObliviousExchange.Open(config, keys, message, isChunked: true);
            using (client)
            using (gateway)
            {
                Assert.Equal(body, opened);
                Assert.Equal(body, client.OpenChunkedResponse(gateway.SealChunkedResponse(body, chunkSize: 16)));
                Assert.Equal(body, client.OpenResponse(gateway.SealResponse(body)));
            }
        }
    }

    [Fact]
    public void Chunks_that_are_cut_swapped_repeated_or_changed_are_refused()
    {
        using var keys = X25519KeyPair.Generate();
        var config = new ObliviousKeyConfig(1, 0x0020, keys.PublicKey.Bytes.ToArray(), s_suites);
        var (message, client) = ObliviousExchange.SealChunked(config, HpkeAead.Aes256Gcm, new byte[40], chunkSize: 16);
        client.Dispose();
        var front = message[..39];
        var (first, second, last) = (message[39..72], message[72..105], message[105..]);
        byte[][] wrong =
        [
            [.. front, .. first, .. second], [.. front, .. second, .. first, .. last], [.. front, .. first, .. last], [.. front, .. first, .. first, .. second, .. last],
            [.. front, .. last], [.. message, 0], [.. front, .. first, .. second, 33, .. last[1..], .. new byte[9]], message[..^1], message[..38], [.. front, .. new byte[] { 16 }, .. new byte[16], .. last],
        ];
        Assert.All(wrong, bytes => Assert.ThrowsAny<CryptographicException>(() => ObliviousExchange.Open(config, keys, bytes, isChunked: true)));
        for (var i = 0; i < message.Length; i++)
        {
            message[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => ObliviousExchange.Open(config, keys, message, isChunked: true));
            message[i] ^= 1;
        }
    }

    [Fact]
    public void A_response_answers_one_request_only()
    {
        using var keys = X25519KeyPair.Generate();
        var config = new ObliviousKeyConfig(1, 0x0020, keys.PublicKey.Bytes.ToArray(), s_suites);
        var (first, client) = ObliviousExchange.Seal(config, HpkeAead.Aes256Gcm, "one"u8);
        var (_, other) = ObliviousExchange.Seal(config, HpkeAead.Aes256Gcm, "two"u8);
        var (_, gateway) = ObliviousExchange.Open(config, keys, first);
        var response = gateway.SealResponse("answer"u8);
        Assert.Equal("answer"u8, client.OpenResponse(response));
        Assert.ThrowsAny<CryptographicException>(() => other.OpenResponse(response));
        Assert.ThrowsAny<CryptographicException>(() => client.OpenChunkedResponse(response));
    }

    [Fact]
    public void A_key_configuration_reads_back_and_a_broken_one_is_refused()
    {
        using var keys = X25519KeyPair.Generate();
        var config = new ObliviousKeyConfig(9, 0x0020, keys.PublicKey.Bytes.ToArray(), s_suites);
        var bytes = config.ToBytes();
        byte[] list = [0, (byte)bytes.Length, .. bytes, 0, 4, 1, 0, 0x12, 9];
        Assert.Equal(bytes, Assert.Single(ObliviousKeyConfig.ParseList(list)).ToBytes());
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => ObliviousKeyConfig.Parse(bytes.AsSpan(0, length)));
        Assert.Throws<InvalidDataException>(() => ObliviousKeyConfig.ParseList(list.AsSpan(0, list.Length - 1)));
    }

    [Fact]
    public void Ehbp_comes_back_and_a_response_without_a_nonce_is_refused()
    {
        using var keys = X25519KeyPair.Generate();
        using var client = EhbpExchange.Sender(keys.PublicKey);
        byte[] frames = [.. client.SealFrame("one"u8), .. client.SealFrame("two"u8)];
        using var server = EhbpExchange.Receiver(keys, client.Enc);
        Assert.Equal("onetwo"u8, server.OpenFrames(frames));
        var nonce = RandomNumberGenerator.GetBytes(EhbpExchange.ResponseNonceSize);
        var response = server.SealResponse("answer"u8, nonce);
        Assert.Equal("answer"u8, client.OpenResponse(response, nonce));
        Assert.ThrowsAny<CryptographicException>(() => client.OpenResponse(response, []));
        Assert.ThrowsAny<CryptographicException>(() => client.OpenResponse(response, new byte[32]));
        Assert.Throws<InvalidDataException>(() => EhbpRecoveryToken.Parse("""{"exportedSecret":"00"}"""));
    }
}
