using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Microsoft.Data.Sqlite;

namespace Bulwark.Data;

/// <summary>A key for each data subject, so that erasing the key erases what was encrypted under it, in every file and copy.</summary>
/// <remarks>
/// One SQLite file. A subject is found by HMAC-SHA-256 of its id, bears a random token by which datasets name it, and owns 32 random bytes,
/// AES-256-GCM-wrapped under the key of the current epoch, which stands in the key ring and nowhere else. Erasing deletes the row, with
/// <c>secure_delete</c> and an emptied write-ahead log. Copies of the file made earlier die when the epoch ends: the living keys are
/// wrapped under a new epoch key and the old one is destroyed. A backup of the <em>key ring</em> that is older than that revives them, so
/// it must not live longer than an epoch, and must not lie beside the store's. Every change is one transaction: a killed process leaves
/// all or nothing. Thread-safe, and safe among processes.
/// </remarks>
public sealed partial class SubjectStore : IDisposable
{
    /// <summary>The key ring's key of the epochs, one version an epoch.</summary>
    public const string EpochKey = "subjects/epoch";

    private const string IndexKey = "subjects/index";
    private const int TokenBytes = 16;
    private readonly Lock _gate = new();
    private readonly SqliteConnection _database;
    private readonly KeyRing _keys;
    private readonly TimeProvider _time;
    private readonly string _path;
    private readonly KeyedHash _index;
    private SubjectWrap? _wrap;

    private SubjectStore(string path, SqliteConnection database, KeyRing keys, TimeProvider? time)
    {
        (_path, _database, _keys, _time) = (path, database, keys, time ?? TimeProvider.System);
        using var index = keys.Derive(KeyId.Parse(Meta("index")), "subject-index/v1");
        _index = new(index.Span);
    }

    /// <summary>Opens the store, or makes an empty one; ends an epoch whose change was interrupted.</summary>
    /// <param name="path">Where; readable to its owner alone.</param>
    /// <param name="keys">The key ring with the epoch's key.</param>
    /// <param name="time">The clock; null is the system's.</param>
    /// <exception cref="InvalidDataException">The file is no such store.</exception>
    /// <exception cref="CryptographicException">It is a copy of an epoch that ended: its keys are gone.</exception>
    public static SubjectStore Open(string path, KeyRing keys, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(keys);
        using var locked = FileLock.Acquire(path + ".lock");
        SqliteConnection? database = null;
        try
        {
            database = SubjectDatabase.Open(path);
            SubjectDatabase.Initialise(database, () => (keys.GetOrCreateSymmetric(IndexKey), keys.GetOrCreateSymmetric(EpochKey)));
            var store = new SubjectStore(path, database, keys, time);
            try
            {
                store.EndOtherEpochs();
                return store;
            }
            catch
            {
                store._index.Dispose();
                throw;
            }
        }
        catch (SqliteException fault)
        {
            database?.Dispose();
            throw fault.SqliteErrorCode is SQLitePCL.raw.SQLITE_NOTADB or SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_ERROR
                ? new InvalidDataException($"{Path.GetFileName(path)} is no store of subjects' keys: {fault.Message}", fault)
                : new IOException($"{Path.GetFileName(path)} could not be read or written: {fault.Message}", fault);
        }
        catch
        {
            database?.Dispose();
            throw;
        }
    }

    /// <summary>Subjects that have a key.</summary>
    public long Count
    {
        get
        {
            lock (_gate)
                return (long)Command("SELECT count(*) FROM subjects").ExecuteScalar()!;
        }
    }

    /// <summary>The key of the current epoch, and when the epoch began.</summary>
    public (KeyId Key, DateTimeOffset Begun) Epoch
    {
        get
        {
            lock (_gate)
                return (KeyId.Parse(Meta("epoch")), DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(Meta("begun"), System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>The tokens of subjects; keys are made for those that have none.</summary>
    /// <param name="subjects">Their ids, any text; also more than once.</param>
    public IReadOnlyDictionary<string, string> Tokens(IEnumerable<string> subjects)
    {
        ArgumentNullException.ThrowIfNull(subjects);
        lock (_gate)
        {
            using var transaction = Begin();
            var wrap = Wrap();
            var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
            using var find = Command("SELECT token FROM subjects WHERE lookup = $lookup", ("$lookup", Array.Empty<byte>()));
            using var add = Command("INSERT INTO subjects (lookup, token, epoch, wrapped) VALUES ($lookup, $token, $epoch, $wrapped)",
                ("$lookup", Array.Empty<byte>()), ("$token", Array.Empty<byte>()), ("$epoch", wrap.Id.ToString()), ("$wrapped", Array.Empty<byte>()));
            foreach (var subject in subjects)
            {
                if (tokens.ContainsKey(subject))
                    continue;
                var lookup = Lookup(subject);
                find.Parameters["$lookup"].Value = lookup;
                var token = find.ExecuteScalar() as byte[];
                if (token is null)
                {
                    token = RandomNumberGenerator.GetBytes(TokenBytes);
                    add.Parameters["$lookup"].Value = lookup;
                    add.Parameters["$token"].Value = token;
                    add.Parameters["$wrapped"].Value = wrap.NewKey(lookup, token);
                    add.ExecuteNonQuery();
                }

                tokens.Add(subject, Convert.ToHexStringLower(token));
            }

            transaction.Commit();
            return tokens;
        }
    }

    /// <summary>A subject's key by its token.</summary>
    /// <returns>Null when there is none: it was erased, or never made here.</returns>
    /// <exception cref="CryptographicException">The key does not open: the store was changed, or is a copy of an epoch that ended.</exception>
    public SecretBytes? KeyOf(string token)
    {
        if (!TryToken(token, out var bytes))
            return null;
        lock (_gate)
        {
            using var find = Command("SELECT lookup, epoch, wrapped FROM subjects WHERE token = $token", ("$token", bytes));
            using var row = find.ExecuteReader();
            if (!row.Read())
                return null;
            var epoch = KeyId.Parse(row.GetString(1));
            return Wrap(epoch).Open(SubjectDatabase.Bytes(row, 0), bytes, SubjectDatabase.Bytes(row, 2));
        }
    }

    /// <summary>Closes the file and wipes the keys in memory.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _wrap?.Dispose();
            _index.Dispose();
            _database.Dispose();
        }
    }

    private static bool TryToken(string token, out byte[] bytes)
    {
        bytes = [];
        if (token.Length != 2 * TokenBytes || !token.All(char.IsAsciiHexDigitLower))
            return false;
        bytes = Convert.FromHexString(token);
        return true;
    }

    private byte[] Lookup(string subject)
    {
        var lookup = new byte[KeyedHash.SizeInBytes];
        _index.Compute(Encoding.UTF8.GetBytes(subject), lookup);
        return lookup;
    }

    /// <summary>The epoch's cipher; another process may have changed the epoch.</summary>
    private SubjectWrap Wrap(KeyId? epoch = null)
    {
        var id = epoch ?? KeyId.Parse(Meta("epoch"));
        if (_wrap?.Id == id)
            return _wrap;
        var next = SubjectWrap.Of(_keys, id);
        _wrap?.Dispose();
        return _wrap = next;
    }

    private string Meta(string name) => Command("SELECT value FROM meta WHERE name = $name", ("$name", name)).ExecuteScalar() as string
        ?? throw new InvalidDataException($"{Path.GetFileName(_path)} is no store of subjects' keys: it does not say its {name}.");

    private SqliteTransaction Begin() => _database.BeginTransaction(deferred: false);

    private SqliteCommand Command(string text, params ReadOnlySpan<(string Name, object Value)> values) => SubjectDatabase.Command(_database, text, values);
}
