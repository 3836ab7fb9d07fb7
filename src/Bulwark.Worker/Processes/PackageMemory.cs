using Bulwark.Worker.Sandboxing;
using Microsoft.Win32.SafeHandles;

namespace Bulwark.Worker.Processes;

/// <summary>Memory for a sealed package of any length: a file without a name (memfd) where the kernel has them, else an array.</summary>
/// <remarks>It holds ciphertext only, but the sandbox has no folder to write to.</remarks>
internal static class PackageMemory
{
    private const uint CloseOnExec = 1;

    /// <exception cref="IOException">There is no such memory, and the package is too long for an array.</exception>
    internal static Stream Create(long bytes)
    {
        if (OperatingSystem.IsLinux() && Native.CreateMemoryFile("bulwark-package", CloseOnExec) is >= 0 and var descriptor)
            return new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 1);
        return bytes <= Array.MaxLength ? new MemoryStream((int)bytes) : throw new IOException($"The package has {bytes} bytes, and this system has no memory files: at most {Array.MaxLength}.");
    }
}
