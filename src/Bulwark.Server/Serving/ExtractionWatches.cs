using System.Collections.Concurrent;
using Bulwark.Monitoring;

namespace Bulwark.Server;

/// <summary>One watch for extraction a client, of at most 256 clients: whoever asks a model often enough to copy it is among those.</summary>
/// <remarks>A new client beyond them takes the place of the one with the fewest queries. A watch of 87 columns and two classes takes 0.4 MB.</remarks>
internal sealed class ExtractionWatches(ExtractionWatchOptions options)
{
    private const int Most = 256;
    private readonly ConcurrentDictionary<string, ExtractionWatch> _clients = new(StringComparer.Ordinal);

    /// <summary>Watches rows and what was answered; what raised an alarm, if any did.</summary>
    internal (double W, long Queries)? Observe(string client, ReadOnlySpan<float> rows, int width, ReadOnlySpan<float> scores)
    {
        var count = rows.Length / width;
        if (count == 0 || scores.Length % count != 0 || scores.IsEmpty)
            return null;
        if (!_clients.TryGetValue(client, out var watch))
        {
            if (_clients.Count >= Most)
                _clients.TryRemove(_clients.MinBy(one => one.Value.Queries).Key, out _);
            watch = _clients.GetOrAdd(client, _ => new ExtractionWatch(options));
        }

        var classes = scores.Length / count;
        (double, long)? alarm = null;
        lock (watch)
        {
            for (var row = 0; row < count; row++)
                if (watch.Observe(rows.Slice(row * width, width), Answer(scores.Slice(row * classes, classes))))
                    alarm = (watch.W, watch.Queries);
        }

        return alarm;
    }

    private static int Answer(ReadOnlySpan<float> scores)
    {
        if (scores.Length == 1)
            return scores[0] > 0.5f ? 1 : 0;
        var largest = 0;
        for (var i = 1; i < scores.Length; i++)
            if (scores[i] > scores[largest])
                largest = i;
        return largest;
    }
}
