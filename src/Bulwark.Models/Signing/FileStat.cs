using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Bulwark.Models.Signing;

/// <summary>What the kernel says of a file: its kind, and all that changes when its content does.</summary>
/// <remarks>statx(2), Linux. The change time is the kernel's own and cannot be set, unlike the modification time.</remarks>
internal readonly record struct FileStat(FileKind Kind, ulong Device, ulong Inode, long Bytes, long ModifiedNanoseconds, long ChangedNanoseconds)
{
    private const int CurrentFolder = -100, NoFollow = 0x100, BasicStats = 0x7ff, Size = 256;

    /// <summary>Null where the system gives no such facts.</summary>
    internal static FileStat? Of(string path, bool follow = false)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var bytes = new byte[Size];
        try
        {
            if (Statx(CurrentFolder, Encoding.UTF8.GetBytes(path + "\0"), follow ? 0 : NoFollow, BasicStats, bytes) != 0)
                throw new IOException($"Cannot look at {path} (error {Marshal.GetLastPInvokeError()}).");
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }

        var kind = (BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(28)) & 0xF000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        var device = ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(136)) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(140));
        return new(kind, device, BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32)), BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(40)),
            Nanoseconds(bytes.AsSpan(112)), Nanoseconds(bytes.AsSpan(96)));
    }

    /// <summary>As <see cref="Of"/>, of an open file.</summary>
    internal static FileStat? OfOpen(Microsoft.Win32.SafeHandles.SafeFileHandle file) => Of($"/proc/self/fd/{file.DangerousGetHandle()}", follow: true);

    private static long Nanoseconds(ReadOnlySpan<byte> time) => unchecked(BinaryPrimitives.ReadInt64LittleEndian(time) * 1_000_000_000 + BinaryPrimitives.ReadUInt32LittleEndian(time[8..]));

    [DllImport("libc", EntryPoint = "statx", SetLastError = true), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, byte[] path, int flags, uint mask, [Out] byte[] result);
}

/// <summary>What a name in a folder stands for.</summary>
internal enum FileKind
{
    /// <summary>Neither file nor folder nor link: a pipe, a socket, a device.</summary>
    Other,
    File,
    Folder,
    Link,
}
