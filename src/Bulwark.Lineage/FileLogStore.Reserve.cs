namespace Bulwark.Lineage;

// Room for small batches. Where a write changes a file's length, a flush waits for the file system's own journal too, which takes as long again.
internal sealed partial class FileLogStore
{
    private const int ReserveBytes = 1 << 20, SmallBytes = 64 << 10, Warm = 16;
    private static readonly byte[] s_zeros = new byte[ReserveBytes];
    private int _appends;
    private bool _reserved;

    /// <summary>A writer that has come to stay makes room for many batches, in the flush of the one that no longer fits.</summary>
    private void Reserve(long size)
    {
        if (RandomAccess.GetLength(_file!) is var length && _offset + size <= length)
            return;
        if (++_appends <= Warm || size > SmallBytes || !FileSystemFlush.IsSupported)
            return;
        _reserved = true;
        RandomAccess.Write(_file!, s_zeros, Math.Max(length, _offset + size));
    }

    /// <summary>Cuts off the room that is left, unless others have written into it. Called under the folder's lock.</summary>
    private void GiveBack()
    {
        if (_file is null)
            return;
        TakeTail();
        RandomAccess.SetLength(_file, _offset);
    }

    /// <summary>The path must still show what was written through the handle: a journal that was moved away takes no promises with it.</summary>
    private void RequireSameFile(ReadOnlySpan<byte> head)
    {
        Span<byte> shown = stackalloc byte[JournalRecord.HeadBytes];
        var path = PathOf(_fileFirst);
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (RandomAccess.Read(file, shown, _offset) == shown.Length && shown.SequenceEqual(head))
                return;
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            // Answered below.
        }

        throw new IOException($"{path} is no longer the file that is written: the journal was moved or replaced.");
    }
}
