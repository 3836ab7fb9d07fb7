using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>A protected file, or a folder of them under its manifest, whose own key was found and whose identity was checked.</summary>
internal sealed class ProtectedDataset : IDisposable
{
    private readonly KeyCache _store;   // parts share their key-encryption keys
    private readonly DatasetManifest? _folder;
    private readonly string _path;
    private ProtectedParquetFile? _first;

    /// <inheritdoc cref="ProtectedParquetFile(string, IKeyProvider, string?, string?)"/>
    internal ProtectedDataset(string path, IKeyProvider store, string? expectedDataset)
    {
        (_path, _store) = (path, new KeyCache(store));
        if (Directory.Exists(path))
        {
            _folder = DatasetManifest.Read(path);
            Blinding = Require(_folder, _store);
            if (expectedDataset is not null && expectedDataset != _folder.Dataset && expectedDataset != $"{_folder.Dataset}/{_folder.Version}" && expectedDataset != $"{_folder.Dataset}/{_folder.Commitment}")
                throw new CryptographicException($"{Path.GetFileName(Path.GetFullPath(path))} holds dataset {_folder.Dataset}/{_folder.Version}, not {expectedDataset}.");
            (Name, Version, Commitment, Exact, All, Rows) = (_folder.Dataset, _folder.Version, _folder.Commitment, _folder.Exact, _folder.Columns, _folder.Rows);
        }
        else
        {
            _first = new ProtectedParquetFile(path, _store, expectedDataset);
            var manifest = _first.Manifest;
            Blinding = _first.OpenBlinding();
            (Name, Version, Commitment, Exact, All, Rows) = (manifest.Dataset, manifest.Version, manifest.Commitment, manifest.Exact, manifest.Columns, _first.Rows);
        }
    }

    internal string FileName => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_path)));

    internal string Name { get; }

    internal string Version { get; }

    internal Digest? Commitment { get; }

    /// <summary>What blinds the commitment; null where it was not kept.</summary>
    internal DatasetBlinding? Blinding { get; }

    internal bool Exact { get; }

    /// <summary>Every column before protection.</summary>
    internal IReadOnlyList<ProtectedColumn> All { get; }

    /// <summary>The columns that can be read, by how they are protected.</summary>
    internal IEnumerable<ProtectedColumn> Columns => All.Where(column => column.Action != ProtectionAction.Drop);

    internal ColumnShape? PartitionBy => _folder?.PartitionBy;

    internal int Parts => _folder?.Parts.Count ?? 1;

    internal long Rows { get; }

    /// <summary>The value of the partition column in a part.</summary>
    internal string? PartitionOf(int part) => _folder?.Parts[part].Partition;

    /// <summary>Opens a part; the caller disposes it.</summary>
    /// <inheritdoc cref="ProtectedParquetFile(string, IKeyProvider, string?, string?)" path="/exception"/>
    internal ProtectedParquetFile Open(int part)
    {
        if (_folder is null)
        {
            (var first, _first) = (_first, null);
            return first ?? new ProtectedParquetFile(_path, _store, $"{Name}/{Version}");
        }

        var stated = _folder.Parts[part];
        var path = Path.Combine(_path, stated.Path);
        if (!File.Exists(path))
            throw new CryptographicException($"{FileName} was changed: its part {stated.Path} is missing.");
        var file = new ProtectedParquetFile(path, _store, null, $"{Name}/{Version}/{stated.Path}");
        if (file.Rows == stated.Rows)
            return file;
        file.Dispose();
        throw new CryptographicException($"{FileName} was changed: its part {stated.Path} has other rows than its manifest says.");
    }

    /// <exception cref="ArgumentException">The dataset never had such a column.</exception>
    internal ProtectedColumn Find(string name) => All.FirstOrDefault(column => column.Name == name)
        ?? throw new ArgumentException($"Dataset {Name}/{Version} has no column '{name}'. The columns are: {string.Join(", ", All.Select(column => column.Name))}.");

    public void Dispose()
    {
        _first?.Dispose();
        Blinding?.Dispose();
        _store.Dispose();
    }

    /// <summary>Checks the manifest's seal with the key that it names, and its tree; gives what blinds its commitment.</summary>
    internal static DatasetBlinding? Require(DatasetManifest manifest, IKeyProvider store)
    {
        using var keys = new DataKeyReader(store, $"{manifest.Dataset}/{manifest.Version}");
        var material = KeyMaterial.Parse(manifest.Key);
        using var key = keys.Open(material, material, "The dataset's manifest");
        manifest.Require(key);
        if (RowGroupTree.Root($"{manifest.Dataset}/{manifest.Version}", manifest.Parts) != manifest.RowGroups)
            throw new CryptographicException($"{DatasetManifest.FileName} was changed: its row groups have another root.");
        return manifest.OpenBlinding(key);
    }
}
