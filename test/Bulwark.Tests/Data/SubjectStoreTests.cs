using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Data;
using Microsoft.Data.Sqlite;

namespace Bulwark.Tests.Data;

public sealed class SubjectStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;

    public SubjectStoreTests() => _keys = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));

    private string Path => _folder["subjects.db"];

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    private SubjectStore Open() => SubjectStore.Open(Path, _keys);

    private static byte[] KeyOf(SubjectStore store, string token)
    {
        using var key = store.KeyOf(token);
        return key!.Span.ToArray();
    }

    [Fact]
    public void A_subject_keeps_its_token_and_key_and_others_have_others()
    {
        Dictionary<string, byte[]> keys;
        IReadOnlyDictionary<string, string> tokens;
        using (var store = Open())
        {
            tokens = store.Tokens(["ann", "bob", "ann"]);
            keys = tokens.Values.ToDictionary(token => token, token => KeyOf(store, token));
            Assert.NotEqual(keys[tokens["ann"]], keys[tokens["bob"]]);
        }

        using var again = Open();
        Assert.Equal(tokens, again.Tokens(["bob", "ann"]).OrderBy(pair => pair.Key).ToDictionary());
        Assert.All(keys, pair => Assert.Equal(pair.Value, KeyOf(again, pair.Key)));
        Assert.Equal(2, again.Count);
        Assert.Null(again.KeyOf(new string('0', 32)));
        Assert.Null(again.KeyOf("no token"));
    }

    [Fact]
    public void An_erased_key_that_a_reader_keeps_in_the_write_ahead_log_is_reported_until_it_is_gone()
    {
        using var store = Open();
        store.WaitForReaders(TimeSpan.FromMilliseconds(1));
        store.Tokens(["ann"]);
        using (var reader = new SqliteConnection($"Data Source={Path};Pooling=False"))
        {
            reader.Open();
            using var reading = reader.BeginTransaction(deferred: true);
            using var count = reader.CreateCommand();
            (count.CommandText, count.Transaction) = ("SELECT count(*) FROM subjects", reading);
            Assert.Equal(1L, count.ExecuteScalar());
            Assert.False(store.Told(store.Shred("ann")!));
        }

        store.Tokens(["bob"]);
        Assert.True(store.Told(store.Shred("bob")!));
    }

    [Fact]
    public void A_shredded_key_is_in_no_file_any_more_and_the_tombstone_names_nobody()
    {
        using var store = Open();
        var tokens = store.Tokens(Enumerable.Range(0, 200).Select(i => $"subject {i}"));
        var token = tokens["subject 77"];
        var wrapped = Wrapped(token);
        Assert.True(Holds(wrapped));
        var erasure = store.Shred("subject 77")!;
        Assert.False(Holds(wrapped));
        Assert.Null(store.KeyOf(token));
        Assert.True(Erasure.Holds(erasure.Tombstone, "subject 77", erasure.Receipt));
        Assert.False(Erasure.Holds(erasure.Tombstone, "subject 78", erasure.Receipt));
        Assert.False(Holds(erasure.Receipt!));
        Assert.Null(store.Shred("subject 77"));
        Assert.Equal(199, store.Count);
        Assert.NotNull(store.KeyOf(tokens["subject 78"]));
        Assert.Equal(erasure.Tombstone, Assert.Single(store.Untold()).Tombstone);
        Assert.Null(store.Untold()[0].Receipt);
        store.Told(erasure);
        Assert.Empty(store.Untold());
        Assert.NotEqual(token, store.Tokens(["subject 77"])["subject 77"]);   // who comes back comes as a stranger
    }

    [Fact]
    public void A_backup_dies_with_its_epoch_and_the_living_keys_stay()
    {
        IReadOnlyDictionary<string, string> tokens;
        byte[] key;
        using (var store = Open())
        {
            tokens = store.Tokens(["ann", "bob"]);
            key = KeyOf(store, tokens["bob"]);
        }

        File.Copy(Path, _folder["backup.db"]);
        using (var store = Open())
        {
            store.Shred("ann");
            var change = store.NextEpoch(cancel: TestContext.Current.CancellationToken);
            Assert.Equal((1L, 1, 2), (change.Subjects, change.Ended.Version, change.Begun.Version));
            Assert.Equal(key, KeyOf(store, tokens["bob"]));
        }

        Assert.Equal([KeyState.Destroyed, KeyState.Enabled], _keys.List().Where(one => one.Id.Name == SubjectStore.EpochKey).Select(one => one.State));
        var fault = Assert.Throws<CryptographicException>(() => SubjectStore.Open(_folder["backup.db"], _keys));
        Assert.Contains("an epoch that ended", fault.Message);
        using var living = Open();   // and the copy did not end the living epoch
        Assert.Equal(key, KeyOf(living, tokens["bob"]));
    }

    [Fact]
    public void An_epoch_that_was_interrupted_before_or_after_its_commit_is_finished_at_the_next_opening()
    {
        string token;
        byte[] key;
        using (var store = Open())
        {
            token = store.Tokens(["ann"])["ann"];
            key = KeyOf(store, token);
        }

        _keys.CreateSymmetric(SubjectStore.EpochKey);   // died before the commit: version 2 exists, nothing is under it
        using (var store = Open())
        {
            Assert.Equal(key, KeyOf(store, token));
            Assert.Equal(1, store.Epoch.Key.Version);
            Assert.Equal(KeyState.Destroyed, State(2));
            store.NextEpoch(cancel: TestContext.Current.CancellationToken);
            Assert.Equal(3, store.Epoch.Key.Version);
            Assert.Equal(KeyState.Destroyed, State(1));
            Assert.Equal(key, KeyOf(store, token));
        }
    }

    [Fact]
    public void A_stopped_epoch_changes_nothing()
    {
        using var store = Open();
        var token = store.Tokens(["ann"])["ann"];
        var key = KeyOf(store, token);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => store.NextEpoch(cancel: source.Token));
        Assert.Equal((1, KeyState.Enabled, KeyState.Destroyed), (store.Epoch.Key.Version, State(1), State(2)));
        Assert.Equal(key, KeyOf(store, token));
    }

    [Fact]
    public void A_changed_row_or_another_file_is_refused()
    {
        string token;
        using (var store = Open())
            token = store.Tokens(["ann"])["ann"];
        Execute("UPDATE subjects SET wrapped = substr(wrapped, 1, 59) || x'00'");
        using (var store = Open())
            Assert.ThrowsAny<CryptographicException>(() => store.KeyOf(token));
        File.WriteAllText(_folder["other.db"], new string('x', 5000));
        Assert.Throws<InvalidDataException>(() => SubjectStore.Open(_folder["other.db"], _keys));
        using var otherRing = KeyRing.Create(_folder["other.json"], KeyRingUnlock.KeyFile(_folder["other.key"]));
        Assert.ThrowsAny<Exception>(() => SubjectStore.Open(Path, otherRing));
        using var still = Open();
        Assert.Equal(1, still.Count);
    }

    [Fact]
    public void Versions_are_known_from_their_beginning_by_every_root_until_abandoned()
    {
        using var store = Open();
        var tokens = store.Tokens(["ann", "bob"]);
        var (first, second) = (store.BeginVersion("d"), store.BeginVersion("d"));
        store.Reach(first, tokens.Values);
        store.Reach(second, [tokens["ann"]]);
        Assert.Equal([null, null], store.ReachedBy("ann").Select(version => version.Version));
        var (root, file, read) = (Digest.Of("a"u8), Digest.Of("b"u8), Digest.Of("c"u8));
        store.Complete(first, "v1", root, file);
        Assert.True(store.Known("v1", read));
        Assert.False(store.Known("v9", read));
        var reached = Assert.Single(store.ReachedBy("bob"));
        Assert.Equal(("v1", root, file), (reached.Version, reached.Commitment, reached.File));
        Assert.Equal(new[] { root, file, read }.Order().ToArray(), reached.Roots.Order().ToArray());
        store.Abandon(second);
        Assert.Single(store.ReachedBy("ann"));
        Assert.Empty(store.ReachedBy("nobody"));
    }

    private KeyState State(int version) => _keys.List().Single(one => one.Id == new KeyId(SubjectStore.EpochKey, version)).State;

    private byte[] Wrapped(string token)
    {
        using var database = Connect();
        using var command = database.CreateCommand();
        command.CommandText = "SELECT wrapped FROM subjects WHERE token = $token";
        command.Parameters.AddWithValue("$token", Convert.FromHexString(token));
        return (byte[])command.ExecuteScalar()!;
    }

    private void Execute(string text)
    {
        using var database = Connect();
        using var command = database.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private SqliteConnection Connect()
    {
        var database = new SqliteConnection($"Data Source={Path};Pooling=False");
        database.Open();
        return database;
    }

    /// <summary>Whether the bytes stand anywhere in the store's file or its write-ahead log.</summary>
    private bool Holds(byte[] bytes) => Directory.GetFiles(_folder.Path, "subjects.db*").Any(file =>
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray().AsSpan().IndexOf(bytes) >= 0 || Encoding.Latin1.GetString(copy.ToArray()).Contains(Convert.ToHexStringLower(bytes), StringComparison.Ordinal);
    });
}
