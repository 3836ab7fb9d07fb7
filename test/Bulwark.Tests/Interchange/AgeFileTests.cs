using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Tests.Interchange;

public sealed class AgeFileTests : IDisposable
{
    private const string Identity = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
    private const string Recipient = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";
    private readonly X25519KeyPair _pair = AgeIdentity.Parse(Identity);

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Keys_are_read_and_written_in_ages_form()
    {
        Assert.Equal(Recipient, AgeRecipient.Format(_pair.PublicKey));
        Assert.Equal(_pair.PublicKey, AgeRecipient.Parse(Recipient));
        Assert.Equal(Identity, AgeIdentity.Format(_pair));
        foreach (var wrong in new[] { "", "age1", Recipient.ToUpperInvariant(), Recipient[..^1] + "q", Recipient + "q", "age1pq" + Recipient[4..], Identity, Recipient.Replace('z', 'Z') })
            Assert.Throws<FormatException>(() => AgeRecipient.Parse(wrong));
        foreach (var wrong in new[] { "", Identity.ToLowerInvariant(), Identity[..^1], Recipient })
            Assert.DoesNotContain(Identity[20..30], Assert.Throws<FormatException>(() => AgeIdentity.Parse(wrong)).Message);
        Assert.Equal(_pair.PublicKey, Assert.Single(AgeIdentity.ParseFile($"# made today\n\n{Identity}\r\n")).PublicKey);
        Assert.StartsWith("Line 2", Assert.Throws<FormatException>(() => AgeIdentity.ParseFile("#\nsecret stuff\n")).Message);
        Assert.Throws<FormatException>(() => AgeIdentity.ParseFile("# nothing\n"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_length_comes_back(bool armored)
    {
        foreach (var length in new[] { 0, 1, 47, 48, 49, 65535, 65536, 65537, 3 << 20 })
        {
            var plaintext = RandomNumberGenerator.GetBytes(length);
            var file = await Seal(plaintext, armored, AgeRecipient.X25519(_pair.PublicKey));
            Assert.True(AgeFile.IsMatch(file));
            Assert.True((await Open(file, AgeIdentity.X25519(_pair))).AsSpan().SequenceEqual(plaintext));
            if (armored)
                continue;
            await using var seekable = AgeFile.Open(new MemoryStream(file), [AgeIdentity.X25519(_pair)]);
            Assert.Equal(length, seekable.Length);
            var tail = new byte[Math.Min(100, length)];
            Assert.Equal(tail.Length, seekable.ReadAt(length - tail.Length, tail));
            Assert.True(plaintext.AsSpan(length - tail.Length).SequenceEqual(tail));
        }
    }

    [Fact]
    public async Task Each_recipient_opens_and_others_are_told_that_they_are_none()
    {
        using var other = X25519KeyPair.Generate();
        using var stranger = X25519KeyPair.Generate();
        var file = await Seal("secret"u8.ToArray(), false, AgeRecipient.X25519(_pair.PublicKey), AgeRecipient.X25519(other.PublicKey));
        Assert.Equal("secret"u8.ToArray(), await Open(file, AgeIdentity.X25519(stranger), AgeIdentity.X25519(other)));
        Assert.Equal(AgeFault.NoMatch, (await Assert.ThrowsAsync<AgeException>(() => Open(file, AgeIdentity.X25519(stranger)))).Fault);
        var phrase = await Seal("secret"u8.ToArray(), true, AgeRecipient.Passphrase("correct horse", 10));
        Assert.Equal("secret"u8.ToArray(), await Open(phrase, AgeIdentity.X25519(stranger), AgeIdentity.Passphrase("correct horse")));
        Assert.Equal(AgeFault.NoMatch, (await Assert.ThrowsAsync<AgeException>(() => Open(phrase, AgeIdentity.Passphrase("staple")))).Fault);
        await Assert.ThrowsAsync<ArgumentException>(() => Seal([], false, AgeRecipient.Passphrase("p", 10), AgeRecipient.X25519(other.PublicKey)));
        await Assert.ThrowsAsync<ArgumentException>(() => Seal([], false));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flipped_bit_or_a_cut_anywhere_is_refused(bool armored)
    {
        var file = await Seal("a small secret"u8.ToArray(), armored, AgeRecipient.X25519(_pair.PublicKey));
        for (var i = 0; i < file.Length; i++)
        {
            var bit = (byte)(1 << (i % 8));
            file[i] ^= bit;
            await Refused(file, armored && i == file.Length - 1);
            file[i] ^= bit;
            if (!armored || i < file.Length - 1)
                await Refused(file[..i], false);
        }

        await Refused([.. file, 1], false);
        await Refused([.. file, .. file], false);
    }

    [Fact]
    public async Task A_header_that_asks_for_too_much_work_is_refused_before_it_is_done()
    {
        var file = await Seal([], false, AgeRecipient.Passphrase("p", 10));
        var text = System.Text.Encoding.Latin1.GetString(file).Replace(" 10\n", " 30\n", StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<AgeException>(() => Open(System.Text.Encoding.Latin1.GetBytes(text), AgeIdentity.Passphrase("p")));
        Assert.Contains("at most 18", refused.Message);
    }

    private static async Task<byte[]> Seal(byte[] plaintext, bool armored, params AgeRecipient[] recipients)
    {
        using var destination = new MemoryStream();
        await AgeFile.SealAsync(new MemoryStream(plaintext), destination, recipients, armored, cancel: TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    private static async Task<byte[]> Open(byte[] file, params AgeIdentity[] identities)
    {
        using var plaintext = new MemoryStream();
        await AgeFile.OpenToAsync(new MemoryStream(file), plaintext, identities, cancel: TestContext.Current.CancellationToken);
        return plaintext.ToArray();
    }

    /// <summary>A last line end that became another white space is still none of the content.</summary>
    private async Task Refused(byte[] file, bool mayOpen)
    {
        try
        {
            Assert.Equal("a small secret"u8.ToArray(), await Open(file, AgeIdentity.X25519(_pair)));
            Assert.True(mayOpen);
        }
        catch (CryptographicException)
        {
            // as it should be
        }
    }
}
