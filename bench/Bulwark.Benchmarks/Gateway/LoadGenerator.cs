using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>Clients in a process of their own: one request under way on each connection, HTTP/1.1 kept alive, mutual TLS 1.3. Prints how many answers came, and how many were not 200.</summary>
internal static class LoadGenerator
{
    /// <summary>Runs in the child: <c>gateway load PORT PKI CONNECTIONS SECONDS BODIES</c>.</summary>
    internal static int Run(string[] arguments)
    {
        var (port, pki, connections) = (int.Parse(arguments[0], CultureInfo.InvariantCulture), arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture));
        var seconds = double.Parse(arguments[3], CultureInfo.InvariantCulture);
        var identity = DevelopmentIdentity.Open(pki);
        var token = identity.LoadToken("payments");
        var messages = File.ReadAllLines(arguments[4]).Select(body => Encoding.ASCII.GetBytes(
            $"POST /v2/models/bench/infer HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}")).ToArray();
        using var certificate = identity.LoadClient("payments");
        using var authority = identity.LoadAuthority();
        RunAsync(port, connections, seconds, messages, certificate, authority).GetAwaiter().GetResult();
        return 0;
    }

    /// <summary>Starts the child, waits until its connections stand and are warm, and lets <paramref name="around"/> look before and after the load: handshakes are not part of it.</summary>
    internal static (long Answered, long Refused) Measure(int port, string pki, int connections, double seconds, string bodyFile, Action around)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(LoadGenerator).Assembly.Location);
        foreach (var argument in (string[])["gateway", "load", $"{port}", pki, $"{connections}", seconds.ToString(CultureInfo.InvariantCulture), bodyFile])
            start.ArgumentList.Add(argument);
        using var child = Process.Start(start)!;
        if (child.StandardOutput.ReadLine() != "ready")
            throw new InvalidOperationException("The load generator did not connect.");
        around();
        child.StandardInput.WriteLine("go");
        var words = child.StandardOutput.ReadLine()?.Split(' ') ?? [];
        around();
        child.StandardInput.Close();
        child.WaitForExit();
        return words.Length == 2 ? (long.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture))
            : throw new InvalidOperationException("The load generator failed.");
    }

    private static async Task RunAsync(int port, int connections, double seconds, byte[][] messages, X509Certificate2 certificate, X509Certificate2 authority)
    {
        var (answered, refused, next) = (0L, 0L, 0L);
        var streams = new List<SslStream>();
        for (var i = 0; i < connections; i++)
            streams.Add(await ConnectAsync(port, certificate, authority));
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
            while (Stopwatch.GetTimestamp() < ends)
                await AskAsync(stream, buffer);
        });
        Console.WriteLine($"{answered} {refused}");
        Console.ReadLine();   // connections are closed when nobody measures any more
        foreach (var stream in streams)
            await stream.DisposeAsync();
    }

    private static async Task<SslStream> ConnectAsync(int port, X509Certificate2 certificate, X509Certificate2 authority)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port);
        var stream = new SslStream(client.GetStream());
        var options = TlsPolicy.Client([authority], certificate);
        options.TargetHost = "localhost";
        await stream.AuthenticateAsClientAsync(options);
        return stream;
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
