using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

/// <summary>What was changed, cut, continued or cannot be read is refused, and nothing wrong is given out.</summary>
public sealed class SealedFileDamageTests : SealedFileCase
{
    [Theory]
    [InlineData(SealSuite.Floe)]
    [InlineData(SealSuite.Cobblestone)]
    public async Task A_flipped_bit_in_any_byte_is_refused_or_lies_in_one_copy_of_the_slots_and_is_told(SealSuite suite)
    {
        var bytes = await Seal("a small secret"u8.ToArray(), suite: suite);
        var slots = SealedFileHeader.Read(new MemoryStream(bytes));
        for (var i = 0; i < bytes.Length; i++)
        {
            var bit = (byte)(1 << (i % 8));
            bytes[i] ^= bit;
            if (i >= slots.RegionStart(0) && i < slots.RegionStart(2))
            {
                Assert.Equal("a small secret"u8, ReadAll(bytes));
                Assert.Equal("a small secret"u8.ToArray(), await Forward(bytes));
                Assert.True(SealedFile.ReadInfo(new MemoryStream(bytes)).NeedsMending);
            }
            else
            {
                Refused(bytes);
                await Assert.ThrowsAsync<CryptographicException>(() => Forward(bytes));
            }

            bytes[i] ^= bit;
        }

        Assert.Equal("a small secret"u8, ReadAll(bytes));
        Assert.False(SealedFile.ReadInfo(new MemoryStream(bytes)).NeedsMending);
    }

    [Theory]
    [InlineData(SealSuite.Floe, 0)]
    [InlineData(SealSuite.Cobblestone, 0)]
    [InlineData(SealSuite.Cobblestone, 16384)]
    public async Task A_last_segment_that_holds_nothing_is_checked_when_the_file_is_opened(SealSuite suite, int length)
    {
        var bytes = await Seal(new byte[length], suite: suite);
        for (var i = 1; i <= 16; i++)
        {
            bytes[^i] ^= 1;
            Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(bytes), Keys));
            bytes[^i] ^= 1;
        }
    }

    [Fact]
    public async Task The_same_flip_in_both_copies_of_the_slots_is_refused()
    {
        var bytes = await Seal("a small secret"u8.ToArray());
        var slots = SealedFileHeader.Read(new MemoryStream(bytes));
        for (var i = 0; i < slots.RegionSize; i++)
        {
            bytes[slots.RegionStart(0) + i] ^= 1;
            bytes[slots.RegionStart(1) + i] ^= 1;
            Refused(bytes);
            bytes[slots.RegionStart(0) + i] ^= 1;
            bytes[slots.RegionStart(1) + i] ^= 1;
        }
    }

    [Theory]
    [InlineData(true, SealSuite.Floe)]
    [InlineData(false, SealSuite.Floe)]
    [InlineData(true, SealSuite.Cobblestone)]
    [InlineData(false, SealSuite.Cobblestone)]
    public async Task A_file_cut_anywhere_or_continued_is_refused(bool seeks, SealSuite suite)
    {
        var bytes = await Seal("a small secret"u8.ToArray(), seeks, suite);
        for (var length = 0; length < bytes.Length; length++)
        {
            Refused(bytes[..length]);
            await Assert.ThrowsAsync<CryptographicException>(() => Forward(bytes[..length]));
        }

        foreach (byte[] longer in new byte[][] { [.. bytes, 0], [.. bytes, .. bytes] })
        {
            Refused(longer);
            await Assert.ThrowsAsync<CryptographicException>(() => Forward(longer));
        }
    }

    [Fact]
    public async Task Opening_forward_writes_the_right_segments_before_a_wrong_one_and_none_after()
    {
        var plaintext = RandomNumberGenerator.GetBytes(6 * Segment);
        var bytes = await Seal(plaintext);
        bytes[^(3 * Segment)] ^= 1;   // in the third of six
        foreach (var threads in new[] { 1, 4 })
        {
            using var written = new MemoryStream();
            await Assert.ThrowsAsync<CryptographicException>(() => SealedFile.OpenToAsync(
                new ForwardStream(new MemoryStream(bytes)), written, [SealIdentity.Keys(Keys)], threads, cancel: TestContext.Current.CancellationToken));
            Assert.True(plaintext.AsSpan(0, (int)written.Length).SequenceEqual(written.ToArray()));
            Assert.Equal(0, written.Length % Segment);
            Assert.True(written.Length <= 3 * Segment);
        }
    }

    [Fact]
    public async Task A_disk_that_fails_while_reading_or_writing_fails_the_work_with_its_own_error()
    {
        var cancel = TestContext.Current.CancellationToken;
        var bytes = await Seal(RandomNumberGenerator.GetBytes(4 * Segment));
        foreach (var threads in new[] { 1, 4 })
        {
            foreach (var after in new[] { 0, 100, 3000, 2_000_000 })
            {
                using var kept = new MemoryStream();
                await Assert.ThrowsAsync<IOException>(() => SealedFile.OpenToAsync(new FailingStream(new MemoryStream(bytes), after), kept, [SealIdentity.Keys(Keys)], threads, null, cancel));
                await Assert.ThrowsAsync<IOException>(() => SealedFile.OpenToAsync(new MemoryStream(bytes), new FailingStream(kept, after), [SealIdentity.Keys(Keys)], threads, null, cancel));
                await Assert.ThrowsAsync<IOException>(() => SealedFile.SealAsync(new MemoryStream(new byte[4 * Segment]), new FailingStream(kept, after), Options with { Threads = threads }, null, cancel));
                await Assert.ThrowsAsync<IOException>(() => SealedFile.SealAsync(new FailingStream(new MemoryStream(new byte[4 * Segment]), after), kept, Options with { Threads = threads }, null, cancel));
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_cut_between_segments_is_refused_when_it_is_opened(bool seeks)
    {
        var bytes = await Seal(new byte[2 * Segment], seeks);
        var cut = bytes[..^(Segment + FloeMessage.SegmentOverheadInBytes)];
        Assert.Throws<CryptographicException>(() => SealedFile.Open(new MemoryStream(cut), Keys));
    }

    [Fact]
    public async Task No_byte_of_a_changed_segment_is_given_out()
    {
        var bytes = await Seal(new byte[3 * Segment]);
        bytes[^(Segment + 100)] ^= 1;   // in the second of three segments
        await using var opened = SealedFile.Open(new MemoryStream(bytes), Keys);
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
        var other = await Seal("one secret"u8.ToArray(), suite: SealSuite.Cobblestone);
        Refused([.. one[..^payload], .. other[payload..]]);
    }
}
