using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Models.Package;

/// <summary>Takes a payload's plain bytes as they are decrypted, and puts each into its file's memory: arrays, and native memory for the weights.</summary>
internal sealed class PayloadSink : Stream
{
    private readonly List<(ModelFile File, byte[]? Bytes)> _files = [];
    private int _current;
    private long _filled;

    /// <param name="listed">The manifest's files, in the order of their bytes.</param>
    internal PayloadSink(IReadOnlyList<ModelFile> listed)
    {
        foreach (var file in listed)
        {
            if (file.Name == ModelFolder.WeightsName)
                Weights = new(file.Bytes);
            _files.Add((file, file.Name == ModelFolder.WeightsName ? null : GC.AllocateUninitializedArray<byte>((int)file.Bytes, pinned: true)));
        }
    }

    /// <summary>The weights, where the model keeps them in a file of their own.</summary>
    internal ModelWeights? Weights { get; }

    internal Dictionary<string, byte[]> Files => _files.Where(file => file.Bytes is not null).ToDictionary(file => file.File.Name, file => file.Bytes!, StringComparer.Ordinal);

    /// <summary>The first file whose bytes are not those that the manifest names; null when all are. The weights rest on the signature of the sealed bytes alone.</summary>
    internal string? Differing() => _files.FirstOrDefault(file => file.Bytes is not null && Digest.Of(file.Bytes) != file.File.Digest).File?.Name;

    /// <summary>Leaves nothing of what was opened.</summary>
    internal void Wipe()
    {
        foreach (var (_, bytes) in _files)
            CryptographicOperations.ZeroMemory(bytes);
        Weights?.Dispose();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_current == _files.Count)
                throw new InvalidDataException("The payload is longer than the manifest's files.");
            var (file, bytes) = _files[_current];
            var count = (int)Math.Min(buffer.Length, file.Bytes - _filled);
            buffer[..count].CopyTo(bytes is null ? Weights!.Slice(_filled, count) : bytes.AsSpan((int)_filled));
            buffer = buffer[count..];
            if ((_filled += count) == file.Bytes)
                (_current, _filled) = (_current + 1, 0);
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
