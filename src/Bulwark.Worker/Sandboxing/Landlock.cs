using System.Buffers.Binary;

namespace Bulwark.Worker.Sandboxing;

/// <summary>Landlock (Linux 5.13 and later): what is not listed cannot be opened, whoever asks. Holds for this thread and all that it starts, across exec.</summary>
/// <remarks>Source: Documentation/userspace-api/landlock.rst in the kernel's tree. What a kernel is too old for is left out.</remarks>
internal static unsafe class Landlock
{
    private const long CreateRuleset = 444, AddRule = 445, RestrictSelf = 446;
    private const ulong Execute = 1, WriteFile = 2, ReadFile = 4, ReadDirectory = 8, Truncate = 1 << 14, DeviceControl = 1 << 15;
    private const ulong FileRights = Execute | WriteFile | ReadFile | Truncate | DeviceControl;
    private const ulong Read = ReadFile | ReadDirectory;
    private const ulong BindTcp = 1, ConnectTcp = 2, AbstractSockets = 1, Signals = 2;

    /// <summary>The kernel's version of Landlock; 0 when it has none.</summary>
    internal static int Version => (int)Math.Max(0, Native.SystemCall(CreateRuleset, 0, 0, 1, 0));

    /// <summary>Restricts this thread; false when the kernel refuses or has no Landlock.</summary>
    /// <param name="programs">Folders and files that may be read and run.</param>
    /// <param name="readable">Folders and files that may be read.</param>
    /// <param name="writable">Device files that may be written too.</param>
    internal static bool Restrict(IEnumerable<string> programs, IEnumerable<string> readable, IEnumerable<string> writable)
    {
        var version = Version;
        if (version == 0)
            return false;
        var rights = (1UL << (version switch { 1 => 13, 2 => 14, 3 or 4 => 15, _ => 16 })) - 1;
        Span<ulong> attributes = [rights, BindTcp | ConnectTcp, AbstractSockets | Signals];
        var size = version switch { < 4 => 8, < 6 => 16, _ => 24 };
        int ruleset;
        fixed (ulong* pointer = attributes)
            ruleset = (int)Native.SystemCall(CreateRuleset, (nint)pointer, size, 0, 0);
        if (ruleset < 0)
            return false;
        try
        {
            var allowed = programs.Select(path => (path, Execute | Read)).Concat(readable.Select(path => (path, Read))).Concat(writable.Select(path => (path, ReadFile | WriteFile)));
            foreach (var (path, access) in allowed)
                Allow(ruleset, path, access & rights);
            return Native.SystemCall(RestrictSelf, ruleset, 0, 0, 0) == 0;
        }
        finally
        {
            _ = Native.Close(ruleset);
        }
    }

    /// <summary>A path that is not there needs no rule.</summary>
    private static void Allow(int ruleset, string path, ulong access)
    {
        var descriptor = Native.Open(path, Native.PathOnly | Native.CloseOnExec);
        if (descriptor < 0)
            return;
        Span<byte> rule = stackalloc byte[12];   // packed: the rights, the folder
        BinaryPrimitives.WriteUInt64LittleEndian(rule, Directory.Exists(path) ? access : access & FileRights);
        BinaryPrimitives.WriteInt32LittleEndian(rule[8..], descriptor);
        fixed (byte* pointer = rule)
            _ = Native.SystemCall(AddRule, ruleset, 1, (nint)pointer, 0);
        _ = Native.Close(descriptor);
    }
}
