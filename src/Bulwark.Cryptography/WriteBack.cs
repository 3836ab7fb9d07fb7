using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bulwark.Cryptography;

/// <summary>Asks the kernel to begin writing a part of a file to the disk, so that a flush at the end has less to wait for. A hint: nothing depends on it.</summary>
/// <remarks>Linux's sync_file_range with SYNC_FILE_RANGE_WRITE; elsewhere nothing happens.</remarks>
internal static class WriteBack
{
    private const uint BeginToWrite = 2;

    internal static void Begin(SafeFileHandle file, long offset, long count)
    {
        if (OperatingSystem.IsLinux() && Environment.Is64BitProcess)
            _ = SyncFileRange(file, offset, count, BeginToWrite);
    }

    [DllImport("libc", EntryPoint = "sync_file_range"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);
}
