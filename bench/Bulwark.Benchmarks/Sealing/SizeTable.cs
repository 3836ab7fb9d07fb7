using Bulwark.Cryptography;

namespace Bulwark.Benchmarks.Sealing;

/// <summary>What sealing adds to a file's size.</summary>
internal static class SizeTable
{
    internal static void Print()
    {
        using var pair = X25519KeyPair.Generate();
        Console.WriteLine($"{"size added, two recipients",-36} {"FLOE",20} {"Cobblestone-256",22}");
        foreach (var mebibytes in new[] { 1, 4, 64, 1024 })
        {
            var (floe, stone) = (Added(mebibytes, SealSuite.Floe, pair), Added(mebibytes, SealSuite.Cobblestone, pair));
            SealingArea.Line($"{$"{mebibytes} MiB",-36} {floe,8} B, {floe / (mebibytes * 1048576.0),8:0.0000 %} {stone,10} B, {stone / (mebibytes * 1048576.0),8:0.0000 %}");
        }
    }

    private static long Added(int mebibytes, SealSuite suite, X25519KeyPair pair)
    {
        using var counted = new CountedStream();
        SealedFile.SealAsync(new ZeroStream(mebibytes * 1048576L), counted, new SealOptions { Recipients = [SealRecipient.X25519(pair.PublicKey), SealRecipient.X25519(pair.PublicKey)], Suite = suite }).GetAwaiter().GetResult();
        return counted.Length - mebibytes * 1048576L;
    }

    private sealed class ZeroStream(long length) : Stream
    {
        private long _left = length;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var given = (int)Math.Min(count, _left);
            buffer.AsSpan(offset, given).Clear();
            _left -= given;
            return given;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    private sealed class CountedStream : Stream
    {
        private long _length;

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => _length;
        public override long Position { get => _length; set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => _length += count;
    }
}
