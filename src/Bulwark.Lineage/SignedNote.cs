using System.Buffers.Binary;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Text with signatures beneath it.</summary>
/// <remarks>
/// Source: C2SP signed-note v1.0.0; signatures of type 01 (Ed25519) and cosignatures of type 04 (tlog-cosignature v1.0.0). A signature by an unknown key
/// says nothing; a wrong one by a known key refuses the note.
/// </remarks>
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
        return Of(text, [(name, [.. key.Hash, .. signer.Sign(Utf8.GetBytes(text))])]);
    }

    /// <summary>The note with one more signature: a cosignature/v1 that states when.</summary>
    /// <param name="name">The cosigner's name: no space, no '+'.</param>
    /// <param name="signer">The cosigner's key, used for nothing else.</param>
    /// <param name="time">Whole seconds count.</param>
    /// <exception cref="ArgumentException">The name breaks these rules, or the time is before 1970.</exception>
    public SignedNote Cosigned(string name, Signer signer, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(signer);
        var seconds = time.ToUnixTimeSeconds();
        ArgumentOutOfRangeException.ThrowIfNegative(seconds, nameof(time));
        var key = new NoteKey(name, signer.PublicKey, NoteKeyKind.Cosignature);
        var blob = new byte[4 + sizeof(ulong) + VerificationKey.SignatureSizeInBytes];
        key.Hash.CopyTo(blob, 0);
        BinaryPrimitives.WriteInt64BigEndian(blob.AsSpan(4), seconds);
        signer.Sign(NoteKey.CosignedMessage(Text, seconds)).CopyTo(blob, 4 + sizeof(ulong));
        return With([(name, blob)]);
    }

    /// <summary>The note with those of the other's signatures that are by <paramref name="keys"/>, that it lacks and that are right.</summary>
    /// <exception cref="ArgumentException">The other note has another text.</exception>
    public SignedNote Joined(SignedNote other, IReadOnlyCollection<NoteKey> keys)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(keys);
        if (other.Text != Text)
            throw new ArgumentException("The notes have different texts.", nameof(other));
        return With([.. other._signatures.Where(signature => KeyOf(signature, keys) is { } key && key.Verify(Text, signature.Blob.AsSpan(4))
            && !_signatures.Any(mine => mine.Name == signature.Name && mine.Blob.AsSpan(0, 4).SequenceEqual(signature.Blob.AsSpan(0, 4))))]);
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
        var verified = new List<NoteKey>();
        foreach (var signature in _signatures)
        {
            if (KeyOf(signature, known) is not { } key || verified.Contains(key))
                continue;
            if (!key.Verify(Text, signature.Blob.AsSpan(4)))
                return [];
            verified.Add(key);
        }

        return verified;
    }

    /// <summary>When <paramref name="cosigner"/> cosigned, by its own clock; null when it did not, or wrongly.</summary>
    public DateTimeOffset? CosignedAt(NoteKey cosigner)
    {
        ArgumentNullException.ThrowIfNull(cosigner);
        foreach (var signature in _signatures.Where(signature => cosigner.Kind == NoteKeyKind.Cosignature && KeyOf(signature, [cosigner]) is not null))
        {
            if (cosigner.Verify(Text, signature.Blob.AsSpan(4)) && BinaryPrimitives.ReadUInt64BigEndian(signature.Blob.AsSpan(4)) is <= 253402300799 and var seconds)
                return DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        }

        return null;
    }

    /// <summary>The signature lines beneath the text, as they are sent; of each of <paramref name="keys"/> the one that is right.</summary>
    internal string LinesBy(IReadOnlyCollection<NoteKey> keys) => string.Concat(_signatures
        .Select(signature => (Signature: signature, Key: KeyOf(signature, keys)))
        .Where(found => found.Key is not null && found.Key.Verify(Text, found.Signature.Blob.AsSpan(4)))
        .DistinctBy(found => found.Key).Select(found => Line(found.Signature)));

    private static NoteKey? KeyOf((string Name, byte[] Blob) signature, IReadOnlyCollection<NoteKey> known) =>
        known.FirstOrDefault(candidate => candidate.Name == signature.Name && signature.Blob.AsSpan(0, 4).SequenceEqual(candidate.Hash));

    private SignedNote With(IReadOnlyList<(string, byte[])> more) => more.Count == 0 ? this : Of(Text, [.. _signatures, .. more]);

    private static SignedNote Of(string text, IReadOnlyList<(string, byte[])> signatures) => new(text, signatures, $"{text}\n{string.Concat(signatures.Select(Line))}");

    private static string Line((string Name, byte[] Blob) signature) => $"{SignaturePrefix}{signature.Name} {Convert.ToBase64String(signature.Blob)}\n";

    private static (string Name, byte[] Blob) ParseSignature(string line)
    {
        var space = line.LastIndexOf(' ');
        if (line.StartsWith(SignaturePrefix, StringComparison.Ordinal) && space > SignaturePrefix.Length
            && line[SignaturePrefix.Length..space] is var name && NoteKey.IsName(name)
            && StrictBase64.TryDecode(line[(space + 1)..], out var blob) && blob.Length > 4)
            return (name, blob);
        throw new FormatException($"'{line}' is no signature line.");
    }

    private static bool HasControls(string text) => text.Any(c => c != '\n' && (char.IsControl(c) || c == '\ufffd'));
}
