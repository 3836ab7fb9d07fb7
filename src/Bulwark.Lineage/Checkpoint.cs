using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What a log says of itself at one moment: its name, its size and its root.</summary>
/// <remarks>Source: C2SP tlog-checkpoint v1.0.0. Believe it only when its note's signature is verified.</remarks>
/// <param name="Origin">The log's unique name.</param>
/// <param name="Size">Entries.</param>
/// <param name="Root">RFC 6962 root over them.</param>
public sealed record Checkpoint(string Origin, long Size, Digest Root)
{
    /// <summary>Lines after the third, which this program does not interpret.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = [];

    /// <summary>The signed form, when the checkpoint came from one.</summary>
    public SignedNote? Note { get; init; }

    /// <summary>Reads the signed text of a checkpoint.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static Checkpoint ParseBody(string body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var lines = body.Split('\n');
        if (lines.Length < 4 || lines[^1].Length != 0 || lines[..^1].Any(line => line.Length == 0))
            throw new FormatException("A checkpoint has three lines or more, none empty, each ended by a line feed.");
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size.ToString(CultureInfo.InvariantCulture) != lines[1])
            throw new FormatException($"'{lines[1]}' is no tree size.");
        if (!StrictBase64.TryDecode(lines[2], out var root) || root.Length != Digest.SizeInBytes)
            throw new FormatException($"'{lines[2]}' is no root hash: expected the base64 of 32 bytes.");
        return new Checkpoint(lines[0], size, new Digest(root)) { Extensions = lines[3..^1] };
    }

    /// <summary>Reads a signed checkpoint and checks nothing.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static Checkpoint Parse(ReadOnlySpan<byte> note)
    {
        var parsed = SignedNote.Parse(note);
        return ParseBody(parsed.Text) with { Note = parsed };
    }

    /// <summary>True when the log that the checkpoint names signed it with <paramref name="logKey"/>.</summary>
    public bool IsSignedBy(VerificationKey logKey) =>
        Note is not null && NoteKey.IsName(Origin) && Note.Verify([new NoteKey(Origin, logKey)]).Count == 1;

    /// <summary>The text that is signed.</summary>
    public string Body => string.Concat(new[] { Origin, Size.ToString(CultureInfo.InvariantCulture), Convert.ToBase64String(Root.Bytes) }
        .Concat(Extensions).Select(line => line + "\n"));

    /// <summary>The checkpoint with its signature.</summary>
    internal Checkpoint Signed(Signer signer) => this with { Note = SignedNote.Sign(Body, Origin, signer) };
}
