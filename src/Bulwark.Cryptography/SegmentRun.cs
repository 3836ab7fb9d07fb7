namespace Bulwark.Cryptography;

/// <summary>What the threads of one <see cref="SegmentPipeline"/> share: whose turn it is to read and to write, and where the input ends.</summary>
/// <remarks>A thread takes a batch of segments of about 1 MiB: one long segment, worked on in place, or many short ones.</remarks>
internal sealed class SegmentRun : IDisposable
{
    private readonly SegmentLayout _layout;
    private readonly Stream _source;
    private readonly Stream _destination;
    private readonly bool _seals;
    private readonly IProgress<long>? _progress;
    private readonly CancellationToken _cancel;
    private readonly SemaphoreSlim _reading = new(1);
    private readonly int _perBatch;
    private readonly byte[] _ahead = new byte[1];
    private Task _written = Task.CompletedTask;
    private bool _hasAhead;
    private bool _ended;
    private long _next;

    internal SegmentRun(SegmentLayout layout, Stream source, Stream destination, bool seals, IProgress<long>? progress, CancellationToken cancel)
    {
        (_layout, _source, _destination, _seals, _progress, _cancel) = (layout, source, destination, seals, progress, cancel);
        _perBatch = SegmentWork.PerBatch(layout);
    }

    internal long PlaintextBytes { get; private set; }

    private bool InPlace => _perBatch == 1;

    public void Dispose() => _reading.Dispose();

    /// <summary>One thread's work: batches until the input ends.</summary>
    internal async Task WorkAsync(SegmentedMessage message)
    {
        using var first = SegmentBuffer.Rent(_perBatch * _layout.SegmentSizeInBytes);
        using var second = InPlace ? null : SegmentBuffer.Rent(_perBatch * _layout.SegmentSizeInBytes);
        while (await NextAsync(first).ConfigureAwait(false) is { } batch)
        {
            try
            {
                var (output, plaintext) = SegmentWork.Transform(message, new(batch.Index, batch.Count, batch.Last), _seals, first, second ?? first);
                await batch.Before.ConfigureAwait(false);
                _cancel.ThrowIfCancellationRequested();
                await WriteAsync(output).ConfigureAwait(false);
                PlaintextBytes += plaintext;
                _progress?.Report(PlaintextBytes);
                batch.Done.SetResult();
            }
            catch (Exception failure)
            {
                batch.Done.SetException(failure);   // those after it must not write
                _ = batch.Done.Task.Exception;
                throw;
            }
        }
    }

    /// <summary>Reads the next batch, in turn; null after the last.</summary>
    private async ValueTask<Batch?> NextAsync(SegmentBuffer buffer)
    {
        await _reading.WaitAsync(_cancel).ConfigureAwait(false);
        try
        {
            if (_ended || _written.IsFaulted)
                return null;
            var index = _next;
            var input = buffer.Take(InputStart + InputSize(index))[InputStart..];
            _ended = true;   // also when reading fails
            var (count, last) = await FillAsync(input).ConfigureAwait(false);
            var batch = new Batch(index, count, last, _written, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            (_written, _next, _ended) = (batch.Done.Task, index + _perBatch, last);
            return batch;
        }
        finally
        {
            _reading.Release();
        }
    }

    private int InputStart => SegmentWork.InputStart(_layout, _seals);

    private int InputSize(long index)
    {
        var size = _layout.SegmentSize(index) + (_perBatch - 1) * _layout.SegmentSizeInBytes;
        return _seals ? size - _perBatch * _layout.OverheadInBytes : size;
    }

    private async ValueTask<(int Count, bool Last)> FillAsync(Memory<byte> input)
    {
        var have = 0;
        if (_hasAhead)
        {
            input.Span[0] = _ahead[0];
            (have, _hasAhead) = (1, false);
        }

        have += await ReadAsync(input[have..]).ConfigureAwait(false);
        if (have < input.Length)
            return (have, true);
        if (_layout.FinalIsShort)
            return (have, false);
        if (_source.CanSeek)
            return (have, _source.Position >= _source.Length);
        _hasAhead = await ReadAsync(_ahead).ConfigureAwait(false) == 1;
        return (have, !_hasAhead);
    }

    // Synchronous where the stream is: a thread-pool hop for each megabyte would cost more than it gives.
    private ValueTask<int> ReadAsync(Memory<byte> target) => _source is FileStream { IsAsync: false } or MemoryStream
        ? new(_source.ReadAtLeast(target.Span, target.Length, throwOnEndOfStream: false))
        : _source.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, _cancel);

    private ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_destination is not (FileStream { IsAsync: false } or MemoryStream))
            return _destination.WriteAsync(bytes, _cancel);
        _destination.Write(bytes.Span);
        return ValueTask.CompletedTask;
    }

    /// <param name="Index">Its first segment.</param>
    /// <param name="Count">Bytes of input.</param>
    /// <param name="Last">True when the input ended in it.</param>
    /// <param name="Before">Done when the batch before is written.</param>
    /// <param name="Done">To be completed when this one is.</param>
    private sealed record Batch(long Index, int Count, bool Last, Task Before, TaskCompletionSource Done);
}
