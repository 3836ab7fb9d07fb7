using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bulwark.Cryptography;

/// <summary>Asks the kernel to begin writing a part of a file to the disk, so that a flush at the end has less to wait for. A hint: nothing depends on it.</summary>
/// <remarks>Linux's sync_file_range with SYNC_FILE_RANGE_WRITE; elsewhere nothing happens, nor where the C library has no such function.</remarks>
internal static class WriteBack
{
    private const uint BeginToWrite = 2;

    private static volatile bool s_isMissing = !OperatingSystem.IsLinux() || !Environment.Is64BitProcess;

    internal static void Begin(SafeFileHandle file, long offset, long count)
    {
        if (!s_isMissing)
            s_isMissing = IsMissing(() => SyncFileRange(file, offset, count, BeginToWrite));
    }

    /// <summary>Calls, and tells whether the function was not there to call; what it answers does not matter.</summary>
    internal static bool IsMissing(Func<int> call)
    {
        try
        {
            _ = call();
            return false;
        }
        catch (Exception fault) when (fault is EntryPointNotFoundException or DllNotFoundException)
        {
            return true;
        }
    }

    [DllImport("libc", EntryPoint = "sync_file_range"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SyncFileRange(SafeFileHandle file, long offset, long count, uint flags);
}
