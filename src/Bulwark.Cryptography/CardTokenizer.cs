using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Turns payment card numbers into tokens of the same length that no card can have, and back.</summary>
/// <remarks>
/// All digits but the last are encrypted by FF1 (NIST SP 800-38G, radix 10); the token's last digit is the Luhn check digit of those
/// (ISO/IEC 7812-1, annex B) plus 1, so a token never passes the Luhn check and is never taken for a card. The card's own check digit
/// follows from its other digits, so nothing is lost. (Walking the cycle of FF1 until a token fails the check would not do: where the
/// cycle passes through two cards in a row, both would come out at the same token.) Deterministic: equal cards have equal tokens, so
/// tables join. Not thread-safe.
/// </remarks>
public sealed class CardTokenizer : IDisposable
{
    /// <summary>Length of a tweak in bytes.</summary>
    public const int TweakSizeInBytes = 8;

    /// <summary>The fewest and the most digits of a card.</summary>
    internal const int Shortest = 12, Longest = 19;

    private readonly Aes _aes = Aes.Create();
    private readonly Ff1Rounds?[] _rounds = new Ff1Rounds?[Longest + 1];
    private readonly ulong[] _left = new ulong[Ff1Rounds.Batch], _right = new ulong[Ff1Rounds.Batch];
    private readonly byte[] _tweak;

    /// <summary>Takes over a key.</summary>
    /// <param name="key">32 bytes; wiped here, at once, after it was taken over.</param>
    /// <param name="tweak">8 bytes, not secret: which tenant, purpose and key version the tokens are for.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public CardTokenizer(SecretBytes key, ReadOnlySpan<byte> tweak)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Length != 32)
            throw new ArgumentException($"The key has {key.Length} bytes, not 32.", nameof(key));
        if (tweak.Length != TweakSizeInBytes)
            throw new ArgumentException($"The tweak has {tweak.Length} bytes, not {TweakSizeInBytes}.", nameof(tweak));
        _tweak = tweak.ToArray();
        _aes.SetKey(key.Span);
        key.Dispose();
    }

    /// <summary>The tokens of cards, in their order.</summary>
    /// <param name="cards">12 to 19 digits each, without grouping, that pass the Luhn check.</param>
    /// <exception cref="ArgumentException">One is no card number; its place is named, its digits are not.</exception>
    public string[] Tokenize(ReadOnlySpan<string> cards) => Run(cards, excess: 0, encrypt: true);

    /// <summary>The cards of tokens, in their order.</summary>
    /// <param name="tokens">What <see cref="Tokenize(ReadOnlySpan{string})"/> returned.</param>
    /// <exception cref="ArgumentException">One is no token; its place is named.</exception>
    public string[] Reveal(ReadOnlySpan<string> tokens) => Run(tokens, excess: 1, encrypt: false);

    /// <summary>Replaces cards of one length, written as numbers, by their tokens: no text is made.</summary>
    /// <param name="cards">Cards in, tokens out. Leading zeros count as digits.</param>
    /// <param name="length">Digits of each, 12 to 19.</param>
    /// <exception cref="ArgumentException">One is no card number of that length; nothing was changed.</exception>
    public void Tokenize(Span<ulong> cards, int length) => Run(cards, length, excess: 0, encrypt: true);

    /// <summary>Replaces tokens of one length by their cards.</summary>
    /// <param name="tokens">Tokens in, cards out.</param>
    /// <param name="length">Digits of each, 12 to 19.</param>
    /// <exception cref="ArgumentException">One is no token of that length; nothing was changed.</exception>
    public void Reveal(Span<ulong> tokens, int length) => Run(tokens, length, excess: 1, encrypt: false);

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        foreach (var rounds in _rounds)
            rounds?.Dispose();
        Array.Clear(_left);
        Array.Clear(_right);
        _aes.Dispose();
    }

    /// <param name="values">Cards or tokens.</param>
    /// <param name="excess">By how much the last digit exceeds the check digit: 0 for cards, 1 for tokens.</param>
    /// <param name="encrypt">Which way.</param>
    private string[] Run(ReadOnlySpan<string> values, int excess, bool encrypt)
    {
        var results = new string[values.Length];
        var numbers = new ulong[values.Length];
        var seen = 0u;
        for (var i = 0; i < values.Length; i++)
        {
            if (!CardDigits.TryRead(values[i], out numbers[i]) || values[i].Length is < Shortest or > Longest || CardDigits.Excess(numbers[i]) != excess)
                throw Refusal(i, encrypt, nameof(values));
            seen |= 1u << values[i].Length;
        }

        Span<ulong> batch = stackalloc ulong[Ff1Rounds.Batch];
        var places = new int[Ff1Rounds.Batch];
        for (var length = Shortest; length <= Longest; length++)
        {
            if ((seen & 1u << length) == 0)
                continue;
            for (int row = 0, used = 0; row <= values.Length; row++)
            {
                if (row < values.Length && values[row].Length == length)
                    (places[used], batch[used++]) = (row, numbers[row]);
                if (used == 0 || (used < batch.Length && row < values.Length))
                    continue;
                RunBatch(batch[..used], length, 1 - excess, encrypt);
                for (var i = 0; i < used; i++)
                    results[places[i]] = CardDigits.Text(batch[i], length);
                used = 0;
            }
        }

        Array.Clear(numbers);
        batch.Clear();
        return results;
    }

    private void Run(Span<ulong> values, int length, int excess, bool encrypt)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, Shortest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Longest);
        var limit = CardDigits.PowerOfTen(length);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] >= limit || CardDigits.Excess(values[i]) != excess)
                throw Refusal(i, encrypt, nameof(values));
        }

        for (var first = 0; first < values.Length; first += Ff1Rounds.Batch)
            RunBatch(values.Slice(first, Math.Min(Ff1Rounds.Batch, values.Length - first)), length, 1 - excess, encrypt);
    }

    /// <summary>All digits but the last, in two halves, through the rounds; then the digit that the result must have.</summary>
    private void RunBatch(Span<ulong> values, int length, int excess, bool encrypt)
    {
        var rounds = _rounds[length] ??= Ff1Rounds.For(_aes, 10, length - 1, _tweak)!;
        var half = CardDigits.PowerOfTen(length - 1 - (length - 1) / 2);
        var left = _left.AsSpan(0, values.Length);
        var right = _right.AsSpan(0, values.Length);
        for (var i = 0; i < values.Length; i++)
            (left[i], right[i]) = Math.DivRem(values[i] / 10, half);
        if (encrypt)
            rounds.Encrypt(left, right);
        else
            rounds.Decrypt(left, right);
        for (var i = 0; i < values.Length; i++)
            values[i] = CardDigits.WithCheckDigit(left[i] * half + right[i], excess);
    }

    private static ArgumentException Refusal(int place, bool encrypt, string parameter) =>
        new($"Value {place} is no {(encrypt ? "card number: 12 to 19 digits that pass the Luhn check" : "token of a card")}.", parameter);
}
