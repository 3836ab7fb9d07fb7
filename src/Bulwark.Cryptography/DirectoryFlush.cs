using System.Runtime.InteropServices;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>Makes a folder's entries durable. The base library opens no folder, so this asks the C library.</summary>
/// <remarks>POSIX fsync on a folder; a file system that has no such thing answers EINVAL or ENOTSUP and is taken at its word. Nothing to do on Windows.</remarks>
public static class DirectoryFlush
{
    private const int ReadOnly = 0, InvalidArgument = 22, NotSupportedOnLinux = 95, NotSupportedOnMac = 45;

    /// <summary>Returns when creations, renames and deletions in <paramref name="directory"/> are on the disk.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(Encoding.UTF8.GetBytes(directory + "\0"), ReadOnly);
        if (descriptor < 0)
            throw new IOException($"Cannot open the folder {directory} to flush it (error {Marshal.GetLastPInvokeError()}).");
        try
        {
            if (Synchronize(descriptor) != 0 && Marshal.GetLastPInvokeError() is var error and not (InvalidArgument or NotSupportedOnLinux or NotSupportedOnMac))
                throw new IOException($"Cannot flush the folder {directory} to the disk (error {error}).");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Synchronize(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
