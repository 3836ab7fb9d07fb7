using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Text;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>Clients in a process of their own: one request under way on each connection, HTTP/1.1 kept alive, mutual TLS 1.3. Prints how many answers came, how many were not 200, and how long they took.</summary>
internal static class LoadGenerator
{
    /// <summary>Runs in the child: <c>gateway load PORT PKI CONNECTIONS SECONDS BODIES</c>.</summary>
    internal static int Run(string[] arguments)
    {
        using var side = new ClientSide(int.Parse(arguments[0], CultureInfo.InvariantCulture), arguments[1]);
        var seconds = double.Parse(arguments[3], CultureInfo.InvariantCulture);
        RunAsync(side, int.Parse(arguments[2], CultureInfo.InvariantCulture), seconds, [.. File.ReadAllLines(arguments[4]).Select(body => side.Post(body))]).GetAwaiter().GetResult();
        return 0;
    }

    /// <summary>Starts the child, waits until its connections stand and are warm, and lets <paramref name="around"/> look before and after the load: handshakes are not part of it.</summary>
    /// <returns>Answers, those that were not 200, and microseconds to an answer: the middle, and what 99 of 100 stay below.</returns>
    internal static (long Answered, long Refused, double Median, double Slow) Measure(int port, string pki, int connections, double seconds, string bodyFile, Action around)
    {
        using var child = ClientSide.Start("gateway", "load", $"{port}", pki, $"{connections}", seconds.ToString(CultureInfo.InvariantCulture), bodyFile);
        if (child.StandardOutput.ReadLine() != "ready")
            throw new InvalidOperationException("The load generator did not connect.");
        around();
        child.StandardInput.WriteLine("go");
        var words = child.StandardOutput.ReadLine()?.Split(' ') ?? [];
        around();
        child.StandardInput.Close();
        child.WaitForExit();
        double Number(int place) => double.Parse(words[place], CultureInfo.InvariantCulture);
        return words.Length == 4 ? ((long)Number(0), (long)Number(1), Number(2), Number(3))
            : throw new InvalidOperationException("The load generator failed.");
    }

    private static async Task RunAsync(ClientSide side, int connections, double seconds, byte[][] messages)
    {
        var (answered, refused, next) = (0L, 0L, 0L);
        var took = new ConcurrentBag<List<double>>();
        var streams = new List<SslStream>();
        for (var i = 0; i < connections; i++)
            streams.Add(await side.ConnectAsync());
        async Task AskAsync(SslStream stream, byte[] buffer)
        {
            await stream.WriteAsync(messages[Interlocked.Increment(ref next) % messages.Length]);
            var good = await ReadAsync(stream, buffer);
            Interlocked.Increment(ref answered);
            if (!good && Interlocked.Increment(ref refused) == 1)
                await Console.Error.WriteLineAsync(Encoding.UTF8.GetString(buffer).Split('\0')[0]);
        }

        async Task ForAllAsync(Func<SslStream, byte[], Task> work) => await Task.WhenAll(streams.Select(stream => Task.Run(() => work(stream, new byte[16 * 1024]))));
        await ForAllAsync(AskAsync);
        answered = 0;
        Console.WriteLine("ready");
        Console.ReadLine();
        var ends = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        await ForAllAsync(async (stream, buffer) =>
        {
            var times = new List<double>();
            for (var now = Stopwatch.GetTimestamp(); now < ends;)
            {
                await AskAsync(stream, buffer);
                var then = Stopwatch.GetTimestamp();
                times.Add(Stopwatch.GetElapsedTime(now, then).TotalMicroseconds);
                now = then;
            }

            took.Add(times);
        });
        var all = took.SelectMany(times => times).Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{answered} {refused} {all[all.Length / 2]} {all[(int)(all.Length * 0.99)]}"));
        Console.ReadLine();   // connections are closed when nobody measures any more
        foreach (var stream in streams)
            await stream.DisposeAsync();
    }

    /// <summary>One answer with a Content-Length; true when its status is 200.</summary>
    private static async Task<bool> ReadAsync(SslStream stream, byte[] buffer)
    {
        var have = 0;
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(have));
            if (read == 0)
                throw new IOException("The server closed the connection.");
            have += read;
            var head = buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
            if (head < 0)
                continue;
            var length = LengthOf(buffer.AsSpan(0, head));
            if (have >= head + 4 + length)
                return buffer.AsSpan(9, 3).SequenceEqual("200"u8);
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("Content-Length: "u8);
        return System.Buffers.Text.Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? length : throw new IOException("An answer states no length.");
    }
}
