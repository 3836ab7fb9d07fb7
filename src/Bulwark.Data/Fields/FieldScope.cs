using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What keys are derived for and what ciphertexts are bound to.</summary>
internal static class FieldScope
{
    /// <summary>The same in every version of a dataset, so that versions join; different in every dataset and column, unless the policy joins them by name.</summary>
    internal static string Of(string dataset, string column, string? joinAs) => joinAs is null ? $"{dataset}\n{column}" : $"\n{joinAs}";

    /// <summary>The text that a key is derived for.</summary>
    internal static string Purpose(string use, string scope) => $"data/{use}/v1\n{scope}";

    /// <summary>Associated data: each part behind its length, so that no two lists of parts look alike.</summary>
    internal static byte[] Context(params ReadOnlySpan<string> parts)
    {
        using var stream = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            stream.Write(length);
            stream.Write(bytes);
        }

        return stream.ToArray();
    }

    /// <summary>A cell: the key's version, a full stop, base64url.</summary>
    internal static string Cell(string version, ReadOnlySpan<byte> bytes) => $"{version}.{Base64Url.EncodeToString(bytes)}";

    /// <summary>Reads a cell; false when it is none.</summary>
    internal static bool TryCell(string text, out string version, out byte[] bytes)
    {
        (version, bytes) = ("", []);
        var stop = text.IndexOf('.', StringComparison.Ordinal);
        if (stop < 1 || !Base64Url.IsValid(text.AsSpan(stop + 1)))
            return false;
        (version, bytes) = (text[..stop], Base64Url.DecodeFromChars(text.AsSpan(stop + 1)));
        return true;
    }

    /// <summary>The version of <paramref name="key"/> that a cell names, or null when it names none.</summary>
    internal static KeyId? Version(KeyId key, string version) =>
        int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? new KeyId(key.Name, number) : null;
}
