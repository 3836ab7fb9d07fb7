using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Values of one key that are encrypted or decrypted together.</summary>
/// <param name="sharedContext">True when all are bound to the same.</param>
internal sealed class ValueBatch(bool sharedContext) : IDisposable
{
    private const int MostRows = 4096, MostBytes = 1 << 20;
    private readonly List<int> _rows = [];
    private readonly int[] _ends = new int[MostRows], _contextEnds = new int[MostRows];
    private byte[] _values = new byte[64 * 1024], _contexts = [];
    private int _valueBytes, _contextBytes;

    internal Xaes256Gcm? Cipher { get; private set; }

    internal string Version { get; private set; } = "";

    internal int Count => _rows.Count;

    internal IReadOnlyList<int> Rows => _rows;

    internal ReadOnlySpan<byte> Values => _values.AsSpan(0, _valueBytes);

    internal ReadOnlySpan<int> Ends => _ends.AsSpan(0, Count);

    internal ReadOnlySpan<byte> Contexts => _contexts.AsSpan(0, _contextBytes);

    internal ReadOnlySpan<int> ContextEnds => sharedContext ? [] : _contextEnds.AsSpan(0, Count);

    /// <summary>True when a value of this key may join those that are here.</summary>
    internal bool Takes(Xaes256Gcm cipher, string version) =>
        Count == 0 || (Count < MostRows && _valueBytes < MostBytes && ReferenceEquals(cipher, Cipher) && version == Version);

    internal void Add(Xaes256Gcm cipher, string version, int row, ReadOnlySpan<byte> value, ReadOnlySpan<byte> context)
    {
        (Cipher, Version) = (cipher, version);
        if (Count == 0 || !sharedContext)
            Append(ref _contexts, ref _contextBytes, context);
        Append(ref _values, ref _valueBytes, value);
        (_ends[Count], _contextEnds[Count]) = (_valueBytes, _contextBytes);
        _rows.Add(row);
    }

    internal void Clear()
    {
        CryptographicOperations.ZeroMemory(_values.AsSpan(0, _valueBytes));
        (_valueBytes, _contextBytes, Cipher) = (0, 0, null);
        _rows.Clear();
    }

    public void Dispose() => Clear();

    private static void Append(ref byte[] all, ref int used, ReadOnlySpan<byte> more)
    {
        if (all.Length - used < more.Length)
        {
            var larger = new byte[Math.Max(checked(used + more.Length), 2 * all.Length)];
            all.AsSpan(0, used).CopyTo(larger);
            CryptographicOperations.ZeroMemory(all);
            all = larger;
        }

        more.CopyTo(all.AsSpan(used));
        used += more.Length;
    }
}
