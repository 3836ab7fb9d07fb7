using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Hashes what is written on its way: the whole, and the piece since the last mark.</summary>
/// <param name="destination">Where; left open.</param>
/// <param name="hashed">False only where writing itself is measured: the digests are then of nothing.</param>
internal sealed class HashingStream(Stream destination, bool hashed = true) : WriteOnlyStream
{
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash _piece = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _mark;

    /// <summary>Begins a piece here.</summary>
    internal void Mark()
    {
        _piece.GetHashAndReset();
        _mark = Position;
    }

    /// <summary>Where the piece began, its bytes and its digest.</summary>
    internal (long Offset, long Bytes, Digest Digest) TakePiece() => (_mark, Position - _mark, new Digest(_piece.GetHashAndReset()));

    internal Digest TakeWhole() => new(_whole.GetHashAndReset());

    protected override void WriteCore(ReadOnlySpan<byte> buffer)
    {
        destination.Write(buffer);
        if (!hashed)
            return;
        _whole.AppendData(buffer);
        _piece.AppendData(buffer);
    }

    public override void Flush() => destination.Flush();

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
