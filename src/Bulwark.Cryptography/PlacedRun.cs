using Microsoft.Win32.SafeHandles;

namespace Bulwark.Cryptography;

/// <summary>As <see cref="SegmentRun"/>, from a file to a file: where each batch stands in both is known beforehand, so that no thread waits for another's turn.</summary>
/// <remarks>Only verified segments are written. When one is wrong the destination is cut before it, once every batch before it is written.</remarks>
internal sealed class PlacedRun
{
    private const int BatchesInGroup = 16;

    private readonly SegmentLayout _layout;
    private readonly FileStream _source;
    private readonly FileStream _destination;
    private readonly SafeFileHandle _reads, _writes;   // held, because asking a stream for its handle moves the file's position each time
    private readonly bool _seals;
    private readonly IProgress<long>? _progress;
    private readonly CancellationToken _cancel;
    private readonly long _from, _to, _input, _segments;
    private readonly int _perBatch;
    private readonly Lock _gate = new();
    private long _next;
    private long _failed = long.MaxValue;

    private PlacedRun(SegmentLayout layout, FileStream source, FileStream destination, bool seals, long segments, IProgress<long>? progress, CancellationToken cancel)
    {
        (_layout, _source, _destination, _seals, _progress, _cancel) = (layout, source, destination, seals, progress, cancel);
        destination.Flush();   // what was written before, a header, stands in the file before it is written beside
        (_reads, _writes) = (source.SafeFileHandle, destination.SafeFileHandle);
        (_from, _to, _input, _segments, _perBatch) = (source.Position, destination.Position, source.Length - source.Position, segments, SegmentWork.PerBatch(layout));
    }

    internal long PlaintextBytes { get; private set; }

    /// <summary>A run, where both ends are files and the input has a message's length; null where segments must go one after the other.</summary>
    internal static PlacedRun? Of(SegmentLayout layout, Stream source, Stream destination, bool seals, IProgress<long>? progress, CancellationToken cancel)
    {
        if (source is not FileStream { CanSeek: true, IsAsync: false } from || destination is not FileStream { CanSeek: true, CanWrite: true, IsAsync: false } to)
            return null;
        var length = from.Length - from.Position;
        if (length < 0)
            return null;
        var segments = layout.SegmentsOfPlaintext(length);
        return !seals && !layout.TryMeasure(length, out segments, out _) ? null : segments > layout.MaximumSegments ? null : new(layout, from, to, seals, segments, progress, cancel);
    }

    /// <summary>One thread's work: batches until there is none, or one failed.</summary>
    internal void Work(SegmentedMessage message)
    {
        using var first = SegmentBuffer.Rent(_perBatch * _layout.SegmentSizeInBytes);
        using var second = _perBatch == 1 ? null : SegmentBuffer.Rent(_perBatch * _layout.SegmentSizeInBytes);
        for (long index; (index = Interlocked.Add(ref _next, _perBatch) - _perBatch) < _segments && Interlocked.Read(ref _failed) == long.MaxValue;)
        {
            try
            {
                _cancel.ThrowIfCancellationRequested();
                var plaintext = Batch(message, index, first, second ?? first);
                lock (_gate)
                {
                    PlaintextBytes += plaintext;
                    _progress?.Report(PlaintextBytes);
                }
            }
            catch
            {
                lock (_gate)
                    _failed = Math.Min(_failed, index);
                throw;
            }
        }
    }

    /// <summary>Leaves both files where reading and writing ended; after a failure the destination ends before what failed.</summary>
    /// <exception cref="IOException">The source's length changed meanwhile.</exception>
    internal void End()
    {
        var whole = _failed == long.MaxValue;
        var end = _to + Output(whole ? _segments : _failed);
        if (whole)
            end = _to + (_seals ? _layout.BodyLength(_input) : _input - (_segments * _layout.OverheadInBytes));
        else
            _destination.SetLength(end);
        _destination.Position = end;
        _source.Position = _from + _input;
        if (whole && _source.Length != _from + _input)
            throw Changed();
    }

    private int Batch(SegmentedMessage message, long index, SegmentBuffer first, SegmentBuffer second)
    {
        var (start, next) = (Input(index), index + _perBatch);
        var last = next >= _segments;
        var count = checked((int)((last ? _input : Input(next)) - start));
        var buffer = first.Take(SegmentWork.InputStart(_layout, _seals) + count)[SegmentWork.InputStart(_layout, _seals)..];
        for (var read = 0; read < count;)
        {
            var some = RandomAccess.Read(_reads, buffer.Span[read..], _from + start + read);
            read += some > 0 ? some : throw Changed();
        }

        var (output, plaintext) = SegmentWork.Transform(message, new(index, count, last), _seals, first, second);
        BeginWriteBack(index);
        RandomAccess.Write(_writes, output.Span, _to + Output(index));
        return plaintext;
    }

    /// <summary>Has the disk begin on the group of batches before the last group: those are written, and what is on its way need not be waited for at the end.</summary>
    private void BeginWriteBack(long index)
    {
        var group = (long)_perBatch * BatchesInGroup;
        if (index % group == 0 && index >= 2 * group)
            WriteBack.Begin(_writes, _to + Output(index - (2 * group)), Output(index - group) - Output(index - (2 * group)));
    }

    private long Input(long index) => _seals ? _layout.PlaintextStart(index) : _layout.SegmentStart(index);

    private long Output(long index) => _seals ? _layout.SegmentStart(index) : _layout.PlaintextStart(index);

    private static IOException Changed() => new("The file's length changed while it was read.");
}
