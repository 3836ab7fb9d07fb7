using Bulwark.Cryptography;

namespace Bulwark.Tests.Cryptography;

public class AtomicFileTests
{
    [Fact]
    public void Writing_replaces_the_whole_file_and_leaves_no_other()
    {
        using var folder = new TemporaryFolder();
        AtomicFile.Write(folder["a"], "first, and longer"u8);
        AtomicFile.Write(folder["a"], "second"u8);
        Assert.Equal("second", File.ReadAllText(folder["a"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_writer_that_fails_leaves_the_old_file_and_no_temporary_one()
    {
        using var folder = new TemporaryFolder();
        AtomicFile.Write(folder["a"], "old"u8);
        await Assert.ThrowsAsync<InvalidDataException>(() => AtomicFile.WriteAsync(folder["a"], async stream =>
        {
            await stream.WriteAsync(new byte[100_000]);
            throw new InvalidDataException();
        }, TestContext.Current.CancellationToken));
        Assert.Equal("old", File.ReadAllText(folder["a"]));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_writer_that_is_cancelled_leaves_no_file()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(folder["a"], async stream =>
        {
            await stream.WriteAsync(new byte[10]);
            await cancel.CancelAsync();
        }, cancel.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Permissions_are_there_from_the_first_byte()
    {
        if (OperatingSystem.IsWindows())
            return;   // has no such permissions
        using var folder = new TemporaryFolder();
        AtomicFile.Write(folder["a"], "secret"u8, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["a"]));
    }

    [Fact]
    public void A_lock_has_one_holder()
    {
        using var folder = new TemporaryFolder();
        using (FileLock.Acquire(folder["lock"]))
            Assert.Throws<IOException>(() => FileLock.Acquire(folder["lock"], TimeSpan.Zero));
        using var again = FileLock.Acquire(folder["lock"], TimeSpan.Zero);
    }
}
