namespace Bulwark.Cryptography;

/// <summary>Which of a session's requests were opened: the highest and the <see cref="Size"/> before it, a bit each (as RFC 4303 §3.4.3 does). Thread-safe.</summary>
internal sealed class ReplayWindow
{
    internal const int Size = 1024;
    private readonly ulong[] _bits = new ulong[Size / 64];
    private readonly Lock _lock = new();
    private ulong _highest;
    private bool _any;

    /// <summary>True once for each number that is not too far behind.</summary>
    internal bool Take(ulong sequence)
    {
        lock (_lock)
        {
            if (!_any || sequence > _highest)
            {
                if (!_any || sequence - _highest >= Size)
                    Array.Clear(_bits);
                else
                    for (var between = _highest + 1; between < sequence; between++)
                        Clear(between);
                (_highest, _any) = (sequence, true);
                Set(sequence);
                return true;
            }

            if (_highest - sequence >= Size || IsSet(sequence))
                return false;
            Set(sequence);
            return true;
        }
    }

    private bool IsSet(ulong sequence) => (_bits[sequence % Size / 64] & (1UL << (int)(sequence % 64))) != 0;

    private void Set(ulong sequence) => _bits[sequence % Size / 64] |= 1UL << (int)(sequence % 64);

    private void Clear(ulong sequence) => _bits[sequence % Size / 64] &= ~(1UL << (int)(sequence % 64));
}
