namespace Bulwark.Interchange;

/// <summary>Bech32 (BIP 173) without its limit of 90 characters, as age writes keys.</summary>
internal static class Bech32
{
    private const string Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private static readonly uint[] s_generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

    /// <summary>In lower case.</summary>
    internal static string Encode(string prefix, ReadOnlySpan<byte> bytes)
    {
        var values = Regroup(bytes.ToArray(), 8, 5, pad: true)!;
        var checksum = Polymod([.. Expand(prefix), .. values, 0, 0, 0, 0, 0, 0]) ^ 1;
        return prefix + "1" + string.Concat(values.Concat(Enumerable.Range(0, 6).Select(i => (byte)(checksum >> (5 * (5 - i)) & 31))).Select(value => Alphabet[value]));
    }

    /// <summary>Null unless <paramref name="text"/>, all in one case, is the one spelling of some bytes under <paramref name="prefix"/> (lower case).</summary>
    internal static byte[]? Decode(string prefix, string text)
    {
        var lower = text.ToLowerInvariant();
        if (text.Any(char.IsAsciiLetterUpper) && text.Any(char.IsAsciiLetterLower))
            return null;
        if (text.Length > 200 || !lower.StartsWith(prefix + "1", StringComparison.Ordinal) || lower.Length < prefix.Length + 7)
            return null;
        var values = lower[(prefix.Length + 1)..].Select(letter => Alphabet.IndexOf(letter, StringComparison.Ordinal)).ToArray();
        if (values.Contains(-1) || Polymod([.. Expand(prefix), .. values.Select(value => (byte)value)]) != 1)
            return null;
        return Regroup([.. values[..^6].Select(value => (byte)value)], 5, 8, pad: false);
    }

    private static IEnumerable<byte> Expand(string prefix) =>
        [.. prefix.Select(letter => (byte)(letter >> 5)), 0, .. prefix.Select(letter => (byte)(letter & 31))];

    private static uint Polymod(byte[] values)
    {
        uint check = 1;
        foreach (var value in values)
        {
            var top = check >> 25;
            check = (check & 0x1ffffff) << 5 ^ value;
            for (var i = 0; i < 5; i++)
                check ^= (top >> i & 1) == 1 ? s_generator[i] : 0;
        }

        return check;
    }

    private static byte[]? Regroup(byte[] input, int from, int to, bool pad)
    {
        var output = new List<byte>();
        int held = 0, bits = 0;
        foreach (var value in input)
        {
            held = held << from & 0xffff | value;
            for (bits += from; bits >= to;)
            {
                bits -= to;
                output.Add((byte)(held >> bits & (1 << to) - 1));
            }
        }

        var rest = (held << to - bits) & (1 << to) - 1;
        if (pad && bits > 0)
            output.Add((byte)rest);
        return !pad && (bits >= from || rest != 0) ? null : [.. output];
    }
}
