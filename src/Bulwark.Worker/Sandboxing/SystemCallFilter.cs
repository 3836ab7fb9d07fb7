using System.Runtime.InteropServices;

namespace Bulwark.Worker.Sandboxing;

/// <summary>A seccomp filter over all threads: no new sockets, no programs, no other processes, no looking into others, no mounts, no kernel interfaces that a scorer never needs.</summary>
/// <remarks>A list of what is refused, because a runtime's needs change; what is refused answers EPERM. Source: Documentation/userspace-api/seccomp_filter.rst.</remarks>
internal static unsafe class SystemCallFilter
{
    private const ushort Load = 0x20, JumpIfEqual = 0x15, JumpIfSet = 0x45, JumpIfAtLeast = 0x35, Return = 0x06;
    private const uint AllowCall = 0x7fff0000, RefuseCall = 0x00050000, NotPermitted = 1, NotImplemented = 38;
    private const uint Thread = 0x10000;

    /// <summary>Numbers on x86-64 and on arm64; -1 where there is no such call.</summary>
    private static readonly (int X64, int Arm64)[] s_refused =
    [
        (41, 198), (42, 203), (43, 202), (288, 242), (49, 200), (50, 201), (53, 199),   // socket connect accept accept4 bind listen socketpair
        (57, -1), (58, -1), (59, 221), (322, 281),   // fork vfork execve execveat
        (101, 117), (310, 270), (311, 271), (312, 272), (434, 434), (438, 438),   // ptrace process_vm_readv process_vm_writev kcmp pidfd_open pidfd_getfd
        (321, 280), (298, 241), (323, 282), (425, 425), (426, 426), (427, 427),   // bpf perf_event_open userfaultfd io_uring
        (248, 217), (249, 218), (250, 219),   // add_key request_key keyctl
        (165, 40), (166, 39), (155, 41), (161, 51), (272, 97), (308, 268), (428, 428), (429, 429), (430, 430), (432, 432),   // mounts, roots, namespaces
        (304, 265), (300, 262), (133, -1), (259, 33),   // open_by_handle_at fanotify_init mknod mknodat
        (175, 105), (313, 273), (176, 106), (246, 104), (169, 142), (167, 224), (168, 225),   // modules, kexec, reboot, swap
    ];

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        internal ushort Length;
        internal nint Instructions;
    }

    /// <summary>Filters every thread of this process; false when the kernel or the processor has no such filter.</summary>
    internal static bool Install()
    {
        var (number, architecture, clone) = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (317, 0xC000003EU, 56u),
            Architecture.Arm64 => (277, 0xC00000B7U, 220u),
            _ => (0, 0U, 0u),
        };
        if (number == 0)
            return false;
        var instructions = Build(architecture, clone, RuntimeInformation.ProcessArchitecture is Architecture.X64);
        fixed (Instruction* first = instructions)
        {
            var program = new Program { Length = (ushort)instructions.Length, Instructions = (nint)first };
            const int SetFilter = 1, AllThreads = 1;
            return Native.SystemCall(number, SetFilter, AllThreads, (nint)(&program), 0) == 0;
        }
    }

    private static Instruction[] Build(uint architecture, uint clone, bool isX64)
    {
        const uint Clone3 = 435, OtherAbi = 0x40000000, NumberAt = 0, ArchitectureAt = 4, FirstArgumentAt = 16;
        var refuse = new Instruction(Return, 0, 0, RefuseCall | NotPermitted);
        var allow = new Instruction(Return, 0, 0, AllowCall);
        List<Instruction> list =
        [
            new(Load, 0, 0, ArchitectureAt), new(JumpIfEqual, 1, 0, architecture), refuse,
            new(Load, 0, 0, NumberAt), new(JumpIfAtLeast, 0, 1, OtherAbi), refuse,
            new(JumpIfEqual, 0, 1, Clone3), new(Return, 0, 0, RefuseCall | NotImplemented),   // its flags lie in memory: the C library falls back to clone
            new(JumpIfEqual, 0, 4, clone), new(Load, 0, 0, FirstArgumentAt), new(JumpIfSet, 0, 1, Thread), allow, refuse,
        ];
        foreach (var call in s_refused.Select(call => isX64 ? call.X64 : call.Arm64).Where(call => call >= 0))
            list.AddRange([new(JumpIfEqual, 0, 1, (uint)call), refuse]);
        list.Add(allow);
        return [.. list];
    }
}
