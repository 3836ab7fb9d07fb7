using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Tests.Cryptography;

/// <summary>From a file to a file each batch is read and written where it is.</summary>
public sealed class PlacedRunTests : IDisposable
{
    private const int Segment = 1 << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly X25519KeyPair _person = X25519KeyPair.Generate();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _person.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(SealSuite.Floe, 3 * (Segment - 32))]
    [InlineData(SealSuite.Floe, 3 * (Segment - 32) + 1)]
    [InlineData(SealSuite.Floe, 4 * Segment - 1)]
    [InlineData(SealSuite.Cobblestone, 4 * Segment)]
    [InlineData(SealSuite.Cobblestone, 3 * Segment + 7)]
    public async Task What_many_threads_write_is_what_one_thread_reads_and_the_other_way_round(SealSuite suite, int length)
    {
        var plain = await PlainAsync(length);
        foreach (var (sealing, opening) in new[] { (4, 1), (1, 4), (4, 4) })
        {
            await SealAsync(suite, sealing);
            var info = await OpenAsync(opening);
            Assert.Equal(length, info.PlaintextBytes);
            Assert.Equal(plain, await File.ReadAllBytesAsync(_folder["out"], Cancel));
        }
    }

    [Theory]
    [InlineData(4 * Segment)]
    [InlineData(4 * Segment + 5)]
    public async Task Age_files_too(int length)
    {
        var plain = await PlainAsync(length);
        await Between("plain", "sealed", (from, to) => AgeFile.SealAsync(from, to, [AgeRecipient.X25519(_person.PublicKey)], false, 4, null, Cancel));
        await Between("sealed", "out", (from, to) => AgeFile.OpenToAsync(from, to, [AgeIdentity.X25519(_person)], 4, null, Cancel));
        Assert.Equal(plain, await File.ReadAllBytesAsync(_folder["out"], Cancel));
    }

    [Theory]
    [InlineData(SealSuite.Floe, Segment - 32)]
    [InlineData(SealSuite.Cobblestone, 16384)]
    public async Task What_is_written_ends_before_the_first_segment_that_is_wrong(SealSuite suite, int perSegment)
    {
        var plain = await PlainAsync(6 * Segment);
        await SealAsync(suite, 4);
        var bytes = await File.ReadAllBytesAsync(_folder["sealed"], Cancel);
        foreach (var at in new[] { bytes.Length - 3 * Segment, bytes.Length - 10, bytes.Length / 2 })
        {
            var bad = (byte[])bytes.Clone();
            bad[at] ^= 1;
            await File.WriteAllBytesAsync(_folder["sealed"], bad, Cancel);
            await Assert.ThrowsAsync<CryptographicException>(() => OpenAsync(4));
            var written = await File.ReadAllBytesAsync(_folder["out"], Cancel);
            Assert.True(written.Length < plain.Length && written.Length % perSegment == 0, $"{written.Length} bytes");
            Assert.True(plain.AsSpan(0, written.Length).SequenceEqual(written));
        }

        await File.WriteAllBytesAsync(_folder["sealed"], bytes[..^(Segment + 77)], Cancel);   // cut
        await Assert.ThrowsAsync<CryptographicException>(() => OpenAsync(4));
    }

    private async Task<byte[]> PlainAsync(int length)
    {
        var plain = RandomNumberGenerator.GetBytes(length);
        await File.WriteAllBytesAsync(_folder["plain"], plain, Cancel);
        return plain;
    }

    private Task SealAsync(SealSuite suite, int threads) => Between("plain", "sealed", (from, to) =>
        SealedFile.SealAsync(from, to, new SealOptions { Recipients = [SealRecipient.X25519(_person.PublicKey)], Suite = suite, Threads = threads }, null, Cancel));

    private async Task<SealedFileInfo> OpenAsync(int threads)
    {
        SealedFileInfo? info = null;
        await Between("sealed", "out", async (from, to) => info = await SealedFile.OpenToAsync(from, to, [SealIdentity.X25519(_person)], threads, null, Cancel));
        return info!;
    }

    private async Task Between(string from, string to, Func<Stream, Stream, Task> work)
    {
        await using var source = new FileStream(_folder[from], new FileStreamOptions());
        await using var target = new FileStream(_folder[to], new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite });   // buffered, as AtomicFile's
        await work(source, target);
    }
}
