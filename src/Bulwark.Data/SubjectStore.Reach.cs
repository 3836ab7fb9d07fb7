using Bulwark.Cryptography;

namespace Bulwark.Data;

public sealed partial class SubjectStore
{
    /// <summary>Begins a version of a dataset: from here on it is known whose rows it holds, even when its writing never ends.</summary>
    /// <param name="dataset">The dataset's name.</param>
    /// <returns>A number for <see cref="Reach"/> and <see cref="Complete"/>.</returns>
    public long BeginVersion(string dataset)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataset);
        lock (_gate)
        {
            using var insert = Command("INSERT INTO versions (dataset, begun) VALUES ($dataset, $begun) RETURNING id", ("$dataset", dataset), ("$begun", _time.GetUtcNow().ToUnixTimeMilliseconds()));
            return (long)insert.ExecuteScalar()!;
        }
    }

    /// <summary>Rows of these subjects go into the version.</summary>
    /// <param name="version">What <see cref="BeginVersion"/> returned.</param>
    /// <param name="tokens">The subjects' tokens; also such as were noted before.</param>
    public void Reach(long version, IEnumerable<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        lock (_gate)
        {
            using var transaction = Begin();
            using var insert = Command("INSERT OR IGNORE INTO reach (token, version) VALUES ($token, $version)", ("$token", Array.Empty<byte>()), ("$version", version));
            foreach (var token in tokens)
            {
                insert.Parameters["$token"].Value = TryToken(token, out var bytes) ? bytes : throw new ArgumentException("A token has 32 hexadecimal digits.", nameof(tokens));
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }
    }

    /// <summary>The version is written.</summary>
    /// <param name="version">What <see cref="BeginVersion"/> returned.</param>
    /// <param name="name">The version's own name.</param>
    /// <param name="commitment">The commitment to the table before protection.</param>
    /// <param name="file">Digest of the protected file.</param>
    public void Complete(long version, string name, Digest commitment, Digest file)
    {
        lock (_gate)
        {
            using var update = Command("UPDATE versions SET version = $name, commitment = $commitment, file = $file WHERE id = $id; INSERT OR IGNORE INTO roots VALUES ($id, $commitment), ($id, $file);",
                ("$name", name), ("$commitment", commitment.ToString()), ("$file", file.ToString()), ("$id", version));
            update.ExecuteNonQuery();
        }
    }

    /// <summary>A table that was read of a version has a root of its own: what learns from that table learns from the version.</summary>
    /// <param name="name">The version's name.</param>
    /// <param name="root">The root of the table's commitment.</param>
    /// <returns>False when no version of that name holds rows of subjects.</returns>
    public bool Known(string name, Digest root)
    {
        lock (_gate)
        {
            using var insert = Command("INSERT OR IGNORE INTO roots SELECT id, $root FROM versions WHERE version = $name", ("$name", name), ("$root", root.ToString()));
            insert.ExecuteNonQuery();
            using var count = Command("SELECT count(*) FROM versions WHERE version = $name", ("$name", name));
            return (long)count.ExecuteScalar()! > 0;
        }
    }

    /// <summary>The version never came to be: no file of it exists.</summary>
    /// <param name="version">What <see cref="BeginVersion"/> returned.</param>
    public void Abandon(long version)
    {
        lock (_gate)
        {
            using var delete = Command("DELETE FROM reach WHERE version = $id; DELETE FROM roots WHERE version = $id; DELETE FROM versions WHERE id = $id;", ("$id", version));
            delete.ExecuteNonQuery();
        }
    }

    /// <summary>The versions of datasets that hold rows of a subject.</summary>
    /// <param name="subject">The subject's id.</param>
    /// <returns>Empty also when the subject has no key.</returns>
    public IReadOnlyList<ReachedVersion> ReachedBy(string subject)
    {
        lock (_gate)
        {
            using var find = Command("SELECT token FROM subjects WHERE lookup = $lookup", ("$lookup", Lookup(subject)));
            return find.ExecuteScalar() is byte[] token ? Reached(token) : [];
        }
    }

    private List<ReachedVersion> Reached(byte[] token)
    {
        using var read = Command("SELECT dataset, v.version, commitment, file, begun, (SELECT group_concat(root) FROM roots WHERE version = v.id) FROM reach r JOIN versions v ON v.id = r.version WHERE r.token = $token ORDER BY v.id", ("$token", token));
        using var rows = read.ExecuteReader();
        var reached = new List<ReachedVersion>();
        while (rows.Read())
        {
            reached.Add(new(
                rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.IsDBNull(2) ? null : Digest.Parse(rows.GetString(2)),
                rows.IsDBNull(3) ? null : Digest.Parse(rows.GetString(3)), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(4)),
                rows.IsDBNull(5) ? [] : [.. rows.GetString(5).Split(',').Select(Digest.Parse)]));
        }

        return reached;
    }
}
