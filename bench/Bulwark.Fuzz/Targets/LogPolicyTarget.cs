using Bulwark.Lineage;

namespace Bulwark.Fuzz.Targets;

/// <summary>Policies of logs and witnesses: refused with a fault, or the same when written and read again.</summary>
internal sealed class LogPolicyTarget : IFuzzTarget
{
    public string Name => "log-policy";

    public IEnumerable<byte[]> Seeds() => [LogSamples.Policy, "quorum none\n"u8.ToArray()];

    public void Run(ReadOnlySpan<byte> input)
    {
        var policy = LogPolicy.Parse(input);
        var written = policy.ToBytes();
        if (!LogPolicy.Parse(written).ToBytes().AsSpan().SequenceEqual(written))
            throw new InvalidOperationException("A policy is another one when it is read again.");
        _ = policy.Judge(Checkpoint.Parse(LogSamples.Note));
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}
