using System.Security.Cryptography;

namespace Bulwark.Attestation;

/// <summary>The nonces that were given and not yet used: each is good once, for a minute. Thread-safe.</summary>
internal sealed class ChallengeBook(TimeProvider time)
{
    internal static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);
    private const int MostOpen = 4096;

    private readonly Lock _lock = new();
    private readonly Queue<(string Nonce, DateTimeOffset Ends)> _byAge = new();
    private readonly HashSet<string> _open = [];

    internal byte[] Give()
    {
        var nonce = RandomNumberGenerator.GetBytes(Evidence.NonceSizeInBytes);
        var now = time.GetUtcNow();
        lock (_lock)
        {
            // Oldest first, so whoever floods the book shortens the lives of its own nonces and never grows it.
            while (_byAge.TryPeek(out var oldest) && (oldest.Ends < now || _byAge.Count >= MostOpen))
                _open.Remove(_byAge.Dequeue().Nonce);
            var name = Convert.ToHexString(nonce);
            _open.Add(name);
            _byAge.Enqueue((name, now + Lifetime));
        }

        return nonce;
    }

    /// <summary>True once for a nonce that was given less than a minute ago.</summary>
    internal bool Take(ReadOnlySpan<byte> nonce)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            while (_byAge.TryPeek(out var oldest) && oldest.Ends < now)
                _open.Remove(_byAge.Dequeue().Nonce);
            return _open.Remove(Convert.ToHexString(nonce));
        }
    }
}
