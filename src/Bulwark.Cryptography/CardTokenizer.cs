using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Turns payment card numbers into tokens of the same length that no card can have, and back.</summary>
/// <remarks>
/// All digits but the last are encrypted by FF1 (NIST SP 800-38G, radix 10); the token's last digit is the Luhn check digit of those
/// (ISO/IEC 7812-1, annex B) plus 1, so a token never passes the Luhn check and is never taken for a card. The card's own check digit
/// follows from its other digits, so nothing is lost. (Walking the cycle of FF1 until a token fails the check would not do: two cards
/// could then share a token.) Deterministic: equal cards have equal tokens, so tables join. Not thread-safe.
/// </remarks>
public sealed class CardTokenizer : IDisposable
{
    /// <summary>Length of a tweak in bytes: with it one AES block carries a whole round.</summary>
    public const int TweakSizeInBytes = 8;

    private const int Batch = 4096, Rounds = 10, Shortest = 12, Longest = 19;
    private readonly Aes _aes = Aes.Create();
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
    /// <param name="tokens">What <see cref="Tokenize"/> returned.</param>
    /// <exception cref="ArgumentException">One is no token; its place is named.</exception>
    public string[] Reveal(ReadOnlySpan<string> tokens) => Run(tokens, excess: 1, encrypt: false);

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _aes.Dispose();

    /// <param name="values">Cards or tokens.</param>
    /// <param name="excess">By how much the last digit exceeds the check digit: 0 for cards, 1 for tokens.</param>
    /// <param name="encrypt">Which way.</param>
    private string[] Run(ReadOnlySpan<string> values, int excess, bool encrypt)
    {
        var results = new string[values.Length];
        var places = new List<int>[Longest + 1];
        for (var i = 0; i < values.Length; i++)
        {
            if (!IsSound(values[i], excess))
                throw new ArgumentException($"Value {i} is no {(encrypt ? "card number: 12 to 19 digits that pass the Luhn check" : "token of a card")}.", nameof(values));
            (places[values[i].Length] ??= []).Add(i);
        }

        for (var length = Shortest; length <= Longest; length++)
        {
            foreach (var batch in (places[length] ?? []).Chunk(Batch))
                RunBatch(values, batch, length, 1 - excess, encrypt, results);
        }

        return results;
    }

    /// <summary>All rows go through a round together: one call into AES a round, not one a row.</summary>
    private void RunBatch(ReadOnlySpan<string> values, int[] rows, int length, int excess, bool encrypt, string[] results)
    {
        var (u, v) = ((length - 1) / 2, length - 1 - (length - 1) / 2);
        var (left, right) = (new ulong[rows.Length], new ulong[rows.Length]);
        for (var i = 0; i < rows.Length; i++)
        {
            left[i] = ulong.Parse(values[rows[i]].AsSpan(0, u));
            right[i] = ulong.Parse(values[rows[i]].AsSpan(u, v));
        }

        var blocks = new byte[rows.Length * 16];
        var masks = new byte[rows.Length * 16];
        for (var step = 0; step < Rounds; step++)
        {
            var round = encrypt ? step : Rounds - 1 - step;
            var (kept, changed) = encrypt ? (right, left) : (left, right);
            FillBlocks(blocks, kept, round, u, v);
            _aes.EncryptEcb(blocks, masks, PaddingMode.None);
            Mix(changed, masks, PowerOfTen(round % 2 == 0 ? u : v), encrypt);
            (left, right) = encrypt ? (kept, changed) : (changed, kept);
        }

        for (var i = 0; i < rows.Length; i++)
            results[rows[i]] = WithCheckDigit(left[i], right[i], u, v, excess);
        CryptographicOperations.ZeroMemory(blocks);
        CryptographicOperations.ZeroMemory(masks);
    }

    /// <summary>AES(P) xor Q of SP 800-38G, Algorithm 7, steps 5 and 6i: with an 8-byte tweak and at most 9 digits a half, Q is one block.</summary>
    private void FillBlocks(byte[] blocks, ulong[] kept, int round, int u, int v)
    {
        var b = (int)((64 - ulong.LeadingZeroCount(PowerOfTen(v) - 1) + 7) / 8);
        Span<byte> p = stackalloc byte[16];
        p.Clear();
        new byte[] { 1, 2, 1, 0, 0, 10, 10, (byte)u, 0, 0, 0, (byte)(u + v), 0, 0, 0, TweakSizeInBytes }.CopyTo(p);
        _aes.EncryptEcb(p, p, PaddingMode.None);
        for (var i = 0; i < TweakSizeInBytes; i++)
            p[i] ^= _tweak[i];
        p[15 - b] ^= (byte)round;
        var high = BinaryPrimitives.ReadUInt64BigEndian(p);
        var low = BinaryPrimitives.ReadUInt64BigEndian(p[8..]);
        for (var i = 0; i < kept.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(blocks.AsSpan(i * 16), high);
            BinaryPrimitives.WriteUInt64BigEndian(blocks.AsSpan(i * 16 + 8), low ^ kept[i]);
        }
    }

    /// <summary>Steps 6iv to 6vi: d is 8 bytes, so y is the first half of the block.</summary>
    private static void Mix(ulong[] changed, byte[] masks, ulong modulus, bool encrypt)
    {
        for (var i = 0; i < changed.Length; i++)
        {
            var y = BinaryPrimitives.ReadUInt64BigEndian(masks.AsSpan(i * 16)) % modulus;
            changed[i] = encrypt ? (changed[i] + y) % modulus : (changed[i] + modulus - y) % modulus;
        }
    }

    private static string WithCheckDigit(ulong left, ulong right, int u, int v, int excess) =>
        string.Create(u + v + 1, (left, right, u, v, excess), static (text, state) =>
        {
            Write(text[..state.u], state.left);
            Write(text.Slice(state.u, state.v), state.right);
            text[^1] = (char)('0' + (CheckDigit(text[..^1]) + state.excess) % 10);
        });

    private static void Write(Span<char> digits, ulong number)
    {
        for (var i = digits.Length - 1; i >= 0; i--, number /= 10)
            digits[i] = (char)('0' + number % 10);
    }

    private static bool IsSound(string value, int excess) =>
        value is { Length: >= Shortest and <= Longest } && !value.AsSpan().ContainsAnyExceptInRange('0', '9')
        && value[^1] - '0' == (CheckDigit(value.AsSpan(0, value.Length - 1)) + excess) % 10;

    /// <summary>The Luhn digit: from the right, every first digit is doubled, and its cross sum counts.</summary>
    private static int CheckDigit(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            var digit = digits[i] - '0';
            if ((digits.Length - 1 - i) % 2 == 0)
                digit = digit > 4 ? digit * 2 - 9 : digit * 2;
            sum += digit;
        }

        return (10 - sum % 10) % 10;
    }

    private static ulong PowerOfTen(int exponent)
    {
        var power = 1UL;
        for (var i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }
}
