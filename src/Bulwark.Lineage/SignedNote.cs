using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Text with signatures beneath it.</summary>
/// <remarks>Source: C2SP signed-note v1.0.0; signatures of type 01 (Ed25519). A signature by an unknown key says nothing; a wrong one by a known key refuses the note.</remarks>
public sealed class SignedNote
{
    private const string SignaturePrefix = "— ";
    private const int MaximumSignatures = 100, MaximumLength = 1 << 20;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly IReadOnlyList<(string Name, byte[] Blob)> _signatures;

    private SignedNote(string text, IReadOnlyList<(string, byte[])> signatures, string note) => (Text, _signatures, Note) = (text, signatures, note);

    /// <summary>What is signed; ends with a line feed.</summary>
    public string Text { get; }

    /// <summary>Text and signatures, as they are stored and sent.</summary>
    public string Note { get; }

    /// <summary>Signs <paramref name="text"/>.</summary>
    /// <param name="text">Ends with a line feed; no other control character.</param>
    /// <param name="name">The signer's name: no space, no '+'.</param>
    /// <param name="signer">The key.</param>
    /// <exception cref="ArgumentException">Text or name break these rules.</exception>
    public static SignedNote Sign(string text, string name, Signer signer)
    {
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentNullException.ThrowIfNull(text);
        if (!text.EndsWith('\n') || HasControls(text))
            throw new ArgumentException("A note's text ends with a line feed and has no other control character.", nameof(text));
        var key = new NoteKey(name, signer.PublicKey);
        byte[] blob = [.. key.Hash, .. signer.Sign(Utf8.GetBytes(text))];
        return new SignedNote(text, [(name, blob)], $"{text}\n{SignaturePrefix}{name} {Convert.ToBase64String(blob)}\n");
    }

    /// <summary>Takes a note apart; checks no signature.</summary>
    /// <exception cref="FormatException">This is no note.</exception>
    public static SignedNote Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumLength)
            throw new FormatException("The note is longer than 1 MiB.");
        try
        {
            return Parse(Utf8.GetString(bytes));
        }
        catch (DecoderFallbackException failure)
        {
            throw new FormatException("The note is no UTF-8.", failure);
        }
    }

    /// <summary>As <see cref="Parse(ReadOnlySpan{byte})"/>.</summary>
    /// <exception cref="FormatException">This is no note.</exception>
    public static SignedNote Parse(string note)
    {
        ArgumentNullException.ThrowIfNull(note);
        var split = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0 || !note.EndsWith('\n') || HasControls(note))
            throw new FormatException("The note lacks the blank line before its signatures, its last line feed, or has control characters.");
        var lines = note[(split + 2)..].Split('\n')[..^1];
        if (lines.Length is 0 or > MaximumSignatures)
            throw new FormatException($"The note has {lines.Length} signatures; 1 to {MaximumSignatures} are accepted.");
        return new SignedNote(note[..(split + 1)], [.. lines.Select(ParseSignature)], note);
    }

    /// <summary>Which of <paramref name="known"/> signed the note; empty unless at least one did and no known one's signature is wrong.</summary>
    public IReadOnlyList<NoteKey> Verify(IReadOnlyCollection<NoteKey> known)
    {
        ArgumentNullException.ThrowIfNull(known);
        var text = Utf8.GetBytes(Text);
        var verified = new List<NoteKey>();
        foreach (var (name, blob) in _signatures)
        {
            var key = known.FirstOrDefault(candidate => candidate.Name == name && blob.AsSpan(0, 4).SequenceEqual(candidate.Hash));
            if (key is null || verified.Contains(key))
                continue;
            if (!key.Key.Verify(text, blob.AsSpan(4)))
                return [];
            verified.Add(key);
        }

        return verified;
    }

    private static (string Name, byte[] Blob) ParseSignature(string line)
    {
        var space = line.LastIndexOf(' ');
        if (line.StartsWith(SignaturePrefix, StringComparison.Ordinal) && space > SignaturePrefix.Length
            && line[SignaturePrefix.Length..space] is var name && NoteKey.IsName(name)
            && StrictBase64.TryDecode(line[(space + 1)..], out var blob) && blob.Length > 4)
            return (name, blob);
        throw new FormatException($"'{line}' is no signature line.");
    }

    private static bool HasControls(string text) => text.Any(c => c != '\n' && (c < ' ' || c == '\ufffd'));
}

/// <summary>Who may sign notes: a name and an Ed25519 key, written as a vkey: <c>name+hash+base64</c>.</summary>
/// <remarks>Source: C2SP signed-note v1.0.0. The hash is the first 4 bytes of SHA-256(name | 0A | 01 | key).</remarks>
public sealed record NoteKey
{
    private const byte Ed25519 = 1;

    /// <summary>Names a key.</summary>
    /// <exception cref="ArgumentException">The name is empty or has a space or '+'.</exception>
    public NoteKey(string name, VerificationKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        Name = IsName(name) ? name : throw new ArgumentException($"'{name}' is no signer's name: not empty, no space, no '+'.", nameof(name));
        Key = key;
        Hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(name), 0x0a, Ed25519, .. key.Bytes])[..4];
    }

    /// <summary>The signer's name.</summary>
    public string Name { get; }

    /// <summary>The signer's key.</summary>
    public VerificationKey Key { get; }

    internal byte[] Hash { get; }

    /// <summary>Reads a vkey.</summary>
    /// <exception cref="FormatException">It is malformed, of another type, or its hash is wrong.</exception>
    public static NoteKey Parse(string vkey)
    {
        ArgumentNullException.ThrowIfNull(vkey);
        var parts = vkey.Split('+', 3);
        if (parts.Length == 3 && IsName(parts[0]) && StrictBase64.TryDecode(parts[2], out var bytes)
            && bytes.Length == 1 + VerificationKey.SizeInBytes && bytes[0] == Ed25519)
        {
            var key = new NoteKey(parts[0], new VerificationKey(bytes.AsSpan(1)));
            if (Convert.ToHexStringLower(key.Hash) == parts[1])
                return key;
        }

        throw new FormatException($"'{vkey}' is no verification key of a log: expected name+hash+base64 of type 01 (Ed25519) with a right hash.");
    }

    /// <inheritdoc/>
    public bool Equals(NoteKey? other) => other is not null && Name == other.Name && Key.Equals(other.Key);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Key);

    /// <summary>The vkey.</summary>
    public override string ToString() => $"{Name}+{Convert.ToHexStringLower(Hash)}+{Convert.ToBase64String([Ed25519, .. Key.Bytes])}";

    internal static bool IsName(string? name) => !string.IsNullOrEmpty(name) && !name.Any(c => char.IsWhiteSpace(c) || c is '+' or '\ufffd' || char.IsControl(c));
}
