using System.Buffers.Binary;

namespace Bulwark.Cryptography;

/// <summary>Card numbers as numbers: reading, writing and the Luhn check digit, pairs of digits at a time.</summary>
internal static class CardDigits
{
    private static readonly byte[] s_luhnOfPair = [.. Enumerable.Range(0, 100).Select(pair => (byte)((pair % 10 + Doubled(pair / 10)) % 10))];
    private static readonly uint[] s_textOfPair = [.. Enumerable.Range(0, 100).Select(pair => (uint)('0' + pair / 10) | (uint)('0' + pair % 10) << 16)];

    /// <summary>Reads 1 to 19 ASCII digits.</summary>
    internal static bool TryRead(ReadOnlySpan<char> text, out ulong number)
    {
        number = 0;
        if (text.Length is 0 or > 19)
            return false;
        unchecked
        {
            foreach (var c in text)
            {
                if (c - (uint)'0' > 9)
                    return false;
                number = number * 10 + (c - (uint)'0');
            }
        }

        return true;
    }

    internal static string Text(ulong number, int length) => string.Create(length, number, static (text, number) =>
    {
        var end = text.Length;
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(text);
        unchecked
        {
            for (; end >= 2; end -= 2)
            {
                (number, var pair) = Math.DivRem(number, 100);
                BinaryPrimitives.WriteUInt32LittleEndian(bytes[((end - 2) * 2)..], s_textOfPair[pair]);
            }

            if (end == 1)
                text[0] = (char)('0' + number % 10);
        }
    });

    /// <summary>By how much the last digit exceeds the check digit of the others, modulo 10: 0 for a card number.</summary>
    internal static int Excess(ulong number) => Sum(number);

    /// <summary>The number with one more digit: its check digit plus <paramref name="excess"/>.</summary>
    internal static ulong WithCheckDigit(ulong number, int excess) => number * 10 + (ulong)((10 - Sum(number * 10) + excess) % 10);

    internal static ulong PowerOfTen(int exponent)
    {
        var power = 1UL;
        for (var i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }

    /// <summary>From the right, every second digit is doubled, and its cross sum counts.</summary>
    private static int Sum(ulong number)
    {
        var sum = 0;
        unchecked
        {
            // Eight digits at a time: 32-bit divisions are far cheaper than 64-bit ones.
            while (number > 0)
            {
                (number, var rest) = Math.DivRem(number, 100_000_000);
                for (var part = (uint)rest; part > 0;)
                {
                    (part, var pair) = Math.DivRem(part, 100);
                    sum += s_luhnOfPair[pair];
                }
            }
        }

        return sum % 10;
    }

    private static int Doubled(int digit) => digit > 4 ? digit * 2 - 9 : digit * 2;
}
