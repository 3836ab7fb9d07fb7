using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>An age file's header (C2SP age v1): the version, a stanza for each recipient, and an HMAC under the file key.</summary>
internal sealed class AgeHeader
{
    internal const string Version = "age-encryption.org/v1";
    private const int Columns = 64, LongestHeader = 256 * 1024;

    private AgeHeader(IReadOnlyList<AgeStanza> stanzas, byte[] authenticated, byte[] mac) => (Stanzas, Authenticated, Mac) = (stanzas, authenticated, mac);

    internal IReadOnlyList<AgeStanza> Stanzas { get; }

    private byte[] Authenticated { get; }

    private byte[] Mac { get; }

    /// <summary>The header's bytes.</summary>
    internal static byte[] Write(IReadOnlyList<AgeStanza> stanzas, SecretBytes fileKey)
    {
        var text = new StringBuilder().Append(Version).Append('\n');
        foreach (var stanza in stanzas)
        {
            text.Append("-> ").AppendJoin(' ', [stanza.Type, .. stanza.Arguments]).Append('\n');
            var body = Base64(stanza.Body);
            for (; body.Length >= Columns; body = body[Columns..])
                text.Append(body, 0, Columns).Append('\n');
            text.Append(body).Append('\n');
        }

        var authenticated = Encoding.ASCII.GetBytes(text.Append("---").ToString());
        return [.. authenticated, (byte)' ', .. Encoding.ASCII.GetBytes(Base64(ComputeMac(authenticated, fileKey))), (byte)'\n'];
    }

    /// <summary>Reads a header and leaves the stream at the byte after it.</summary>
    /// <exception cref="AgeException">It is malformed.</exception>
    internal static AgeHeader Read(Stream source)
    {
        var bytes = new ArrayBufferWriter<byte>();
        if (Line(source, bytes) != Version)
            throw AgeException.Header("it does not begin as an age file of version 1");
        var stanzas = new List<AgeStanza>();
        while (true)
        {
            var line = Line(source, bytes);
            if (line.StartsWith("---", StringComparison.Ordinal))
            {
                var authenticated = bytes.WrittenSpan[..^(line.Length - 3 + 1)].ToArray();
                if (stanzas.Count == 0 || line.Length < 4 || line[3] != ' ' || Decode(line[4..]) is not { Length: 32 } mac)
                    throw AgeException.Header("it has no recipient or no sound end");
                return new AgeHeader(stanzas, authenticated, mac);
            }

            var words = line.Split(' ');
            if (words.Length < 2 || words[0] != "->" || words.Skip(1).Any(word => word.Length == 0 || word.Any(letter => letter is < '!' or > '~')))
                throw AgeException.Header("a stanza is malformed");
            stanzas.Add(new AgeStanza(words[1], words[2..], Body(source, bytes)));
        }
    }

    internal bool IsMacOf(SecretBytes fileKey) => CryptographicOperations.FixedTimeEquals(ComputeMac(Authenticated, fileKey), Mac);

    /// <summary>Base64 without padding, as age writes it.</summary>
    internal static string Base64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>Null unless <paramref name="text"/> is the one spelling, without padding, of some bytes.</summary>
    internal static byte[]? Decode(string text) =>
        !text.Contains('=', StringComparison.Ordinal) && StrictBase64.TryDecode(text + new string('=', (4 - text.Length % 4) % 4), out var bytes) ? bytes : null;

    private static byte[] Body(Stream source, ArrayBufferWriter<byte> bytes)
    {
        var text = new StringBuilder();
        while (true)
        {
            var line = Line(source, bytes);
            if (line.Length > Columns)
                throw AgeException.Header("a stanza's line is too long");
            text.Append(line);
            if (line.Length < Columns)
                return Decode(text.ToString()) ?? throw AgeException.Header("a stanza's body is no base64");
        }
    }

    /// <summary>One line without its end; byte by byte, because what follows the header must stay in the stream.</summary>
    private static string Line(Stream source, ArrayBufferWriter<byte> bytes)
    {
        var start = bytes.WrittenCount;
        Span<byte> one = stackalloc byte[1];
        while (true)
        {
            if (source.Read(one) == 0)
                throw AgeException.Header("it ends too early");
            bytes.Write(one);
            if (bytes.WrittenCount > LongestHeader)
                throw AgeException.Header("it is too long");
            if (one[0] == '\n')
                return Encoding.Latin1.GetString(bytes.WrittenSpan[start..^1]);
        }
    }

    private static byte[] ComputeMac(byte[] authenticated, SecretBytes fileKey)
    {
        using var key = SecretBytes.Create(32, fileKey.Span, static (source, target) => HKDF.DeriveKey(HashAlgorithmName.SHA256, source, target, salt: default, "header"u8));
        return HMACSHA256.HashData(key.Span, authenticated);
    }
}
