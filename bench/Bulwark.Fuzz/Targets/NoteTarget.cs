using System.Text;
using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Signed notes: what is read writes itself again, and a changed text is never verified.</summary>
internal sealed class NoteTarget : IFuzzTarget
{
    private readonly string _text = SignedNote.Parse(LogSamples.Note).Text;

    public string Name => "note";

    public IEnumerable<byte[]> Seeds() => [LogSamples.Note];

    public void Run(ReadOnlySpan<byte> input)
    {
        var note = SignedNote.Parse(input);
        if (!Encoding.UTF8.GetBytes(note.Note).AsSpan().SequenceEqual(input))
            throw new InvalidOperationException("A note is not what it was read from.");
        if (note.Text != _text && note.Verify([LogSamples.Log, LogSamples.WitnessKey]).Count > 0)
            throw new InvalidOperationException("Another text was verified.");
        _ = note.CosignedAt(LogSamples.WitnessKey);
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}
