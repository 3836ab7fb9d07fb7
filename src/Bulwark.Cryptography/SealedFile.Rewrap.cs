using System.Collections.Concurrent;

namespace Bulwark.Cryptography;

public static partial class SealedFile
{
    private static readonly ConcurrentDictionary<string, bool> s_rewrapping = new(StringComparer.Ordinal);

    /// <summary>Puts every slot of a store's keys under the newest version of its key. No byte of the payload is written.</summary>
    /// <param name="path">A sealed file.</param>
    /// <param name="keys">The store, or several (<see cref="KeyProviders"/>).</param>
    /// <param name="cancel">Stops before the first byte is written.</param>
    /// <returns>True when something was written; false when every slot was of the newest version already.</returns>
    /// <inheritdoc cref="RewrapAsync(string, IReadOnlyList{SealIdentity}, Func{SlotChange, CancellationToken, ValueTask}, CancellationToken)"/>
    public static Task<bool> RewrapAsync(string path, IKeyProvider keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return RewrapAsync(path, [SealIdentity.Keys(keys)], (change, stop) => change.RewrapAsync(keys, stop), cancel);
    }

    /// <summary>Changes who can open a sealed file. Only the slots are written, twice over: first one copy, flushed to the disk, then the other.</summary>
    /// <remarks>
    /// Whatever stops it, one copy is whole: the file opens for the old recipients or for the new ones. <see cref="SealedFileInfo.NeedsMending"/>
    /// tells of an interruption; the next rewrap completes it. Someone who took a copy of the file, or of its data key, before keeps what that opens.
    /// </remarks>
    /// <param name="path">A sealed file.</param>
    /// <param name="identities">One of them must open it: the slots' MAC needs the data key.</param>
    /// <param name="edit">Makes the change.</param>
    /// <param name="cancel">Stops before the first byte is written.</param>
    /// <returns>True when something was written.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">No identity opens the file. Always the same one, whatever is wrong.</exception>
    /// <exception cref="InvalidOperationException">No recipient would be left, or the slots do not fit.</exception>
    /// <exception cref="IOException">The file is being rewrapped by someone else, the disk failed, or a key store could not be asked.</exception>
    public static async Task<bool> RewrapAsync(
        string path, IReadOnlyList<SealIdentity> identities, Func<SlotChange, CancellationToken, ValueTask> edit, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(identities);
        ArgumentNullException.ThrowIfNull(edit);
        path = Path.GetFullPath(path);
        if (!s_rewrapping.TryAdd(path, true))
            throw new IOException($"{path} is being rewrapped already.");
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Lock(file, path);
            var header = ReadHeader(file);
            var (dataKey, copy, _) = await header.UnwrapAsync(identities, cancel).ConfigureAwait(false);
            using (dataKey)
            {
                var change = new SlotChange(SealedFileCbor.ReadSlots(header.SlotBytes(copy)), dataKey, header.Binding, header.Info.FileId);
                await edit(change, cancel).ConfigureAwait(false);
                var region = change.IsMade ? header.SlotRegion(change.Slots, dataKey.Span) : header.Region(copy).ToArray();
                cancel.ThrowIfCancellationRequested();
                return Replace(file, header, copy, region);
            }
        }
        finally
        {
            s_rewrapping.TryRemove(path, out _);
        }
    }

    /// <summary>At every moment at least one copy on the disk is whole: a copy is written only after the other was flushed.</summary>
    private static bool Replace(FileStream file, SealedFileHeader header, int sound, byte[] region)
    {
        var (first, second) = (header.Region(0).SequenceEqual(region), header.Region(1).SequenceEqual(region));
        if (first && second)
            return false;
        if (!header.CopiesAgree && sound == 0 && !second)
            Write(file, header, copy: 1, header.Region(0).ToArray());   // mend what an interruption left, or the only whole copy would be written over
        if (!first)
            Write(file, header, copy: 0, region);
        Write(file, header, copy: 1, region);
        return true;
    }

    private static void Write(FileStream file, SealedFileHeader header, int copy, byte[] region)
    {
        RandomAccess.Write(file.SafeFileHandle, region, header.Start + header.RegionStart(copy));
        RandomAccess.FlushToDisk(file.SafeFileHandle);
    }

    /// <summary>Keeps other processes from rewrapping the same file; readers are not kept out, because they see one whole copy at least.</summary>
    private static void Lock(FileStream file, string path)
    {
        if (OperatingSystem.IsMacOS())
            return;   // it has no such locks on files; the in-process guard remains
        try
        {
            file.Lock(0, 8);
        }
        catch (IOException failure)
        {
            throw new IOException($"{path} is being rewrapped by another process.", failure);
        }
    }
}
