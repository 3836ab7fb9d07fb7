using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Hashes what is written on its way: the whole, and the piece since the last mark.</summary>
/// <param name="destination">Where; left open.</param>
/// <param name="hashed">False only where writing itself is measured: the digests are then of nothing.</param>
internal sealed class HashingStream(Stream destination, bool hashed = true) : Stream
{
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash _piece = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _written;
    private long _mark;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _written;

    public override long Position
    {
        get => _written;
        set => throw new NotSupportedException();
    }

    /// <summary>Begins a piece here.</summary>
    internal void Mark()
    {
        _piece.GetHashAndReset();
        _mark = _written;
    }

    /// <summary>Where the piece began, its bytes and its digest.</summary>
    internal (long Offset, long Bytes, Digest Digest) TakePiece() => (_mark, _written - _mark, new Digest(_piece.GetHashAndReset()));

    internal Digest TakeWhole() => new(_whole.GetHashAndReset());

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        destination.Write(buffer);
        if (hashed)
        {
            _whole.AppendData(buffer);
            _piece.AppendData(buffer);
        }

        _written += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => destination.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _whole.Dispose();
            _piece.Dispose();
        }

        base.Dispose(disposing);
    }
}
