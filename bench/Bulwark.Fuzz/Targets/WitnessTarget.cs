using System.Text;
using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Bodies of add-checkpoint: always one of the protocol's answers, and a cosignature only for the tree that the log signed.</summary>
internal sealed class WitnessTarget : IFuzzTarget
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bulwark-fuzz-").FullName;
    private readonly string _body = Checkpoint.Parse(LogSamples.Note).Body;

    public string Name => "witness";

    public IEnumerable<byte[]> Seeds() => [[.. "old 0\n\n"u8, .. LogSamples.Note], [.. "old 1\n\n"u8, .. LogSamples.Note]];

    public void Run(ReadOnlySpan<byte> input)
    {
        var witness = new Witness("witness.example", LogSamples.WitnessSigner, [LogSamples.Log], _folder);
        var answer = witness.AddCheckpointAsync(input.ToArray()).GetAwaiter().GetResult();
        if (answer.Status is not (200 or 400 or 403 or 404 or 409 or 422))
            throw new InvalidOperationException($"The protocol has no answer {answer.Status}.");
        if (answer.Status == 200 && !Encoding.UTF8.GetString(input).Contains(_body, StringComparison.Ordinal))
            throw new InvalidOperationException("Another tree was cosigned.");
    }

    public bool IsRefusal(Exception failure) => false;
}
