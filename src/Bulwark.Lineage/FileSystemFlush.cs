using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bulwark.Lineage;

/// <summary>Makes everything written to a folder's file system durable in one go: what a flush of each of thousands of small files would do much slower.</summary>
/// <remarks>Linux syncfs(2). Elsewhere unsupported: files are then flushed one by one as they are written.</remarks>
internal static class FileSystemFlush
{
    internal static bool IsSupported { get; } = OperatingSystem.IsLinux();

    /// <summary>Names the running of the machine: another value means that it went down in between. Null where nobody says.</summary>
    internal static string? BootId { get; } = ReadBootId();

    /// <exception cref="IOException">The disk refused.</exception>
    internal static void Flush(string directory)
    {
        var descriptor = Open(Encoding.UTF8.GetBytes(directory + "\0"), 0);
        if (descriptor < 0)
            throw new IOException($"Cannot open {directory} to flush its file system (error {Marshal.GetLastPInvokeError()}).");
        try
        {
            if (Synchronize(descriptor) != 0)
                throw new IOException($"Cannot flush the file system of {directory} (error {Marshal.GetLastPInvokeError()}).");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Makes a file's bytes durable, and of its facts only what reading them needs: neither times nor, where it did not change, the length.</summary>
    /// <remarks>Linux fdatasync(2); elsewhere a full flush.</remarks>
    /// <exception cref="IOException">The disk refused.</exception>
    internal static void FlushContent(SafeFileHandle file)
    {
        if (!IsSupported)
            RandomAccess.FlushToDisk(file);
        else if (SynchronizeContent(file) != 0)
            throw new IOException($"The disk refused to flush (error {Marshal.GetLastPInvokeError()}).");
    }

    private static string? ReadBootId()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fdatasync", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SynchronizeContent(SafeFileHandle file);

    [DllImport("libc", EntryPoint = "syncfs", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Synchronize(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
