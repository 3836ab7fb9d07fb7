using System.Security.Cryptography;
using Bulwark.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Bulwark.Tests.Cryptography;

public sealed class SealedFileTests : IDisposable
{
    private const int Segment = 1_048_544;
    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;

    public SealedFileTests()
    {
        _keys = KeyRingTests.Create(_folder);
        _keys.CreateSymmetric("files");
    }

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(Segment, true)]
    [InlineData(Segment, false)]
    [InlineData(Segment + 1, false)]
    [InlineData(2 * Segment, true)]
    [InlineData(2 * Segment + 12345, false)]
    [InlineData(0, false)]
    public async Task Every_length_comes_back_from_streams_that_seek_and_that_do_not(int length, bool seeks)
    {
        var plaintext = RandomNumberGenerator.GetBytes(length);
        var bytes = await Seal(plaintext, seeks);
        await using var opened = SealedFile.Open(new MemoryStream(bytes), _keys);
        Assert.Equal(length, opened.Length);
        using var read = new MemoryStream();
        await opened.CopyToAsync(read, TestContext.Current.CancellationToken);
        Assert.Equal(plaintext, read.ToArray());
    }

    [Fact]
    public async Task Any_range_can_be_read_by_seeking()
    {
        var plaintext = RandomNumberGenerator.GetBytes(3 * Segment);
        await using var opened = SealedFile.Open(new MemoryStream(await Seal(plaintext)), _keys);
        foreach (var start in new[] { 2 * Segment - 5, 0, 3 * Segment - 1, Segment, Segment - 1 })
        {
            opened.Seek(start, SeekOrigin.Begin);
            var part = new byte[Math.Min(10, plaintext.Length - start)];
            opened.ReadExactly(part);
            Assert.True(plaintext.AsSpan(start, part.Length).SequenceEqual(part));
        }

        opened.Seek(0, SeekOrigin.End);
        Assert.Equal(0, opened.Read(new byte[1]));
    }

    [Fact]
    public async Task Any_sequence_of_seeks_and_reads_gives_what_the_plaintext_gives()
    {
        var plaintext = RandomNumberGenerator.GetBytes(2 * Segment + 777);
        var bytes = await Seal(plaintext);
        var step = Gen.Choose(0, plaintext.Length + 10).SelectMany(at => Gen.Choose(0, 5000).Select(count => (at, count)));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30), Prop.ForAll(Arb.From(Gen.ArrayOf(step)), steps =>
        {
            using var opened = SealedFile.Open(new MemoryStream(bytes), _keys);
            return steps.All(one =>
            {
                opened.Position = one.at;
                var buffer = new byte[one.count];
                var read = opened.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
                return plaintext.AsSpan(Math.Min(one.at, plaintext.Length)) is var rest
                    && buffer.AsSpan(0, read).SequenceEqual(rest[..Math.Min(one.count, rest.Length)]);
            });
        }));
    }

    [Fact]
    public async Task A_flipped_bit_in_any_byte_is_refused()
    {
        var bytes = await Seal("a small secret"u8.ToArray());
        for (var i = 0; i < bytes.Length; i++)
        {
            var bit = (byte)(1 << (i % 8));
            bytes[i] ^= bit;
            Refused(bytes);
            bytes[i] ^= bit;
        }

        Assert.Equal("a small secret"u8, ReadAll(bytes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_cut_anywhere_or_continued_is_refused(bool seeks)
    {
        var bytes = await Seal("a small secret"u8.ToArray(), seeks);
        for (var length = 0; length < bytes.Length; length++)
            Refused(bytes[..length]);
        Refused([.. bytes, 0]);
        Refused([.. bytes, .. bytes]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_cut_between_segments_is_refused_when_it_is_opened(bool seeks)
    {
        var bytes = await Seal(new byte[2 * Segment], seeks);
        var cut = bytes[..^(Segment + FloeMessage.SegmentOverheadInBytes)];
        Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(cut), _keys));
    }

    [Fact]
    public async Task No_byte_of_a_changed_segment_is_given_out()
    {
        var bytes = await Seal(new byte[3 * Segment]);
        bytes[^(Segment + 100)] ^= 1;   // in the second of three segments
        await using var opened = SealedFile.Open(new MemoryStream(bytes), _keys);
        opened.ReadExactly(new byte[Segment]);
        Assert.Throws<CryptographicException>(() => opened.ReadByte());
        opened.Position = 2 * Segment;
        Assert.Equal(0, opened.ReadByte());
    }

    [Fact]
    public async Task Payloads_cannot_change_headers()
    {
        var one = await Seal("one secret"u8.ToArray());
        var two = await Seal("two secret"u8.ToArray());
        var payload = one.Length - (FloeMessage.HeaderSizeInBytes + 10 + FloeMessage.SegmentOverheadInBytes);
        Refused([.. one[..payload], .. two[payload..]]);
    }

    [Fact]
    public async Task Another_ring_cannot_open_it_and_says_no_more_than_a_changed_file_does()
    {
        using var folder = new TemporaryFolder();
        using var others = KeyRingTests.Create(folder);
        var bytes = await Seal("secret"u8.ToArray());
        var without = Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(bytes), others));
        others.CreateSymmetric("files");
        var wrong = Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(bytes), others));
        bytes[^1] ^= 1;
        var changed = Assert.Throws<CryptographicException>(() => ReadAll(bytes));
        Assert.Equal(wrong.Message, without.Message);
        Assert.Equal(wrong.Message, changed.Message);
    }

    [Fact]
    public async Task A_data_key_opens_its_own_file_and_no_other()
    {
        var one = await Seal("one"u8.ToArray());
        var two = await Seal("two"u8.ToArray());
        using var key = SealedFile.UnwrapDataKey(new MemoryStream(one), _keys);
        await using (var opened = SealedFile.Open(new MemoryStream(one), key.Span))
            Assert.Equal("one", new StreamReader(opened).ReadToEnd());
        Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(two), key.Span));
        Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(one), key.Span[1..]));
    }

    [Fact]
    public async Task The_header_is_readable_without_a_key_and_holds_no_plaintext()
    {
        var bytes = await Seal("a small secret"u8.ToArray());
        var info = SealedFile.ReadInfo(new MemoryStream(bytes));
        Assert.Equal("text/plain", info.MediaType);
        Assert.Equal(14, info.PlaintextBytes);
        Assert.Equal("fraud", info.Context["model"]);
        Assert.Equal(KeyUri.Parse("file:files@1"), Assert.Single(info.Slots));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("a small secret"u8));
        Assert.True(SealedFile.IsMatch(bytes));
        Assert.Throws<InvalidDataException>(() => SealedFile.ReadInfo(new MemoryStream("id,amount\n1,2\n"u8.ToArray())));
    }

    [Fact]
    public async Task A_file_inside_a_longer_stream_opens_from_where_the_stream_stands()
    {
        var stream = new MemoryStream([1, 2, 3, .. await Seal("inside"u8.ToArray())]) { Position = 3 };
        await using var opened = SealedFile.Open(stream, _keys);
        Assert.Equal("inside", await new StreamReader(opened).ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Sealing_stops_when_it_is_cancelled_and_keeps_no_file()
    {
        using var cancel = new CancellationTokenSource();
        var path = _folder["out"];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(path, stream =>
            SealedFile.SealAsync(new MemoryStream(new byte[5 * Segment]), stream, Options, new CancelAfterFirst(cancel), cancel.Token), cancel.Token));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_ring_without_the_key_is_told_at_once() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            SealedFile.SealAsync(new MemoryStream(), new MemoryStream(), Options with { Kek = "absent" }, cancel: TestContext.Current.CancellationToken));

    private SealOptions Options => new()
    {
        Keys = _keys,
        Kek = "files",
        MediaType = "text/plain",
        Context = new Dictionary<string, string> { ["model"] = "fraud", ["a"] = "b" },
    };

    private async Task<byte[]> Seal(byte[] plaintext, bool seeks = true)
    {
        using var destination = new MemoryStream();
        var source = new MemoryStream(plaintext);
        await SealedFile.SealAsync(seeks ? source : new ForwardStream(source), destination, Options, cancel: TestContext.Current.CancellationToken);
        return destination.ToArray();
    }

    private byte[] ReadAll(byte[] bytes)
    {
        using var opened = SealedFile.Open(new MemoryStream(bytes), _keys);
        var plaintext = new byte[opened.Length];
        opened.ReadExactly(plaintext);
        return plaintext;
    }

    private void Refused(byte[] bytes) => Assert.Throws<CryptographicException>(() => ReadAll(bytes));

    private sealed class CancelAfterFirst(CancellationTokenSource cancel) : IProgress<long>
    {
        public void Report(long value) => cancel.Cancel();
    }

    /// <summary>A pipe: no length, no seeking, short reads.</summary>
    private sealed class ForwardStream(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, Math.Min(count, 100_003));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
