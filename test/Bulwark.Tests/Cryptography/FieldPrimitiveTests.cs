using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Bulwark.Tests.Cryptography;

public class FieldPrimitiveTests
{
    [Theory]   // C2SP, XAES-256-GCM, test vectors
    [InlineData(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")]
    [InlineData(3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d")]
    public void The_vectors_of_xaes_are_reproduced(byte key, string associated, string expected)
    {
        using var xaes = new Xaes256Gcm(Enumerable.Repeat(key, 32).ToArray());
        var output = new byte[28];
        xaes.Encrypt("ABCDEFGHIJKLMNOPQRSTUVWX"u8, "XAES-256-GCM"u8, output, Encoding.ASCII.GetBytes(associated));
        Assert.Equal(expected, Convert.ToHexStringLower(output));
        var back = new byte[12];
        xaes.Decrypt([.. "ABCDEFGHIJKLMNOPQRSTUVWX"u8, .. output], back, Encoding.ASCII.GetBytes(associated));
        Assert.Equal("XAES-256-GCM", Encoding.ASCII.GetString(back));
    }

    [Fact]   // C2SP, XAES-256-GCM, accumulated vectors: 10,000 iterations over SHAKE-128
    public void Ten_thousand_random_inputs_of_xaes_come_to_the_published_digest()
    {
        Assert.SkipUnless(Shake128.IsSupported, "The platform has no SHAKE-128.");
        using var source = new MemoryStream(Shake128.HashData([], 10_000 * (32 + 24 + 2 * 256)));   // one reading as long as any needs
        using var digest = new Shake128();
        byte[] Next(int count)
        {
            var bytes = new byte[count];
            source.ReadExactly(bytes);
            return bytes;
        }

        for (var i = 0; i < 10_000; i++)
        {
            var (key, nonce) = (Next(32), Next(24));
            var plaintext = Next(Next(1)[0]);
            var associated = Next(Next(1)[0]);
            using var xaes = new Xaes256Gcm(key);
            var output = new byte[plaintext.Length + 16];
            xaes.Encrypt(nonce, plaintext, output, associated);
            digest.AppendData(output);
        }

        Assert.Equal("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939", Convert.ToHexStringLower(digest.GetHashAndReset(32)));
    }

    [Fact]
    public void Fresh_values_open_differ_and_are_refused_when_changed()
    {
        using var xaes = new Xaes256Gcm(RandomNumberGenerator.GetBytes(32));
        var seen = new HashSet<string>();
        var output = new byte[44];
        for (var i = 0; i < Xaes256Gcm.ValuesPerPrefix + 10; i++)
        {
            xaes.EncryptFresh([1, 2, 3, 4], output, [5]);
            Assert.True(seen.Add(Convert.ToHexString(output)));
        }

        Assert.Equal(2, seen.Select(text => text[..24]).Distinct().Count());   // one prefix for ValuesPerPrefix values
        var back = new byte[4];
        xaes.Decrypt(output, back, [5]);
        Assert.Equal([1, 2, 3, 4], back);
        for (var i = 0; i < output.Length; i++)
        {
            output[i] ^= 1;
            Assert.Throws<CryptographicException>(() => xaes.Decrypt(output, back, [5]));
            Assert.All(back, value => Assert.Equal(0, value));
            output[i] ^= 1;
        }

        Assert.Throws<CryptographicException>(() => xaes.Decrypt(output, back, [6]));
        Assert.Throws<CryptographicException>(() => xaes.Decrypt(output.AsSpan(0, 39), [], [5]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_batch_of_aes_gcm_is_what_the_platform_makes_of_each_value(bool useSodium)
    {
        var random = new Random(7);
        var key = RandomNumberGenerator.GetBytes(32);
        using var gcm = new AesGcm(key, 16);
        using var batch = new GcmBatch(key, useSodium);
        int[] lengths = [.. Enumerable.Range(0, 70), 255, 256, 4096, 70_000, .. Enumerable.Range(0, 1200).Select(_ => random.Next(50))];
        byte[][] texts = [.. lengths.Select(RandomNumberGenerator.GetBytes)], contexts = [.. lengths.Select((_, i) => RandomNumberGenerator.GetBytes(i % 40))];
        byte[][] nonces = [.. lengths.Select(_ => RandomNumberGenerator.GetBytes(24))];
        byte[] items = [.. texts.SelectMany((text, i) => nonces[i].Concat(text).Concat(new byte[16]))];
        var (ends, contextEnds) = (Ends(lengths.Select(length => length + 40)), Ends(contexts.Select(context => context.Length)));
        batch.Seal(items, ends, new([.. contexts.SelectMany(context => context)], contextEnds));
        for (var i = 0; i < lengths.Length; i++)
        {
            var (ciphertext, tag) = (new byte[lengths[i]], new byte[16]);
            gcm.Encrypt(nonces[i].AsSpan(12), texts[i], ciphertext, tag, contexts[i]);
            Assert.Equal([.. nonces[i], .. ciphertext, .. tag], items[(ends[i] - lengths[i] - 40)..ends[i]]);
        }

        items[ends[3] - 1] ^= 1;   // a tag, a ciphertext, a nonce
        items[ends[50] - 20] ^= 0x80;
        items[ends[60] - lengths[60] - 20] ^= 4;
        var opened = new bool[lengths.Length];
        Assert.False(batch.Open(items, ends, new([.. contexts.SelectMany(context => context)], contextEnds), opened));
        for (var i = 0; i < lengths.Length; i++)
        {
            Assert.Equal(i is not (3 or 50 or 60), opened[i]);
            Assert.Equal(opened[i] ? texts[i] : new byte[lengths[i]], items[(ends[i] - lengths[i] - 16)..(ends[i] - 16)]);
        }
    }

    [Fact]
    public void Batches_of_xaes_open_one_by_one_and_the_other_way_round()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        using var xaes = new Xaes256Gcm(key);
        const int Count = Xaes256Gcm.ValuesPerPrefix + 100;
        var (values, ends) = (RandomNumberGenerator.GetBytes(5 * Count), Ends(Enumerable.Repeat(5, Count)));
        var output = new byte[45 * Count];
        xaes.EncryptBatch(values, ends, output, "all"u8);
        Assert.Equal(Count, output.Chunk(45).Select(item => Convert.ToHexString(item.AsSpan(0, 24))).Distinct().Count());
        Assert.Equal(2, output.Chunk(45).Select(item => Convert.ToHexString(item.AsSpan(0, 12))).Distinct().Count());
        var back = new byte[5];
        foreach (var i in new[] { 0, 1, Xaes256Gcm.ValuesPerPrefix, Count - 1 })
        {
            xaes.Decrypt(output.AsSpan(45 * i, 45), back, "all"u8);
            Assert.Equal(values[(5 * i)..(5 * i + 5)], back);
        }

        var single = new byte[45];
        xaes.EncryptFresh([9, 8, 7, 6, 5], single, "all"u8);
        byte[] joined = [.. output[..90], .. single, .. output[90..]];
        var (plain, opened) = (new byte[5 * (Count + 1)], new bool[Count + 1]);
        Assert.True(xaes.DecryptBatch(joined, Ends(Enumerable.Repeat(45, Count + 1)), plain, opened, "all"u8));
        Assert.Equal([.. values[..10], 9, 8, 7, 6, 5, .. values[10..]], plain);
        Assert.False(xaes.DecryptBatch(joined, Ends(Enumerable.Repeat(45, Count + 1)), plain, opened, "another"u8));
        Assert.DoesNotContain(true, opened);
        Assert.All(plain, value => Assert.Equal(0, value));
        Assert.Throws<ArgumentException>(() => xaes.DecryptBatch(joined.AsSpan(0, 39), [39], [], new bool[1], []));
        Assert.Throws<ArgumentException>(() => xaes.EncryptBatch(values, ends, output, "all"u8, [3]));
    }

    private static int[] Ends(IEnumerable<int> lengths)
    {
        var end = 0;
        return [.. lengths.Select(length => end += length)];
    }

    [Theory]
    [InlineData(10, 6, 20)]
    [InlineData(10, 15, 8)]
    [InlineData(10, 19, 0)]
    [InlineData(36, 9, 11)]
    [InlineData(62, 16, 3)]
    [InlineData(200, 12, 5)]
    [InlineData(2, 40, 17)]
    [InlineData(10, 60, 4)]   // halves too long for one word: one by one
    public void Many_texts_are_encrypted_as_each_alone(int radix, int length, int tweakLength)
    {
        var alphabet = string.Concat(Enumerable.Range(0, radix).Select(i => (char)('0' + i)));
        byte[] tweak = [.. Enumerable.Range(0, tweakLength).Select(i => (byte)(i * 7))];
        using var ff1 = new Ff1([.. Enumerable.Range(0, 32).Select(i => (byte)i)], alphabet);
        var text = Gen.ArrayOf(Gen.Elements(alphabet.ToCharArray()), length).Select(letters => new string(letters));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30), Prop.ForAll(Arb.From(Gen.ArrayOf(text)), texts =>
        {
            var encrypted = ff1.EncryptMany(texts, tweak);
            return encrypted.SequenceEqual(texts.Select(one => ff1.Encrypt(one, tweak))) && ff1.DecryptMany(encrypted, tweak).SequenceEqual(texts);
        }));
    }

    [Fact]
    public void Many_texts_are_refused_for_one_that_is_not_of_the_alphabet_and_it_is_not_repeated()
    {
        using var ff1 = new Ff1(new byte[32], "0123456789");
        Assert.Contains("Value 1", Assert.Throws<ArgumentException>(() => ff1.EncryptMany(["123456", "12345x"], [])).Message);
        var fault = Assert.Throws<ArgumentException>(() => ff1.EncryptMany(["123456", "123"], []));
        Assert.Contains("domain", fault.Message);
        Assert.Contains("Value 1", fault.Message);
    }

    [Fact]
    public void Cards_as_numbers_have_the_tokens_of_their_texts()
    {
        string[] cards = ["4111111111111111", "5555555555554444", "6011111111111117"];
        using var tokenizer = new CardTokenizer(SecretBytes.CopyOf(new byte[32]), new byte[8]);
        ulong[] numbers = [.. cards.Select(ulong.Parse)];
        tokenizer.Tokenize(numbers, 16);
        Assert.Equal(tokenizer.Tokenize(cards).Select(ulong.Parse), numbers);
        Assert.Throws<ArgumentException>(() => tokenizer.Tokenize(numbers, 16));   // a token is no card
        tokenizer.Reveal(numbers, 16);
        Assert.Equal(cards.Select(ulong.Parse), numbers);
        Assert.Throws<ArgumentException>(() => tokenizer.Tokenize(numbers, 15));
    }

    [Fact]
    public void A_keyed_hash_is_hmac_and_a_beacon_its_first_bits()
    {
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        using var hash = new KeyedHash(key);
        var whole = HMACSHA256.HashData(key, "value"u8);
        var half = new byte[16];
        hash.Compute("value"u8, half);
        Assert.Equal(whole[..16], half);
        Assert.Equal((ulong)whole[0] << 4 | (ulong)whole[1] >> 4, hash.Beacon("value"u8, 12));
        Assert.Throws<ArgumentException>(() => new KeyedHash(new byte[31]));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(9, 2, 2)]          // √9 < 4 < 4.5
    [InlineData(10_000, 7, 12)]    // 100 < 128 … 4096 < 5000
    [InlineData(1_000_000, 10, 18)]
    public void Beacons_are_longer_than_the_root_and_shorter_than_half(long distinct, int least, int most)
    {
        Assert.Equal(least == 0 ? null : (least, most), BeaconRule.Allowed(distinct));
        Assert.False(BeaconRule.Holds(distinct, least - 1));
        Assert.False(BeaconRule.Holds(distinct, most + 1));
    }
}
