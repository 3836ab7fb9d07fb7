namespace Bulwark.Cryptography;

/// <summary>Base64 (RFC 4648 §4) with exactly one spelling for each byte string: no white space, padding present, no stray bits.</summary>
public static class StrictBase64
{
    /// <summary>Decodes <paramref name="text"/>; false when it is not the one canonical spelling of some bytes.</summary>
    public static bool TryDecode(string? text, out byte[] bytes)
    {
        bytes = [];
        if (text is null || text.Length % 4 != 0)
            return false;
        var buffer = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64String(text, buffer, out var written) || Convert.ToBase64String(buffer, 0, written) != text)
            return false;
        bytes = buffer[..written];
        return true;
    }
}
