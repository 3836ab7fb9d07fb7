namespace Bulwark.Cryptography;

/// <summary>What became of one file of many.</summary>
public enum RewrapOutcome
{
    /// <summary>It could not be opened or written: it is as it was.</summary>
    Failed = 0,

    /// <summary>Its slots are under the newest versions now.</summary>
    Rewrapped,

    /// <summary>They were already.</summary>
    Newest,

    /// <summary>None of its slots is a key of the opened stores.</summary>
    OfOthers,
}

/// <summary>What became of one file, and why when it failed.</summary>
public sealed record RewrapResult(string Path, RewrapOutcome Outcome, string? Reason = null);

public static partial class SealedFile
{
    private const int Writers = 16;   // flushes that wait side by side share the disk's work

    /// <summary>As <see cref="RewrapAsync(string, IKeyProvider, CancellationToken)"/>, for many files: the stores are asked for all at once, and the disk flushes side by side.</summary>
    /// <param name="paths">Sealed files; some hundreds, because their headers are held open together.</param>
    /// <param name="keys">The stores. What they record is recorded in two batches.</param>
    /// <param name="cancel">Stops before the first byte is written.</param>
    /// <returns>What became of each, in their order; one file's fault, and one key's, stops no other.</returns>
    /// <exception cref="IOException">The uses could not be recorded; nothing was written.</exception>
    public static async Task<IReadOnlyList<RewrapResult>> RewrapManyAsync(IReadOnlyList<string> paths, IKeyProvider keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(keys);
        var files = new List<RewrapFile>();
        try
        {
            files.AddRange(paths.Select(RewrapFile.Open));
            var newest = await NewestAsync(files, keys, cancel).ConfigureAwait(false);
            var stale = files.Where(file => file.NeedsRewrap(keys, newest)).ToArray();
            await UnwrapAsync(stale, keys, cancel).ConfigureAwait(false);
            await WrapAsync([.. stale.Where(file => file.DataKey is not null)], keys, newest, cancel).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            WriteSideBySide([.. files.Where(file => file.Region is not null)]);
            return [.. files.Select(file => file.Result)];
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    /// <summary>The newest wrapping version of each key that the files name.</summary>
    private static async Task<Dictionary<KeyUri, KeyUri>> NewestAsync(List<RewrapFile> files, IKeyProvider keys, CancellationToken cancel)
    {
        var newest = new Dictionary<KeyUri, KeyUri>();
        foreach (var key in files.SelectMany(file => file.Held(keys)).Select(wrapped => wrapped.Kek.Key).Distinct())
        {
            try
            {
                if ((await keys.DescribeAsync(key, cancel).ConfigureAwait(false)).Current is { } current)
                    newest[key] = current.Id;
            }
            catch (InvalidOperationException)
            {
                // the store has no such key: the files that name it say so
            }
            catch (Exception refusal) when (IsOneKeys(refusal))
            {
                foreach (var file in files.Where(file => file.Held(keys).Any(wrapped => wrapped.Kek.Key == key)))
                    file.Refuse(refusal.Message);
            }
        }

        return newest;
    }

    private static Task UnwrapAsync(RewrapFile[] files, IKeyProvider keys, CancellationToken cancel) =>
        TakeAsync([.. files.SelectMany(file => file.Held(keys).Select(wrapped => (File: file, Item: new WrappedItem(wrapped, file.Context))))], keys, cancel);

    /// <summary>Asks for all at once, and where that fails for each key by itself.</summary>
    private static async Task TakeAsync((RewrapFile File, WrappedItem Item)[] asked, IKeyProvider keys, CancellationToken cancel)
    {
        IReadOnlyList<KeyAnswer<SecretBytes>> answers;
        try
        {
            answers = await keys.UnwrapManyAsync([.. asked.Select(pair => pair.Item)], cancel).ConfigureAwait(false);
        }
        catch (Exception refusal) when (IsOneKeys(refusal))
        {
            var groups = asked.GroupBy(pair => pair.Item.Wrapped.Kek.Key).Select(group => group.ToArray()).ToArray();
            foreach (var group in groups.Length > 1 ? groups : [])
                await TakeAsync(group, keys, cancel).ConfigureAwait(false);
            if (groups.Length > 1)
                return;
            answers = [.. asked.Select(_ => new KeyAnswer<SecretBytes>(null, refusal.Message))];
        }

        foreach (var ((file, _), answer) in asked.Zip(answers))
            file.Take(answer);
    }

    /// <summary>True for what one key, or one file's slots, are at fault for; not for a log that does not take what was done.</summary>
    private static bool IsOneKeys(Exception failure) => failure is KeyProviderException or InvalidDataException;

    private static async Task WrapAsync(RewrapFile[] files, IKeyProvider keys, Dictionary<KeyUri, KeyUri> newest, CancellationToken cancel)
    {
        var renewed = files.ToDictionary(file => file, _ => new Dictionary<KeyUri, WrappedKey>());
        foreach (var group in files.SelectMany(file => file.Stale(keys, newest).Select(key => (Key: key, File: file))).GroupBy(pair => pair.Key))
        {
            var members = group.Select(pair => pair.File).ToArray();
            try
            {
                var wrapped = await keys.WrapManyAsync(newest[group.Key], [.. members.Select(file => (file.DataKey!, file.Context))], cancel).ConfigureAwait(false);
                foreach (var (file, answer) in members.Zip(wrapped))
                    renewed[file][group.Key] = answer;
            }
            catch (Exception refusal) when (IsOneKeys(refusal))
            {
                foreach (var file in members)
                    file.Refuse(refusal.Message);
            }
        }

        foreach (var file in files.Where(file => !file.Refused))
            file.Prepare(renewed[file]);
    }

    private static void WriteSideBySide(RewrapFile[] files)
    {
        var next = -1;
        var writers = Enumerable.Range(0, Math.Min(Writers, files.Length)).Select(_ => Task.Factory.StartNew(() =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < files.Length;)
                files[i].Write();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Task.WaitAll(writers);
    }

    /// <summary>One file of a batch, from its header to its new slots; one thread at a time.</summary>
    private sealed class RewrapFile : IDisposable
    {
        private readonly string _path;
        private FileStream? _file;
        private SealedFileHeader? _header;
        private bool _claimed;
        private int _copy;

        private RewrapFile(string path) => (_path, Result) = (path, new(path, RewrapOutcome.Failed, "not tried"));

        internal RewrapResult Result { get; private set; }
        internal SecretBytes? DataKey { get; private set; }
        internal byte[]? Region { get; private set; }
        internal bool Refused { get; private set; }
        internal KeyContext Context => _header!.Context;

        internal static RewrapFile Open(string path)
        {
            var opened = new RewrapFile(System.IO.Path.GetFullPath(path));
            try
            {
                opened._claimed = s_rewrapping.TryAdd(opened._path, true);
                if (!opened._claimed)
                    throw new IOException("it is being rewrapped already");
                opened._file = new FileStream(opened._path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                Lock(opened._file, opened._path);
                var header = SealedFileHeader.Read(opened._file);
                _ = header.AllSlots();   // throws when neither copy can be read
                opened._header = header;
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                opened.Fail(failure.Message);
            }

            return opened;
        }

        /// <summary>The slots, of either copy, that a store holds.</summary>
        internal IEnumerable<WrappedKey> Held(IKeyProvider keys) => _header is null ? [] :
            _header.AllSlots().OfType<WrappedSlot>().Select(slot => slot.Wrapped).Where(wrapped => keys.Holds(wrapped.Kek));

        internal IEnumerable<KeyUri> Stale(IKeyProvider keys, Dictionary<KeyUri, KeyUri> newest) => Held(keys)
            .Where(wrapped => newest.TryGetValue(wrapped.Kek.Key, out var current) && current != wrapped.Kek).Select(wrapped => wrapped.Kek.Key).Distinct();

        internal bool NeedsRewrap(IKeyProvider keys, Dictionary<KeyUri, KeyUri> newest)
        {
            if (_header is null || Refused)
                return false;
            if (!Held(keys).Any())
            {
                Result = new(_path, RewrapOutcome.OfOthers);
                return false;
            }

            if (Held(keys).FirstOrDefault(wrapped => !newest.ContainsKey(wrapped.Kek.Key)) is { } orphan)
            {
                Fail($"no version of {orphan.Kek.Key} may wrap");
                return false;
            }

            if (_header.CopiesAgree && !Stale(keys, newest).Any())
            {
                Result = new(_path, RewrapOutcome.Newest);
                return false;
            }

            return true;
        }

        /// <summary>Keeps the first key that proves a copy of the slots.</summary>
        internal void Take(KeyAnswer<SecretBytes> answer)
        {
            if (answer.Value is { Length: FloeMessage.KeySizeInBytes } key && DataKey is null && Enumerable.Range(0, 2).FirstOrDefault(copy => _header!.IsMacOf(copy, key.Span), -1) is >= 0 and var proved)
            {
                (DataKey, _copy) = (key, proved);
                return;
            }

            answer.Value?.Dispose();
            if (DataKey is null)
                Fail(answer.Refusal ?? "its slots were changed");
        }

        internal void Prepare(Dictionary<KeyUri, WrappedKey> renewed)
        {
            try
            {
                var slots = SealedFileCbor.ReadSlots(_header!.SlotBytes(_copy)).Select(slot =>
                    slot is WrappedSlot { Wrapped: var old } && renewed.TryGetValue(old.Kek.Key, out var wrapped) ? new WrappedSlot(wrapped) : slot).ToArray();
                Region = renewed.Count == 0 ? _header.Region(_copy).ToArray() : _header.SlotRegion(slots, DataKey!.Span);
            }
            catch (Exception failure) when (failure is InvalidOperationException or InvalidDataException)
            {
                Fail(failure.Message);
            }
        }

        /// <summary>A key of it cannot be asked: nothing of it is written.</summary>
        internal void Refuse(string reason)
        {
            Refused = true;
            Fail(reason);
        }

        internal void Write()
        {
            try
            {
                Replace(_file!, _header!, _copy, Region!);
                Result = new(_path, RewrapOutcome.Rewrapped);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                Fail(failure.Message);
            }
        }

        public void Dispose()
        {
            DataKey?.Dispose();
            _file?.Dispose();
            if (_claimed)
                s_rewrapping.TryRemove(_path, out _);
        }

        private void Fail(string reason) => Result = new(_path, RewrapOutcome.Failed, reason);
    }
}
