using System.Security.Cryptography;
using System.Text;
using Bulwark.Interchange;

namespace Bulwark.Tests.Interchange;

public sealed class TinkFileTests : IDisposable
{
    private readonly TinkKeyset _keyset = TinkKeyset.Generate(TinkStreamingKey.FourKilobytes);

    public void Dispose() => _keyset.Dispose();

    [Theory]
    [InlineData(TinkStreamingKey.FourKilobytes)]
    [InlineData(TinkStreamingKey.OneMegabyte)]
    public async Task Every_length_comes_back_from_both_templates(int segment)
    {
        using var keyset = TinkKeyset.Generate(segment);
        foreach (var length in new[] { 0, 1, segment - 57, segment - 56, segment - 55, segment, 2 * segment - 72, 2 * segment - 71, 3_000_000 })
        {
            var plaintext = RandomNumberGenerator.GetBytes(length);
            var file = await Seal(plaintext, keyset);
            await using var opened = TinkFile.Open(new MemoryStream(file), keyset, "aad"u8.ToArray());
            Assert.Equal(length, opened.Length);
            using var all = new MemoryStream();
            await opened.CopyAllAsync(all, threads: 3, cancel: TestContext.Current.CancellationToken);
            Assert.True(all.ToArray().AsSpan().SequenceEqual(plaintext));
            using var forward = new MemoryStream();
            await TinkFile.OpenToAsync(new MemoryStream(file), forward, keyset.Primary, "aad"u8.ToArray(), threads: 1, cancel: TestContext.Current.CancellationToken);
            Assert.True(forward.ToArray().AsSpan().SequenceEqual(plaintext));
        }
    }

    [Fact]
    public async Task A_flipped_bit_or_a_cut_anywhere_is_refused()
    {
        var file = await Seal("a small secret"u8.ToArray(), _keyset);
        for (var i = 0; i < file.Length; i++)
        {
            file[i] ^= (byte)(1 << (i % 8));
            Assert.Throws<CryptographicException>(() => TinkFile.Open(new MemoryStream(file), _keyset, "aad"u8.ToArray()));
            file[i] ^= (byte)(1 << (i % 8));
            Assert.Throws<CryptographicException>(() => TinkFile.Open(new MemoryStream(file[..i]), _keyset, "aad"u8.ToArray()));
        }

        Assert.Throws<CryptographicException>(() => TinkFile.Open(new MemoryStream([.. file, 0]), _keyset, "aad"u8.ToArray()));
        Assert.Throws<CryptographicException>(() => TinkFile.Open(new MemoryStream(file), _keyset));
    }

    [Fact]
    public async Task A_keyset_comes_back_from_json_and_any_of_its_keys_opens()
    {
        using var read = TinkKeyset.Parse(_keyset.ToJson());
        await using var opened = TinkFile.Open(new MemoryStream(await Seal("secret"u8.ToArray(), _keyset)), read, "aad"u8.ToArray());
        Assert.Equal("secret", await new StreamReader(opened).ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal(TinkStreamingKey.FourKilobytes, read.Primary.SegmentSizeInBytes);
        Assert.Equal(HashAlgorithmName.SHA256, read.Primary.Hash);
    }

    [Fact]
    public void A_keyset_of_other_keys_or_with_a_fault_is_refused()
    {
        var json = Encoding.UTF8.GetString(_keyset.ToJson());
        foreach (var (from, to) in new[] { ("AesGcmHkdfStreamingKey", "AesCtrHmacStreamingKey"), ("RAW", "TINK"), ("ENABLED", "DISABLED"), ("primaryKeyId\":", "primaryKeyId\":1"), ("\"value\":\"", "\"value\":\"AAAA"), ("{", "[") })
            Assert.Throws<InvalidDataException>(() => TinkKeyset.Parse(Encoding.UTF8.GetBytes(json.Replace(from, to, StringComparison.Ordinal))));
    }

    private static async Task<byte[]> Seal(byte[] plaintext, TinkKeyset keyset)
    {
        using var destination = new MemoryStream();
        await TinkFile.SealAsync(new MemoryStream(plaintext), destination, keyset, "aad"u8.ToArray(), cancel: TestContext.Current.CancellationToken);
        return destination.ToArray();
    }
}
