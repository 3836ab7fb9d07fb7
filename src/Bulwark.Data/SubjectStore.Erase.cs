using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Data;

public sealed partial class SubjectStore
{
    private const int SaltBytes = 32;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Erases a subject's key, for good: what was encrypted under it opens nowhere, in no copy, once the epoch ends.</summary>
    /// <param name="subject">The subject's id, as the datasets' subject column held it.</param>
    /// <returns>What to tell the log, also kept as untold until <see cref="Told"/>; null when the subject has no key: it was never seen, or erased before.</returns>
    public Erasure? Shred(string subject)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        lock (_gate)
        {
            using var transaction = Begin();
            var lookup = Lookup(subject);
            using var find = Command("SELECT token, epoch FROM subjects WHERE lookup = $lookup", ("$lookup", lookup));
            byte[] token;
            KeyId epoch;
            using (var row = find.ExecuteReader())
            {
                if (!row.Read())
                    return null;
                (token, epoch) = (SubjectDatabase.Bytes(row, 0), KeyId.Parse(row.GetString(1)));
            }

            var salt = RandomNumberGenerator.GetBytes(SaltBytes);
            var erasure = new Erasure(Erasure.TombstoneOf(subject, salt), _time.GetUtcNow(), epoch, Reached(token)) { Receipt = salt };
            using var erase = Command(
                "DELETE FROM subjects WHERE lookup = $lookup; DELETE FROM reach WHERE token = $token; INSERT INTO untold VALUES ($tombstone, $erasure);",
                ("$lookup", lookup), ("$token", token), ("$tombstone", erasure.Tombstone.ToString()), ("$erasure", JsonSerializer.Serialize(erasure, s_json)));
            erase.ExecuteNonQuery();
            transaction.Commit();
            SubjectDatabase.EmptyLog(_database);   // Told says whether it is empty
            return erasure;
        }
    }

    /// <summary>Erasures that the log was not told of yet, because a process died in between. Their receipts are gone.</summary>
    public IReadOnlyList<Erasure> Untold()
    {
        lock (_gate)
        {
            using var read = Command("SELECT erasure FROM untold ORDER BY tombstone");
            using var rows = read.ExecuteReader();
            var untold = new List<Erasure>();
            while (rows.Read())
                untold.Add(JsonSerializer.Deserialize<Erasure>(rows.GetString(0), s_json)!);
            return untold;
        }
    }

    /// <summary>The log was told: nothing of the erasure stays here.</summary>
    /// <returns>False while another program reads the store and so keeps its write-ahead log, which may still hold the erased key, wrapped: the next call, or the end of the epoch, does away with it.</returns>
    public bool Told(Erasure erasure)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        lock (_gate)
        {
            using var forget = Command("DELETE FROM untold WHERE tombstone = $tombstone", ("$tombstone", erasure.Tombstone.ToString()));
            forget.ExecuteNonQuery();
            return SubjectDatabase.EmptyLog(_database);
        }
    }

    /// <summary>Ends the epoch: the living keys are wrapped under a new epoch key, the old one is destroyed, and every older copy of this store with it.</summary>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work before anything is changed.</param>
    /// <remarks>A process that dies on the way leaves the old epoch whole, or the new one whole; the next opening finishes what is left.</remarks>
    public EpochChange NextEpoch(IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        using var locked = FileLock.Acquire(_path + ".lock");
        lock (_gate)
        {
            EndOtherEpochs();
            var ended = KeyId.Parse(Meta("epoch"));
            var begun = _keys.CreateSymmetric(EpochKey);
            long subjects;
            try
            {
                subjects = WrapAnew(ended, begun, progress, cancel);
            }
            catch
            {
                EndOtherEpochs();
                throw;
            }

            EndOtherEpochs();
            SubjectDatabase.EmptyLog(_database);   // what it may still hold is under the key that was just destroyed
            progress?.Report(1);
            return new(ended, begun, subjects);
        }
    }

    /// <summary>How long emptying the write-ahead log waits for whoever reads.</summary>
    internal void WaitForReaders(TimeSpan time)
    {
        using var wait = Command($"PRAGMA busy_timeout = {(long)time.TotalMilliseconds}");
        wait.ExecuteNonQuery();
    }

    private long WrapAnew(KeyId ended, KeyId begun, IProgress<double>? progress, CancellationToken cancel)
    {
        using var transaction = Begin();
        using var old = SubjectWrap.Of(_keys, ended);
        using var next = SubjectWrap.Of(_keys, begun);
        var total = (long)Command("SELECT count(*) FROM subjects").ExecuteScalar()!;
        var done = 0L;
        using var write = Command("UPDATE subjects SET epoch = $epoch, wrapped = $wrapped WHERE lookup = $lookup",
            ("$epoch", begun.ToString()), ("$wrapped", Array.Empty<byte>()), ("$lookup", Array.Empty<byte>()));
        foreach (var (lookup, token, wrapped) in Page(cancel))
        {
            using var key = old.Open(lookup, token, wrapped);
            write.Parameters["$wrapped"].Value = next.Seal(key, lookup, token);
            write.Parameters["$lookup"].Value = lookup;
            write.ExecuteNonQuery();
            if (++done % 1024 == 0)
                progress?.Report(0.9 * done / total);
        }

        using var meta = Command("UPDATE meta SET value = $epoch WHERE name = 'epoch'; UPDATE meta SET value = $begun WHERE name = 'begun';",
            ("$epoch", begun.ToString()), ("$begun", $"{_time.GetUtcNow().ToUnixTimeMilliseconds()}"));
        meta.ExecuteNonQuery();
        transaction.Commit();
        return done;
    }

    /// <summary>All rows, some at a time, so that none is read while it is written.</summary>
    private IEnumerable<(byte[] Lookup, byte[] Token, byte[] Wrapped)> Page(CancellationToken cancel)
    {
        const int Rows = 4096;
        var after = Array.Empty<byte>();
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var page = new List<(byte[], byte[], byte[])>(Rows);
            using (var read = Command("SELECT lookup, token, wrapped FROM subjects WHERE lookup > $after ORDER BY lookup LIMIT $rows", ("$after", after), ("$rows", Rows)))
            using (var rows = read.ExecuteReader())
            {
                while (rows.Read())
                    page.Add((SubjectDatabase.Bytes(rows, 0), SubjectDatabase.Bytes(rows, 1), SubjectDatabase.Bytes(rows, 2)));
            }

            foreach (var row in page)
                yield return row;
            if (page.Count < Rows)
                yield break;
            after = page[^1].Item1;
        }
    }

    /// <summary>Destroys every epoch key but the current one. Only while the current one lives: a copy of an older epoch must not kill the newer store's.</summary>
    private void EndOtherEpochs()
    {
        var current = KeyId.Parse(Meta("epoch"));
        var epochs = _keys.List().Where(key => key.Id.Name == EpochKey && key.State != KeyState.Destroyed).ToArray();
        if (!epochs.Any(key => key.Id == current))
            throw new CryptographicException($"The subjects' keys were wrapped under {current}, which the key ring does not have: this is a copy from an epoch that ended, or another ring's store.");
        foreach (var other in epochs.Where(key => key.Id != current))
            _keys.Destroy(other.Id);
    }
}
