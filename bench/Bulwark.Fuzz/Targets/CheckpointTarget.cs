using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Checkpoints: one spelling for each, and nothing signed but what was signed.</summary>
internal sealed class CheckpointTarget : IFuzzTarget
{
    private readonly string _body = Checkpoint.Parse(LogSamples.Note).Body;

    public string Name => "checkpoint";

    public IEnumerable<byte[]> Seeds() => [LogSamples.Note];

    public void Run(ReadOnlySpan<byte> input)
    {
        var checkpoint = Checkpoint.Parse(input);
        if (checkpoint.Body != checkpoint.Note!.Text)
            throw new InvalidOperationException("A checkpoint has two spellings.");
        if (checkpoint.Size < 0 || (checkpoint.Body != _body && checkpoint.IsSignedBy(LogSamples.Log.Key)))
            throw new InvalidOperationException("Another checkpoint was verified.");
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}
