using System.Security.Cryptography;
using Bulwark.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Bulwark.Tests.Cryptography;

public sealed class SealedFileTests : SealedFileCase
{
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
        await using var opened = SealedFile.Open(new MemoryStream(bytes), Keys);
        Assert.Equal(length, opened.Length);
        using var read = new MemoryStream();
        await opened.CopyToAsync(read, TestContext.Current.CancellationToken);
        Assert.Equal(plaintext, read.ToArray());
    }

    [Fact]
    public async Task Any_range_can_be_read_by_seeking()
    {
        var plaintext = RandomNumberGenerator.GetBytes(3 * Segment);
        await using var opened = SealedFile.Open(new MemoryStream(await Seal(plaintext)), Keys);
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
            using var opened = SealedFile.Open(new MemoryStream(bytes), Keys);
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

    [Theory]
    [InlineData(SealSuite.Floe, 1)]
    [InlineData(SealSuite.Floe, 3)]
    [InlineData(SealSuite.Cobblestone, 1)]
    [InlineData(SealSuite.Cobblestone, 3)]
    public async Task Every_suite_and_number_of_threads_gives_the_plaintext_back(SealSuite suite, int threads)
    {
        foreach (var length in new[] { 0, 1, 16383, 16384, 16385, Segment - 1, Segment, 1 << 20, 5 * Segment, (5 << 20) + 1 })
        {
            var plaintext = RandomNumberGenerator.GetBytes(length);
            foreach (var seeks in new[] { true, false })
            {
                var bytes = await Seal(plaintext, seeks, suite, threads);
                Assert.True(plaintext.AsSpan().SequenceEqual(ReadAll(bytes)));
                Assert.True((await Forward(bytes, threads)).AsSpan().SequenceEqual(plaintext));
                using var opened = SealedFile.Open(new MemoryStream(bytes), Keys);
                using var copied = new MemoryStream();
                await opened.CopyAllAsync(copied, threads, cancel: TestContext.Current.CancellationToken);
                Assert.True(plaintext.AsSpan().SequenceEqual(copied.ToArray()));
            }
        }
    }

    [Theory]
    [InlineData(SealSuite.Floe)]
    [InlineData(SealSuite.Cobblestone)]
    public async Task Many_threads_may_read_anywhere_at_once(SealSuite suite)
    {
        var plaintext = RandomNumberGenerator.GetBytes(4 * Segment + 99);
        var path = Folder["many"];
        await File.WriteAllBytesAsync(path, await Seal(plaintext, suite: suite), TestContext.Current.CancellationToken);
        foreach (Stream source in new Stream[] { File.OpenRead(path), new MemoryStream(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)) })
        {
            await using var opened = await SealedFile.OpenAsync(source, [SealIdentity.Keys(Keys)], readAhead: 2, TestContext.Current.CancellationToken);
            Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
            {
                var random = new Random(i);
                var offset = random.Next(plaintext.Length);
                var buffer = new byte[random.Next(i % 4 == 0 ? 2_500_000 : 5000)];
                var read = opened.ReadAt(offset, buffer);
                Assert.Equal(Math.Min(buffer.Length, plaintext.Length - offset), read);
                Assert.True(plaintext.AsSpan(offset, read).SequenceEqual(buffer.AsSpan(0, read)));
            });
            Assert.Equal(0, opened.ReadAt(plaintext.Length, new byte[1]));
            using var copy = new MemoryStream();
            await opened.CopyToAsync(copy, TestContext.Current.CancellationToken);   // reads ahead
            Assert.True(plaintext.AsSpan().SequenceEqual(copy.ToArray()));
        }
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
        using var key = SealedFile.UnwrapDataKey(new MemoryStream(one), Keys);
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
        Assert.Equal(KeyUri.Parse("file:files@1"), Assert.IsType<WrappedSlot>(Assert.Single(info.Slots)).Wrapped.Kek);
        Assert.Equal(-1, bytes.AsSpan().IndexOf("a small secret"u8));
        Assert.True(SealedFile.IsMatch(bytes));
        Assert.Throws<InvalidDataException>(() => SealedFile.ReadInfo(new MemoryStream("id,amount\n1,2\n"u8.ToArray())));
    }

    [Fact]
    public async Task A_file_inside_a_longer_stream_opens_from_where_the_stream_stands()
    {
        var stream = new MemoryStream([1, 2, 3, .. await Seal("inside"u8.ToArray())]) { Position = 3 };
        await using var opened = SealedFile.Open(stream, Keys);
        Assert.Equal("inside", await new StreamReader(opened).ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Sealing_stops_when_it_is_cancelled_and_keeps_no_file()
    {
        using var cancel = new CancellationTokenSource();
        var path = Folder["out"];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(path, stream =>
            SealedFile.SealAsync(new MemoryStream(new byte[5 * Segment]), stream, Options, new CancelAfterFirst(cancel), cancel.Token), cancel.Token));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_ring_without_the_key_is_told_at_once() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            SealedFile.SealAsync(new MemoryStream(), new MemoryStream(), Options with { Recipients = [SealRecipient.Key(Keys, "absent")] }, cancel: TestContext.Current.CancellationToken));

    private sealed class CancelAfterFirst(CancellationTokenSource cancel) : IProgress<long>
    {
        public void Report(long value) => cancel.Cancel();
    }
}
