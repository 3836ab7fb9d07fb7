using Bulwark.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Bulwark.Tests.Cryptography;

public class Ff1Tests
{
    private const string Digits = "0123456789", Base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

    [Theory]   // NIST, FF1samples.pdf, samples 1, 2, 3 and 9
    [InlineData("2B7E151628AED2A6ABF7158809CF4F3C", "", Digits, "0123456789", "2433477484")]
    [InlineData("2B7E151628AED2A6ABF7158809CF4F3C", "39383736353433323130", Digits, "0123456789", "6124200773")]
    [InlineData("2B7E151628AED2A6ABF7158809CF4F3C", "3737373770717273373737", Base36, "0123456789abcdefghi", "a9tv40mll9kdu509eum")]
    [InlineData("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94", "3737373770717273373737", Base36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd")]
    public void The_samples_of_nist_are_reproduced(string key, string tweak, string alphabet, string plaintext, string ciphertext)
    {
        using var ff1 = new Ff1(Convert.FromHexString(key), alphabet);
        Assert.Equal(ciphertext, ff1.Encrypt(plaintext, Convert.FromHexString(tweak)));
        Assert.Equal(plaintext, ff1.Decrypt(ciphertext, Convert.FromHexString(tweak)));
    }

    [Fact]
    public void A_domain_below_a_million_is_refused()
    {
        using var ff1 = new Ff1(new byte[32], Digits);
        Assert.Throws<ArgumentException>(() => ff1.Encrypt("12345", []));
        Assert.Equal(6, ff1.Encrypt("123456", []).Length);
    }

    [Fact]
    public void A_wrong_key_alphabet_or_character_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new Ff1(new byte[31], Digits));
        Assert.Throws<ArgumentException>(() => new Ff1(new byte[32], "00"));
        using var ff1 = new Ff1(new byte[32], Digits);
        Assert.Throws<ArgumentException>(() => ff1.Encrypt("12345a", []));
        Assert.Throws<ArgumentException>(() => ff1.Decrypt("", []));
    }

    [Fact]
    public void Every_card_comes_back_and_its_token_is_ff1_of_its_digits_with_a_check_digit_that_is_wrong_by_one()
    {
        var card = Gen.Choose(12, 19).SelectMany(length => Gen.ArrayOf(Gen.Choose(0, 9), length - 1)).Select(digits => WithLuhn(string.Concat(digits)));
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], tweak = [1, 2, 3, 4, 5, 6, 7, 8];
        using var tokenizer = new CardTokenizer(SecretBytes.CopyOf(key), tweak);
        using var ff1 = new Ff1(key, Digits);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Arb.From(Gen.ArrayOf(card)), cards =>
        {
            var tokens = tokenizer.Tokenize(cards);
            return tokenizer.Reveal(tokens).SequenceEqual(cards)
                && tokens.Zip(cards).All(pair => pair.First[..^1] == ff1.Encrypt(pair.Second[..^1], tweak) && pair.First != WithLuhn(pair.First[..^1]));
        }));
    }

    [Fact]
    public void Ten_thousand_cards_have_ten_thousand_tokens()
    {
        string[] cards = [.. Enumerable.Range(0, 10_000).Select(i => WithLuhn($"40000000{i:0000000}"))];
        using var tokenizer = new CardTokenizer(SecretBytes.CopyOf(new byte[32]), new byte[8]);
        var tokens = tokenizer.Tokenize(cards);
        Assert.Equal(cards.Length, tokens.Distinct().Count());
        Assert.Equal(cards, tokenizer.Reveal(tokens));
        using var other = new CardTokenizer(SecretBytes.CopyOf(new byte[32]), [0, 0, 0, 0, 0, 0, 0, 1]);
        Assert.Empty(other.Tokenize(cards).Intersect(tokens));
    }

    [Theory]
    [InlineData("4111111111111112")]
    [InlineData("411111111111111x")]
    [InlineData("41111111111")]
    [InlineData("")]
    public void What_is_no_card_gets_no_token_and_is_not_repeated_in_the_message(string value)
    {
        using var tokenizer = new CardTokenizer(SecretBytes.CopyOf(new byte[32]), new byte[8]);
        var failure = Assert.Throws<ArgumentException>(() => tokenizer.Tokenize([value]));
        Assert.True(value.Length == 0 || !failure.Message.Contains(value, StringComparison.Ordinal));
        Assert.Throws<ArgumentException>(() => tokenizer.Reveal(["4111111111111111"]));   // a card is no token
        Assert.Single(tokenizer.Tokenize(["4111111111111111"]));
    }

    private static string WithLuhn(string digits)
    {
        for (var check = '0'; ; check++)
        {
            var all = digits + check;
            var sum = all.Reverse().Select((c, i) => i % 2 == 0 ? c - '0' : (c - '0') * 2 / 10 + (c - '0') * 2 % 10).Sum();
            if (sum % 10 == 0)
                return all;
        }
    }
}
