using System.Runtime.InteropServices;

namespace Bulwark.Worker.Sandboxing;

/// <summary>The few system calls that a sandbox needs.</summary>
internal static unsafe partial class Native
{
    internal const int NoNewPrivileges = 38, SetDumpable = 4, GetDumpable = 3, GetNoNewPrivileges = 39;
    internal const int CoreLimit = 4;
    internal const int PathOnly = 0x200000, CloseOnExec = 0x80000;
    internal const int LockCurrent = 1, LockFuture = 2, LockOnFault = 4;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Limit
    {
        internal ulong Soft;
        internal ulong Hard;
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int Control(int option, ulong a, ulong b, ulong c, ulong d);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial long SystemCall(long number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetLimit(int resource, in Limit limit);

    [LibraryImport("libc", EntryPoint = "mlockall", SetLastError = true)]
    internal static partial int LockMemory(int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int CreateMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Execute(string path, byte** arguments);
}
