using System.Text.Json;
using Bulwark.Data;
using DuckDB.NET.Data;

namespace Bulwark.Queries;

/// <summary>The answer of a DuckDB query as a table that passes in batches. The database is opened read-only; without one, the query reads files.</summary>
/// <remarks>
/// DuckDB streams its answer, so a large one is never whole in memory. Numbers, texts, booleans (0 and 1), dates and timestamps become columns;
/// what has no table column (lists, structs, blobs) is refused by name. 64-bit integers and decimals beyond 15 digits do not fit numbers
/// exactly: cast them to text in the query. Rows have the order that the query gives them: without ORDER BY, any.
/// The query loads no extension, changes no setting and writes no file, and over a database it reads nothing else. Nothing spills to disk,
/// where values would stand in the clear: a sort or a join that does not fit memory fails.
/// </remarks>
public sealed class DuckDbQuery : ITableSource
{
    private readonly DuckDBConnection _connection;
    private readonly DuckDBCommand _command;
    private readonly DuckDBDataReader _reader;
    private readonly Cell[] _cells;

    /// <param name="sql">One SELECT.</param>
    /// <param name="database">A DuckDB file; null for an empty database in memory.</param>
    /// <exception cref="TableFormatException">It is not one SELECT, DuckDB refuses it, or a column of the answer has no table column.</exception>
    public DuckDbQuery(string sql, string? database = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sql);
        _connection = new DuckDBConnection(database is null ? "DataSource=:memory:" : new DuckDBConnectionStringBuilder { DataSource = database, ["access_mode"] = "READ_ONLY" }.ToString());
        try
        {
            _connection.Open();
            Tree(_connection, sql).Dispose();
            Lock(files: database is null);
            _command = _connection.CreateCommand();
            _command.CommandText = sql;
            _command.UseStreamingMode = true;
            _reader = _command.ExecuteReader();
            _cells = [.. Enumerable.Range(0, _reader.FieldCount).Select(field => Cell.Of(_reader, field))];
            if (_cells.Select(cell => cell.Shape.Name).Distinct(StringComparer.Ordinal).Count() != _cells.Length)
                throw new TableFormatException("Two columns of the query's answer have one name: name them apart with AS.");
        }
        catch (Exception fault)
        {
            Dispose();
            throw fault is DuckDBException ? new TableFormatException($"DuckDB: {fault.Message}", 0, null, fault) : fault;
        }
    }

    /// <inheritdoc/>
    public string Name => "query";

    /// <inheritdoc/>
    public IReadOnlyList<ColumnShape> Columns => [.. _cells.Select(cell => cell.Shape)];

    /// <summary>0: how long an answer is shows at its end.</summary>
    public double Fraction => 0;

    /// <inheritdoc/>
    public IEnumerable<Table> Batches(CancellationToken cancel)
    {
        var rows = TableSource.BatchRows(_cells.Length);
        for (var read = 0; ;)
        {
            if (!Next())
            {
                if (read > 0)
                    yield return Take();
                yield break;
            }

            if (++read < rows)
                continue;
            cancel.ThrowIfCancellationRequested();
            yield return Take();
            read = 0;
        }

        Table Take() => new(_cells.Select(cell => cell.Take()));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader?.Dispose();
        _command?.Dispose();
        _connection.Dispose();
    }

    /// <summary>The files that a query over files reads, as DuckDB's parser and its patterns see them; a path that is computed is not found.</summary>
    /// <param name="sql">One SELECT.</param>
    /// <exception cref="TableFormatException">It is not one SELECT.</exception>
    public static IReadOnlyList<string> FilesOf(string sql)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(sql);
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var tree = Tree(connection, sql);
        var names = new HashSet<string>(StringComparer.Ordinal);
        QueriedFiles.Find(tree.RootElement, names);
        var files = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            using var glob = connection.CreateCommand();
            glob.CommandText = "SELECT file FROM glob($name)";
            glob.Parameters.Add(new DuckDBParameter("name", name));
            using var found = glob.ExecuteReader();
            while (found.Read())
                files.Add(Path.GetFullPath(found.GetString(0)));
        }

        return [.. files];
    }

    /// <summary>As DuckDB's own parser sees it, which writes trees of SELECT statements only.</summary>
    private static JsonDocument Tree(DuckDBConnection connection, string sql)
    {
        using var parse = connection.CreateCommand();
        parse.CommandText = "SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR";
        parse.Parameters.Add(new DuckDBParameter("sql", sql));
        var tree = JsonDocument.Parse((string)parse.ExecuteScalar()!, new() { MaxDepth = 2000 });
        if (tree.RootElement.GetProperty("error").GetBoolean())
            throw new TableFormatException($"The query must be one SELECT. DuckDB: {tree.RootElement.GetProperty("error_message").GetString()}");
        return tree.RootElement.GetProperty("statements").GetArrayLength() == 1 ? tree : throw new TableFormatException("The query must be one SELECT.");
    }

    private void Lock(bool files)
    {
        using var settings = _connection.CreateCommand();
        settings.CommandText = $"SET temp_directory=''; SET autoinstall_known_extensions=false; SET autoload_known_extensions=false; {(files ? "" : "SET enable_external_access=false; ")}SET lock_configuration=true;";
        settings.ExecuteNonQuery();
    }

    private bool Next()
    {
        try
        {
            if (!_reader.Read())
                return false;
            foreach (var cell in _cells)
                cell.Add(_reader);
            return true;
        }
        catch (DuckDBException fault)
        {
            throw new TableFormatException($"DuckDB: {fault.Message}", 0, null, fault);
        }
    }
}
