using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class DigestTests
{
    private const string OfAbc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";   // FIPS 180-4, B.1

    [Fact]
    public void A_digest_is_sha_256_in_lower_case_hex() => Assert.Equal(OfAbc, Digest.Of("abc"u8).ToString());

    [Fact]
    public async Task A_stream_has_the_digest_of_its_bytes() =>
        Assert.Equal(OfAbc, (await Digest.OfAsync(new MemoryStream("abc"u8.ToArray()), TestContext.Current.CancellationToken)).ToString());

    [Fact]
    public void Parsing_returns_what_was_printed() => Assert.Equal(Digest.Of("abc"u8), Digest.Parse(OfAbc));

    [Theory]
    [InlineData("")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015")]
    public void Another_spelling_is_refused(string text) => Assert.Throws<FormatException>(() => Digest.Parse(text));

    [Fact]
    public void A_digest_is_a_string_in_json()
    {
        var digest = Digest.Of("abc"u8);
        Assert.Equal($"\"{OfAbc}\"", JsonSerializer.Serialize(digest));
        Assert.Equal(digest, JsonSerializer.Deserialize<Digest>($"\"{OfAbc}\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Digest>("\"abc\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Digest>("1"));
    }

    [Fact]
    public void The_default_digest_is_none()
    {
        Assert.True(default(Digest).IsNone);
        Assert.False(Digest.Of([]).IsNone);
    }
}
