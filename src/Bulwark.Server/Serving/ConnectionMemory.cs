using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Bulwark.Server;

/// <summary>Gives the machine back what the C library keeps of connections that are gone: TLS takes tens of kilobytes a connection from it, and its arenas keep them.</summary>
/// <remarks>
/// Looks now and then, and acts only when at least a hundred connections, and half of those there were, are fewer, or a thousand came and went. A collection in
/// the background then lets go what waits for its finalizer, and because that and the server's pools take their time, the library is asked again 5, 15, 35 and
/// 75 seconds later. GNU's C library alone; elsewhere it counts and does nothing.
/// </remarks>
internal sealed class ConnectionMemory : IDisposable
{
    private const int Many = 100, Gone = 1000, LastLook = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Timer? _timer;
    private int _live, _most, _gone, _looks = LastLook + 1;

    internal ConnectionMemory()
    {
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "malloc_trim", out _))
            _timer = new Timer(_ => Look(), null, Pause, Pause);
    }

    /// <summary>Counts a connection while it lives.</summary>
    internal ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        var live = Interlocked.Increment(ref _live);
        if (live > Volatile.Read(ref _most))
            Volatile.Write(ref _most, live);   // two at once may write the smaller: by one
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _live);
            Interlocked.Increment(ref _gone);
        }
    };

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        var (live, most) = (Volatile.Read(ref _live), Volatile.Read(ref _most));
        if (most - live >= Math.Max(Many, most / 2) || Volatile.Read(ref _gone) >= Gone)
        {
            Volatile.Write(ref _most, live);
            Volatile.Write(ref _gone, 0);
            _looks = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }

        if (_looks <= LastLook && int.IsPow2(++_looks))
            _ = Trim(0);
    }

    [DllImport("libc.so.6", EntryPoint = "malloc_trim"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Trim(nint keep);
}
