namespace Bulwark.Data;

/// <summary>Writes one file of a protected dataset from slices of rows; at most one row group waits in memory.</summary>
internal sealed class PartWriter : IDisposable
{
    private readonly HashingStream _stream;
    private readonly ParquetWriter _writer;
    private readonly ParquetEncryption _encryption;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly List<ProtectedRowGroup> _groups = [];
    private readonly List<Table> _waiting = [];
    private readonly int _rowsPerGroup;
    private readonly bool _plain;

    /// <param name="destination">Where; left open.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="encryption">Their keys; disposed with this.</param>
    /// <param name="manifest">What the file says of itself.</param>
    /// <param name="rowsPerGroup">Rows of a row group.</param>
    /// <param name="plain">Whether some columns stay plain, so that the manifest must hold the row groups' digests.</param>
    /// <param name="hashed">False only where writing itself is measured.</param>
    internal PartWriter(Stream destination, IReadOnlyList<ColumnShape> columns, ParquetEncryption encryption, ProtectionManifest manifest, int rowsPerGroup, bool plain = false, bool hashed = true)
    {
        (_encryption, _rowsPerGroup, _plain, Manifest) = (encryption, rowsPerGroup, plain, manifest);
        _stream = new HashingStream(destination, hashed);
        _writer = new ParquetWriter(_stream, columns, encryption.Properties, _metadata);
    }

    internal ProtectionManifest Manifest { get; }

    internal IReadOnlyDictionary<string, KeyMaterial> ExternalKeys => _encryption.External;

    /// <summary>What blinds the dataset's commitment, for this file's manifest.</summary>
    internal string Sealed(DatasetBlinding blinding) => blinding.Seal(_encryption.FooterKey, Manifest.AadPrefix);

    /// <summary>Rows taken, written or waiting.</summary>
    internal long Rows { get; private set; }

    /// <summary>Rows that wait for their group to fill.</summary>
    internal int Waiting { get; private set; }

    internal void Add(Table rows, CancellationToken cancel)
    {
        for (var start = 0; start < rows.Rows;)
        {
            var take = Math.Min(rows.Rows - start, _rowsPerGroup - Waiting);
            _waiting.Add(Tables.Slice(rows, start, take));
            (start, Waiting, Rows) = (start + take, Waiting + take, Rows + take);
            if (Waiting == _rowsPerGroup)
                Flush(cancel);
        }
    }

    /// <summary>Writes the rows that wait as a row group.</summary>
    internal void Flush(CancellationToken cancel)
    {
        if (Waiting == 0)
            return;
        _stream.Mark();
        _writer.WriteGroup(_waiting, cancel);
        var (offset, bytes, digest) = _stream.TakePiece();
        _groups.Add(new(Waiting, offset, bytes, digest));
        _waiting.Clear();
        Waiting = 0;
    }

    /// <summary>Ends the file.</summary>
    internal ProtectedPart Close(ProtectionManifest manifest, string? partition, CancellationToken cancel)
    {
        Flush(cancel);
        _metadata[ProtectionManifest.MetadataKey] = (_plain ? manifest with { RowGroups = _groups } : manifest).ToJson();
        _writer.Close();
        return new(manifest.Part, Rows, _stream.Position, _stream.TakeWhole(), _groups, partition);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _encryption.Dispose();
        _stream.Dispose();
    }
}
