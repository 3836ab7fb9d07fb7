namespace Bulwark.Cryptography;

/// <summary>One holder at a time, across threads and processes, by an exclusively opened file that stays where it is.</summary>
/// <remarks>The operating system frees the lock when its holder dies, so a killed process blocks nobody.</remarks>
public sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Waits until the lock at <paramref name="path"/> is free and takes it.</summary>
    /// <param name="path">The lock's own file; created when absent, never deleted.</param>
    /// <param name="patience">How long to wait; null is 30 seconds.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="IOException">Another holder kept it for longer than <paramref name="patience"/>.</exception>
    public static async Task<FileLock> AcquireAsync(string path, TimeSpan? patience = null, CancellationToken cancel = default)
    {
        for (var waited = TimeSpan.Zero; ; waited += Pause)
        {
            if (TryTake(path, waited, patience) is { } taken)
                return taken;
            await Task.Delay(Pause, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="AcquireAsync"/>, blocking the caller's thread.</summary>
    /// <exception cref="IOException">Another holder kept it for longer than <paramref name="patience"/>.</exception>
    public static FileLock Acquire(string path, TimeSpan? patience = null)
    {
        for (var waited = TimeSpan.Zero; ; waited += Pause)
        {
            if (TryTake(path, waited, patience) is { } taken)
                return taken;
            Thread.Sleep(Pause);
        }
    }

    /// <summary>Frees the lock.</summary>
    public void Dispose() => _file.Dispose();

    private static FileLock? TryTake(string path, TimeSpan waited, TimeSpan? patience)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1));
        }
        catch (IOException failure) when (failure is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            if (waited >= (patience ?? TimeSpan.FromSeconds(30)))
                throw new IOException($"{path} is held by another process: {failure.Message}", failure);
            return null;
        }
    }
}
