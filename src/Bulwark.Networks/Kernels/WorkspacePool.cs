using System.Collections.Concurrent;

namespace Bulwark.Networks.Kernels;

/// <summary>Working memory kept between calls, one piece for each thread that is inside a call at the same time.</summary>
internal sealed class WorkspacePool<TWorkspace>(Func<TWorkspace> create)
{
    private readonly ConcurrentBag<TWorkspace> _idle = [];

    internal TWorkspace Rent() => _idle.TryTake(out var workspace) ? workspace : create();

    internal void Return(TWorkspace workspace) => _idle.Add(workspace);
}
