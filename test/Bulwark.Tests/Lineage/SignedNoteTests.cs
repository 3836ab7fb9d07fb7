using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class SignedNoteTests : IDisposable
{
    private readonly Signer _signer = Signer.Generate();

    public void Dispose() => _signer.Dispose();

    [Fact]
    public void The_sample_of_the_specification_verifies()   // C2SP signed-note v1.0.0
    {
        var key = NoteKey.Parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
        var note = SignedNote.Parse("This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n");
        Assert.Equal([key], note.Verify([key]));
    }

    [Fact]
    public void Only_the_signed_text_under_the_signers_name_verifies()
    {
        var note = SignedNote.Sign("text\n", "a.example", _signer);
        using var other = Signer.Generate();
        Assert.Single(SignedNote.Parse(note.Note).Verify([new NoteKey("a.example", _signer.PublicKey)]));
        Assert.Empty(SignedNote.Parse(note.Note).Verify([new NoteKey("b.example", _signer.PublicKey)]));
        Assert.Empty(SignedNote.Parse(note.Note).Verify([new NoteKey("a.example", other.PublicKey)]));
        Assert.Empty(SignedNote.Parse(note.Note.Replace("text", "texT", StringComparison.Ordinal)).Verify([new NoteKey("a.example", _signer.PublicKey)]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("text\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n— a AAAAAAAA")]
    [InlineData("text\n\n- a AAAAAAAA\n")]
    [InlineData("text\n\n— a b AAAAAAAA\n")]
    [InlineData("text\n\n— a+b AAAAAAAA\n")]
    [InlineData("text\n\n— a AAAA\n")]
    [InlineData("te\u0001xt\n\n— a AAAAAAAA\n")]
    [InlineData("te\rxt\n\n— a AAAAAAAA\n")]
    public void What_is_no_note_is_refused(string note) => Assert.Throws<FormatException>(() => SignedNote.Parse(note));

    [Fact]
    public void A_vkey_has_one_spelling_and_a_right_hash()
    {
        var key = new NoteKey("a.example", _signer.PublicKey);
        Assert.Equal(key, NoteKey.Parse(key.ToString()));
        var parts = key.ToString().Split('+', 3);
        Assert.Throws<FormatException>(() => NoteKey.Parse($"b.example+{parts[1]}+{parts[2]}"));
        Assert.Throws<FormatException>(() => NoteKey.Parse($"{parts[0]}+{parts[1].ToUpperInvariant()}Z+{parts[2]}"));
        Assert.Throws<ArgumentException>(() => new NoteKey("two words", _signer.PublicKey));
    }

    [Theory]
    [InlineData("log\n1\n")]
    [InlineData("\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [InlineData("log\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [InlineData("log\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [InlineData("log\n99999999999999999999\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [InlineData("log\n1\nYmFuYW5hcw==\n")]
    [InlineData("log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n")]
    public void What_is_no_checkpoint_is_refused(string body) => Assert.Throws<FormatException>(() => Checkpoint.ParseBody(body));

    [Theory]
    [InlineData('\u007f')]
    [InlineData('\u009b')]
    public void Control_characters_are_refused(char control)
    {
        using var signer = Signer.Generate();
        Assert.Throws<ArgumentException>(() => SignedNote.Sign($"log{control}\n", "log.example/a", signer));
        Assert.Throws<FormatException>(() => SignedNote.Parse(SignedNote.Sign("log_\n", "log.example/a", signer).Note.Replace('_', control)));
    }
}
