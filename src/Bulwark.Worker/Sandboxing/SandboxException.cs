namespace Bulwark.Worker;

/// <summary>The worker's sandbox is not what is demanded, so it was given nothing.</summary>
/// <param name="missing">What is missing, in words.</param>
public sealed class SandboxException(string missing) : IOException(
    $"The worker's sandbox lacks {missing}, so it is given neither package nor key. Use a kernel that has it (seccomp; Landlock: Linux 5.13 and later, among the active security modules), or, for development only, allow an insecure sandbox.")
{
    /// <summary>What is missing, in words.</summary>
    public string Missing { get; } = missing;
}
