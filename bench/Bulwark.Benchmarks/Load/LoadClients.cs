using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Text;
using Bulwark.Benchmarks.Gateway;

namespace Bulwark.Benchmarks.Load;

/// <summary>The clients' half of the load area, in a process of its own. Says which statuses came, how many of them must be recorded, and whether all were honest.</summary>
internal sealed class LoadClients : IDisposable
{
    private const int AtOnce = 64;
    private readonly ConcurrentDictionary<string, int> _came = new();
    private readonly int _count;
    private readonly string _body;
    private readonly ClientSide _side;
    private int _recorded;

    private LoadClients(string[] arguments)
    {
        _side = new(int.Parse(arguments[1], CultureInfo.InvariantCulture), arguments[2]);
        _count = int.Parse(arguments[3], CultureInfo.InvariantCulture);
        _body = File.ReadAllText(arguments[4]);
    }

    /// <summary>Runs in the child: <c>load clients WHAT PORT PKI COUNT BODY</c>.</summary>
    internal static int Run(string[] arguments)
    {
        using var clients = new LoadClients(arguments);
        var verdict = (arguments[0] switch { "slow" => clients.SlowAsync(), "hostile" => clients.HostileAsync(), _ => clients.ManyAsync() }).GetAwaiter().GetResult();
        var came = string.Join(", ", clients._came.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}: {one.Value}"));
        Console.WriteLine($"{came}; recorded={clients._recorded} {(verdict ? "sound" : "UNSOUND")}");
        return 0;
    }

    public void Dispose() => _side.Dispose();

    /// <summary>All connections at once, two requests on each; all must be scored.</summary>
    private async Task<bool> ManyAsync()
    {
        var streams = new ConcurrentBag<SslStream>();
        await EachAsync(async _ => streams.Add(await _side.ConnectAsync()));
        for (var round = 0; round < 2; round++)
            await Parallel.ForEachAsync(streams, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (stream, _) => await TallyAsync(stream, _side.Post(_body)));
        foreach (var stream in streams)
            await stream.DisposeAsync();
        return _came.Count == 1 && _came.TryGetValue("200", out var scored) && scored == 2 * _count;
    }

    /// <summary>A byte of a header each half second: the server ends it, and serves others meanwhile.</summary>
    private async Task<bool> SlowAsync()
    {
        var longest = 0.0;
        var slow = Task.WhenAll(Enumerable.Range(0, _count).Select(async _ =>
        {
            await using var stream = await _side.ConnectAsync();
            var began = Stopwatch.GetTimestamp();
            try
            {
                foreach (var letter in _side.Post(_body))
                {
                    await stream.WriteAsync(new[] { letter });
                    await Task.Delay(500);
                }
            }
            catch (IOException)
            {
                lock (_came)
                    longest = Math.Max(longest, Stopwatch.GetElapsedTime(began).TotalSeconds);
            }
        }));
        await using var other = await _side.ConnectAsync();
        while (!slow.IsCompleted)
        {
            await TallyAsync(other, _side.Post(_body));
            await Task.Delay(200);
        }

        _came[$"slow ones cut off within {longest:N0} s"] = _count;
        return longest is > 0 and <= 40 && _came.Keys.All(key => key == "200" || key.StartsWith("slow", StringComparison.Ordinal));
    }

    /// <summary>Bombs, depth, shapes, headers, resets by turns; every answer is a refusal of ours, or the connection ends.</summary>
    private async Task<bool> HostileAsync()
    {
        byte[][] offences =
        [
            _side.Post(_body, "Content-Encoding: gzip\r\n"), _side.Post(new string('[', 15_000)), _side.Post("{\"inputs\":" + new string('{', 5000)),
            _side.Post("""{"inputs":[{"name":"features","shape":[9223372036854775807,30],"datatype":"FP32","data":[]}]}"""), _side.Post("""{"inputs":[{"name":"features","shape":[1024,30],"datatype":"FP32","data":[1]}]}"""),
            _side.Post(_body, "X-Wide: " + new string('a', 40_000) + "\r\n"), _side.Post(_body, "X-Forwarded-For: 127.0.0.1\r\n"), _side.Post(_body, token: "x"), _side.Post(new string(' ', 3 << 20)),
        ];
        await EachAsync(async i =>
        {
            await using var stream = await _side.ConnectAsync();
            var offence = offences[i % offences.Length];
            if (i % 4 == 0)
            {
                await stream.WriteAsync(offence.AsMemory(0, Math.Min(offence.Length / 2, 20_000)));   // and is gone
                _came.AddOrUpdate("left", 1, (_, n) => n + 1);
                return;
            }

            await TallyAsync(stream, offence);
        });
        return _came.Keys.All(key => key is "left" or "ended" || key[0] == '4');
    }

    private async Task TallyAsync(SslStream stream, byte[] request)
    {
        var buffer = new byte[4096];
        string came;
        try
        {
            await stream.WriteAsync(request);
            var have = 0;
            while (buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8) < 0 || buffer[have - 1] != '}')   // every body of ours is a JSON object
            {
                var read = await stream.ReadAsync(buffer.AsMemory(have));
                if (read == 0)
                    break;
                have += read;
            }

            came = have == 0 ? "ended" : Encoding.ASCII.GetString(buffer, 9, 3);
            if (have > 0 && came != "431")   // headers beyond the limit never become a request
                Interlocked.Increment(ref _recorded);
        }
        catch (IOException)
        {
            came = "ended";
        }

        _came.AddOrUpdate(came, 1, (_, n) => n + 1);
    }

    private Task EachAsync(Func<int, Task> work) =>
        Parallel.ForEachAsync(Enumerable.Range(0, _count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) => await work(i));
}
