namespace Bulwark.Server;

/// <summary>Decisions that wait for the one who writes them: bounded, and taken in groups.</summary>
/// <remarks>
/// A group costs a signature, two writes and a flush, however small. So where decisions come fast, the writer waits for more of them: a millisecond, and
/// another for as long as each brings enough, eight at most. Where they come one by one, nobody waits. How fast they come is seen from those that came, so
/// that clients who dawdle hold nobody up.
/// </remarks>
internal sealed class AuditQueue(int capacity)
{
    /// <summary>So many in a millisecond are worth waiting another one for.</summary>
    private const int Crowd = 4;

    /// <summary>So many fill a group.</summary>
    private const int MostGathered = 64;

    private const int MostPauses = 8;

    /// <summary>After so many milliseconds of quiet nothing is expected to come fast.</summary>
    private const int Lull = 10;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly object _gate = new();
    private readonly Queue<WaitingDecision> _coming = new();
    private int _count;
    private int _wakeAt = int.MaxValue;
    private int _last;
    private bool _closed;

    internal int Count => Volatile.Read(ref _count);

    /// <summary>False when it is full or closed.</summary>
    internal bool TryAdd(WaitingDecision waiting)
    {
        lock (_gate)
        {
            if (_closed || _count >= capacity)
                return false;
            _coming.Enqueue(waiting);
            if (++_count == _wakeAt)
                Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>From now on nothing comes in; what waits is still given out.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for decisions and takes them in their order, as many as make one group. For one reader.</summary>
    /// <param name="group">Filled; empty before.</param>
    /// <param name="largest">Bytes of a group.</param>
    /// <returns>False when there will be no more.</returns>
    internal bool Take(List<WaitingDecision> group, int largest)
    {
        lock (_gate)
        {
            var idleSince = Environment.TickCount64;
            Await(1, Timeout.InfiniteTimeSpan);
            if (_count >= Crowd || (_last >= Crowd && Environment.TickCount64 - idleSince < Lull))
                Gather();
            for (var bytes = 0; _coming.TryPeek(out var next) && (group.Count == 0 || IsOfOne(group, next, bytes, largest)); bytes += next.Bytes)
                group.Add(_coming.Dequeue());
            _count -= group.Count;
            _last = group.Count;
            return group.Count > 0;
        }
    }

    private void Gather()
    {
        for (var (pause, came) = (0, Crowd); pause < MostPauses && came >= Crowd && _count < MostGathered && !_closed; pause++)
        {
            came = -_count;
            Await(MostGathered, Pause);
            came += _count;
        }
    }

    /// <summary>Returns when so many are there, or the time is over, or the queue is closed.</summary>
    private void Await(int count, TimeSpan time)
    {
        _wakeAt = count;
        while (_count < count && !_closed && Monitor.Wait(_gate, time))
        {
            // woken for another reason: look again
        }

        _wakeAt = int.MaxValue;
    }

    /// <summary>One policy a group: the group says once which policy decided.</summary>
    private static bool IsOfOne(List<WaitingDecision> group, WaitingDecision next, int bytes, int largest) =>
        bytes + next.Bytes <= largest && next.Decision.Policy == group[0].Decision.Policy;
}
