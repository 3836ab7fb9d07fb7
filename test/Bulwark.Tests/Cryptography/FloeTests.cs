using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class FloeTests
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(64)]
    [InlineData(1000)]
    public void Every_length_comes_back(int length)
    {
        var plaintext = RandomNumberGenerator.GetBytes(length);
        Assert.Equal(plaintext, Floe.Decrypt(Key, "aad"u8, Floe.Encrypt(Key, "aad"u8, plaintext, 64)));
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        var message = Floe.Encrypt(Key, "aad"u8, new byte[100], 64);
        for (var bit = 0; bit < message.Length * 8; bit++)
        {
            message[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<CryptographicException>(() => Floe.Decrypt(Key, "aad"u8, message));
            message[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Every_shorter_or_longer_message_is_refused()
    {
        var message = Floe.Encrypt(Key, "aad"u8, new byte[100], 64);
        for (var length = 0; length < message.Length; length++)
            Assert.Throws<CryptographicException>(() => Floe.Decrypt(Key, "aad"u8, message.AsSpan(0, length)));
        for (var more = 1; more <= 65; more++)
            Assert.Throws<CryptographicException>(() => Floe.Decrypt(Key, "aad"u8, [.. message, .. new byte[more]]));
    }

    [Fact]
    public void Segments_cannot_change_places_or_messages()
    {
        var message = Floe.Encrypt(Key, "aad"u8, new byte[96], 64);
        var other = Floe.Encrypt(Key, "aad"u8, new byte[96], 64);
        byte[] swapped = [.. message[..74], .. message[138..202], .. message[74..138], .. message[202..]];
        byte[] spliced = [.. message[..74], .. other[74..138], .. message[138..]];
        byte[] dropped = [.. message[..74], .. message[138..]];
        foreach (var forged in new[] { swapped, spliced, dropped })
            Assert.Throws<CryptographicException>(() => Floe.Decrypt(Key, "aad"u8, forged));
    }

    [Fact]
    public void Another_key_or_context_is_refused()
    {
        var message = Floe.Encrypt(Key, "aad"u8, "plaintext"u8, 64);
        Assert.Throws<CryptographicException>(() => Floe.Decrypt(RandomNumberGenerator.GetBytes(32), "aad"u8, message));
        Assert.Throws<CryptographicException>(() => Floe.Decrypt(Key, "aae"u8, message));
    }

    [Fact]
    public void A_header_that_asks_for_huge_segments_is_refused_before_they_are_allocated()
    {
        var message = Floe.Encrypt(Key, "aad"u8, "plaintext"u8, 64);
        message[2] = 0xff;
        Assert.Throws<CryptographicException>(() => Floe.Decrypt(Key, "aad"u8, message));
    }

    [Fact]
    public void A_segment_that_fails_leaves_no_plaintext()
    {
        using var message = FloeMessage.Create(Key, [], 64);
        var segment = new byte[42];
        message.EncryptSegment(0, "plaintext!"u8, final: true, segment);
        segment[41] ^= 1;
        var plaintext = new byte[10];
        plaintext.AsSpan().Fill(0xee);
        Assert.Throws<CryptographicException>(() => message.DecryptSegment(0, segment, final: true, plaintext));
        Assert.DoesNotContain("plaintext!", System.Text.Encoding.ASCII.GetString(plaintext));
    }
}
