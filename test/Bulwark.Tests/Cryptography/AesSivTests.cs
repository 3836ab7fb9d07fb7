using System.Security.Cryptography;
using Bulwark.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Bulwark.Tests.Cryptography;

public class AesSivTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];

    [Theory]   // RFC 5297, A.1; NIST SP 800-38B, D.1 (AES-128, 40 bytes) is below
    [InlineData("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "101112131415161718191a1b1c1d1e1f2021222324252627", "112233445566778899aabbccddee", "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")]
    public void The_example_of_the_standard_is_reproduced(string key, string associated, string plaintext, string expected)
    {
        using var siv = new AesSiv(Convert.FromHexString(key));
        Assert.Equal(expected, Convert.ToHexStringLower(siv.Encrypt(Convert.FromHexString(plaintext), Convert.FromHexString(associated))));
    }

    [Theory]
    [InlineData("", "bb1d6929e95937287fa37d129b756746")]
    [InlineData("6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c")]
    [InlineData("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "dfa66747de9ae63030ca32611497c827")]
    public void The_examples_of_cmac_are_reproduced(string message, string expected)
    {
        using var mac = new Cmac(Convert.FromHexString("2b7e151628aed2a6abf7158809cf4f3c"));
        var tag = new byte[16];
        mac.Compute(Convert.FromHexString(message), tag);
        Assert.Equal(expected, Convert.ToHexStringLower(tag));
    }

    [Fact]
    public void A_batch_is_its_values_one_by_one_and_opens_again()
    {
        using var siv = new AesSiv(Key);
        var values = Gen.ArrayOf(Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>()).Resize(70)).Resize(40);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(100), Prop.ForAll(Arb.From(values), rows =>
        {
            var (together, ends) = Join(rows);
            var output = new byte[together.Length + 16 * rows.Length];
            siv.EncryptBatch(together, ends, output, [1, 2], []);
            byte[] singly = [.. rows.SelectMany(row => siv.Encrypt(row, [1, 2], []))];
            var opened = new bool[rows.Length];
            var back = new byte[together.Length];
            return output.AsSpan().SequenceEqual(singly)
                && siv.DecryptBatch(output, [.. ends.Select((end, i) => end + 16 * (i + 1))], back, opened, [1, 2], [])
                && back.AsSpan().SequenceEqual(together) && rows.All(row => siv.Decrypt(siv.Encrypt(row, [7]), [7]).AsSpan().SequenceEqual(row));
        }));
    }

    [Fact]
    public void More_values_than_a_group_keep_their_places()
    {
        using var siv = new AesSiv(Key);
        byte[][] rows = [.. Enumerable.Range(0, 5000).Select(i => System.Text.Encoding.ASCII.GetBytes(new string('x', i % 40) + i))];
        var (together, ends) = Join(rows);
        var output = new byte[together.Length + 16 * rows.Length];
        siv.EncryptBatch(together, ends, output, [3]);
        Assert.Equal(siv.Encrypt(rows[4999], [3]), output[^(rows[4999].Length + 16)..]);
        output[^1] ^= 1;
        var opened = new bool[rows.Length];
        var back = new byte[together.Length];
        Assert.False(siv.DecryptBatch(output, [.. ends.Select((end, i) => end + 16 * (i + 1))], back, opened, [3]));
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => i < 4999), opened);
        Assert.Equal(together[..^rows[4999].Length], back[..^rows[4999].Length]);
        Assert.All(back[^rows[4999].Length..], value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_changed_ciphertext_key_or_context_does_not_open()
    {
        using var siv = new AesSiv(Key);
        var ciphertext = siv.Encrypt([1, 2, 3], [4], [5]);
        for (var i = 0; i < ciphertext.Length; i++)
        {
            ciphertext[i] ^= 1;
            Assert.Throws<CryptographicException>(() => siv.Decrypt(ciphertext, [4], [5]));
            ciphertext[i] ^= 1;
        }

        Assert.Throws<CryptographicException>(() => siv.Decrypt(ciphertext, [4, 5]));   // the boundaries count
        Assert.Throws<CryptographicException>(() => siv.Decrypt(ciphertext.AsSpan(0, 15), [4], [5]));
        using var other = new AesSiv(new byte[64]);
        Assert.Throws<CryptographicException>(() => other.Decrypt(ciphertext, [4], [5]));
        Assert.Equal([1, 2, 3], siv.Decrypt(ciphertext, [4], [5]));
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        using var siv = new AesSiv(Key);
        Assert.Throws<ArgumentException>(() => new AesSiv(new byte[33]));
        Assert.Throws<ArgumentException>(() => siv.EncryptBatch([1, 2], [2, 1], new byte[34]));
        Assert.Throws<ArgumentException>(() => siv.EncryptBatch([1, 2], [1], new byte[18]));
        Assert.Throws<ArgumentException>(() => siv.DecryptBatch(new byte[20], [10, 20], [], new bool[2]));
        Assert.Throws<ArgumentException>(() => siv.Encrypt([], [.. Enumerable.Repeat(Array.Empty<byte>(), 127)]));
    }

    private static (byte[] Together, int[] Ends) Join(byte[][] rows)
    {
        var ends = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            ends[i] = (i == 0 ? 0 : ends[i - 1]) + rows[i].Length;
        return ([.. rows.SelectMany(row => row)], ends);
    }
}
