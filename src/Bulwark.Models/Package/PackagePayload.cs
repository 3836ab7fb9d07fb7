using System.Buffers;

namespace Bulwark.Models.Package;

/// <summary>The payload within a package, as a stream of its own from 0 to its end. What is read for the first time, in order, is hashed on the way. It leaves the package open.</summary>
/// <param name="package">The package's stream.</param>
/// <param name="start">The payload's first byte in it.</param>
/// <param name="end">The byte after its last.</param>
/// <param name="hash">Takes the bytes; null for none.</param>
internal sealed class PackagePayload(Stream package, long start, long end, PackageHash? hash) : Stream
{
    private const int SmallBuffer = 128 * 1024, LargeBuffer = 4 * 1024 * 1024;
    private long _position, _hashed;

    internal static PackagePayload Of(Stream package, PackageFacts facts, PackageHash? hash) => new(package, facts.PayloadStart, facts.PayloadEnd, hash);

    /// <inheritdoc/>
    public override long Length => end - start;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>Hashes what was not read yet, so that all of it is; on a second core, while the next bytes are read, where that is long.</summary>
    /// <exception cref="EndOfStreamException">The file became shorter.</exception>
    internal async Task HashRestAsync(CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(hash);
        if (_hashed >= Length)
            return;
        var isLong = Length - _hashed > 2 * LargeBuffer && Environment.ProcessorCount > 1;
        var size = isLong ? LargeBuffer : SmallBuffer;
        var (now, next) = (ArrayPool<byte>.Shared.Rent(size), ArrayPool<byte>.Shared.Rent(size));
        try
        {
            package.Position = start + _hashed;
            for (var read = await FillAsync(now, size, cancel).ConfigureAwait(false); read > 0; (now, next) = (next, now))
            {
                var (buffer, count) = (now, read);
                var hashing = isLong ? Task.Run(() => hash.Append(buffer.AsSpan(0, count)), CancellationToken.None) : Task.CompletedTask;
                if (!isLong)
                    hash.Append(buffer.AsSpan(0, count));
                _hashed += count;
                try
                {
                    read = await FillAsync(next, size, cancel).ConfigureAwait(false);
                }
                finally
                {
                    await hashing.ConfigureAwait(false);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(now);
            ArrayPool<byte>.Shared.Return(next);
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, Length - _position);
        if (count <= 0)
            return 0;
        if (package.Position != start + _position)
            package.Position = start + _position;
        count = package.Read(buffer[..count]);
        if (hash is not null && _position <= _hashed && _position + count > _hashed)
        {
            hash.Append(buffer[(int)(_hashed - _position)..count]);
            _hashed = _position + count;
        }

        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    /// <remarks>Completes at once: the files and memory that packages lie in are read so, and what takes time is the hash.</remarks>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : new(Read(buffer.Span));

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = offset + (origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        _ => Length,
    });

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async ValueTask<int> FillAsync(byte[] buffer, int size, CancellationToken cancel)
    {
        var wanted = (int)Math.Min(size, end - package.Position);
        if (wanted > 0)
            await package.ReadExactlyAsync(buffer.AsMemory(0, wanted), cancel).ConfigureAwait(false);
        return wanted;
    }
}
