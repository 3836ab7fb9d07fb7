using Bulwark.Attestation;

namespace Bulwark.Worker;

/// <summary>The broker kept the model's key: there is nothing to score with.</summary>
public sealed class KeyRefusedException : InvalidOperationException
{
    /// <param name="answer">The broker's answer.</param>
    public KeyRefusedException(KeyReleaseAnswer answer)
        : base($"The key broker refused the key of model {answer.Record.Model}: {answer.Record.Reason}.") => Answer = answer;

    /// <summary>The broker's answer, with every leg.</summary>
    public KeyReleaseAnswer Answer { get; }
}
