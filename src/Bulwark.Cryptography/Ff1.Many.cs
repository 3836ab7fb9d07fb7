namespace Bulwark.Cryptography;

public sealed partial class Ff1
{
    /// <summary>Encrypts many texts, each as <see cref="Encrypt"/> does; those of one length go through the rounds together.</summary>
    /// <param name="plaintexts">Characters of the alphabet.</param>
    /// <param name="tweak">The same for all.</param>
    /// <exception cref="ArgumentException">A text has another character, or its domain is too small: its place is named, not the text.</exception>
    public string[] EncryptMany(ReadOnlySpan<string> plaintexts, ReadOnlySpan<byte> tweak) => Many(plaintexts, tweak, encrypt: true);

    /// <summary>Decrypts many texts, each as <see cref="Decrypt"/> does.</summary>
    /// <inheritdoc cref="EncryptMany" path="/exception"/>
    /// <param name="ciphertexts">What <see cref="EncryptMany"/> returned.</param>
    /// <param name="tweak">The same tweak.</param>
    public string[] DecryptMany(ReadOnlySpan<string> ciphertexts, ReadOnlySpan<byte> tweak) => Many(ciphertexts, tweak, encrypt: false);

    private string[] Many(ReadOnlySpan<string> texts, ReadOnlySpan<byte> tweak, bool encrypt)
    {
        var results = new string[texts.Length];
        var byLength = new Dictionary<int, List<int>>();
        for (var i = 0; i < texts.Length; i++)
        {
            if (!byLength.TryGetValue(texts[i].Length, out var places))
                byLength.Add(texts[i].Length, places = []);
            places.Add(i);
        }

        foreach (var (length, places) in byLength)
        {
            try
            {
                Begin(texts[places[0]], tweak);
            }
            catch (ArgumentException fault)
            {
                throw new ArgumentException($"Value {places[0]}: {fault.Message}", nameof(texts));
            }

            using var rounds = length <= 64 ? Ff1Rounds.For(_aes, _alphabet.Length, length, tweak) : null;
            foreach (var batch in places.Chunk(Ff1Rounds.Batch))
                Many(texts, batch, length, tweak, rounds, encrypt, results);
        }

        return results;
    }

    private void Many(ReadOnlySpan<string> texts, int[] places, int length, ReadOnlySpan<byte> tweak, Ff1Rounds? rounds, bool encrypt, string[] results)
    {
        if (rounds is null)
        {
            foreach (var place in places)
                results[place] = encrypt ? Encrypt(texts[place], tweak) : Decrypt(texts[place], tweak);
            return;
        }

        var (left, right) = (new ulong[places.Length], new ulong[places.Length]);
        for (var i = 0; i < places.Length; i++)
        {
            var text = texts[places[i]].AsSpan();
            if (!TryNumber(text[..(length / 2)], out left[i]) || !TryNumber(text[(length / 2)..], out right[i]))
                throw new ArgumentException($"Value {places[i]} has a character that is not in the alphabet.", nameof(texts));
        }

        if (encrypt)
            rounds.Encrypt(left, right);
        else
            rounds.Decrypt(left, right);
        for (var i = 0; i < places.Length; i++)
        {
            results[places[i]] = string.Create(length, (this, left[i], right[i]), static (text, state) =>
            {
                state.Item1.Write(text[..(text.Length / 2)], state.Item2);
                state.Item1.Write(text[(text.Length / 2)..], state.Item3);
            });
        }

        Array.Clear(left);
        Array.Clear(right);
    }

    private bool TryNumber(ReadOnlySpan<char> text, out ulong number)
    {
        number = 0;
        foreach (var c in text)
        {
            var digit = c < _digits.Length ? _digits[c] : _alphabet.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0)
                return false;
            number = number * (ulong)_alphabet.Length + (ulong)digit;
        }

        return true;
    }

    private void Write(Span<char> text, ulong number)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            (number, var digit) = Math.DivRem(number, (ulong)_alphabet.Length);
            text[i] = _alphabet[(int)digit];
        }
    }
}
