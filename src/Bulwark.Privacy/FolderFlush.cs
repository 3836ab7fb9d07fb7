using System.Runtime.InteropServices;
using System.Text;

namespace Bulwark.Privacy;

/// <summary>Makes a new file's entry in its folder durable; the base library opens no folder. This room refers to no other, hence its own few lines.</summary>
internal static class FolderFlush
{
    internal static void Run(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(Encoding.UTF8.GetBytes(folder + "\0"), 0);
        if (descriptor < 0)
            throw new IOException($"Cannot open the folder {folder} to flush it.");
        var (failed, error) = (Synchronize(descriptor) != 0, Marshal.GetLastPInvokeError());
        _ = Close(descriptor);
        // 22 and 95 (45 on a Mac): a file system that does not flush folders.
        if (failed && error is not (22 or 45 or 95))
            throw new IOException($"Cannot flush the folder {folder} to the disk (error {error}).");
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Synchronize(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
