namespace Bulwark.Models.Package;

/// <summary>The files of a folder one after the other, read forward; the weights straight from their file.</summary>
internal sealed class FolderStream : Stream
{
    private readonly List<Stream> _parts = [];
    private int _current;
    private long _position;

    internal FolderStream(ModelFolder folder, IReadOnlyList<ModelFile> files)
    {
        foreach (var file in files)
        {
            _parts.Add(file.Name == ModelFolder.WeightsName
                ? new FileStream(folder.Weights!, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan)
                : new MemoryStream(folder.Files[file.Name].ToArray(), writable: false));
            Length += file.Bytes;
        }
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <summary>Only that the length is known: sealing asks for it.</summary>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Position { get => _position; set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        for (; _current < _parts.Count; _current++)
        {
            if (_parts[_current].Read(buffer) is > 0 and var read)
            {
                _position += read;
                return read;
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _parts.ForEach(part => part.Dispose());
        base.Dispose(disposing);
    }
}
