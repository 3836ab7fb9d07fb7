using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace Bulwark.Data;

/// <summary>Reads the next items on another thread while the present one is worked on.</summary>
internal static class Prefetch
{
    /// <summary>Items that wait between the two threads.</summary>
    private const int Waiting = 1;

    /// <summary>The same items in the same order; a failure of the reading thread is thrown where its item would have come.</summary>
    internal static IEnumerable<T> Ahead<T>(Func<CancellationToken, IEnumerable<T>> read, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(Waiting) { SingleReader = true, SingleWriter = true });
        var reading = Task.Factory.StartNew(() => Fill(read, channel.Writer, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (channel.Reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
            {
                while (channel.Reader.TryRead(out var item))
                    yield return item;
            }

            if (reading.GetAwaiter().GetResult() is { } failure)
                failure.Throw();
        }
        finally
        {
            stop.Cancel();
            reading.GetAwaiter().GetResult();
        }
    }

    private static ExceptionDispatchInfo? Fill<T>(Func<CancellationToken, IEnumerable<T>> read, ChannelWriter<T> writer, CancellationToken stop)
    {
        try
        {
            foreach (var item in read(stop))
            {
                if (!writer.TryWrite(item))
                    writer.WriteAsync(item, stop).AsTask().GetAwaiter().GetResult();
            }

            return null;
        }
        catch (Exception failure)
        {
            return ExceptionDispatchInfo.Capture(failure);
        }
        finally
        {
            writer.TryComplete();
        }
    }
}
