using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What one dataset is protected with: its identity, its plan by column, its keys and the steps that rows pass.</summary>
internal sealed class ProtectionJob : IDisposable
{
    private readonly ProtectionPolicy _policy;
    private readonly DataKeyWriter _keys;
    private readonly FieldProtection _fields;

    internal ProtectionJob(ProtectionPolicy policy, IReadOnlyList<ColumnShape> columns, KeyRing keys, ProtectionOptions options)
    {
        (_policy, Options) = (policy, options);
        Version = Guid.CreateVersion7().ToString("N");
        Plan = [.. columns.Select(column => Planned(column, keys)), .. FieldTransforms.Added(columns, policy, keys)];
        Prepare(options.FooterKey, keys);
        _keys = new DataKeyWriter(options.Store ?? keys, options.DoubleWrapping);
        _fields = FieldTransforms.Protecting(Plan, policy, keys, options.Subjects);
    }

    internal ProtectionOptions Options { get; }

    internal string Version { get; }

    internal string Dataset => $"{_policy.Dataset}/{Version}";

    /// <summary>Every column of the source, in order, and what is done with it; then the columns that are added.</summary>
    internal IReadOnlyList<ProtectedColumn> Plan { get; }

    /// <summary>The rows as the files are to hold them.</summary>
    internal Table Apply(Table batch, long firstRow) => _fields.Apply(batch, firstRow);

    /// <inheritdoc cref="FieldProtection.Finish"/>
    internal IReadOnlyList<string> Finish() => _fields.Finish();

    /// <summary>The dataset is written, and whose rows it holds is known.</summary>
    internal void Written(ProtectionReport report) => _fields.Written(Version, report.Commitment, report.File);

    /// <inheritdoc cref="FieldProtection.Abandon"/>
    internal void Abandon() => _fields.Abandon();

    internal ProtectionManifest Manifest(string part) => new()
    {
        Format = ProtectionManifest.FormatName,
        Dataset = _policy.Dataset,
        Version = Version,
        Part = part,
        Policy = _policy.Digest(),
        Columns = Plan,
    };

    /// <summary>Begins a file; its data keys are its own.</summary>
    internal PartWriter Begin(Stream destination, string part, IReadOnlyList<ColumnShape> columns, bool external, bool hashed = true)
    {
        var manifest = Manifest(part);
        var encryption = ParquetEncryption.Create(columns.Select(column => column.Name), manifest, MasterOf, Options, external, _keys);
        try
        {
            return new PartWriter(destination, columns, encryption, manifest with { Columns = WithVersions() }, Options.RowsPerGroup, Options.PlainColumns || Options.PlaintextFooter, hashed);
        }
        catch
        {
            encryption.Dispose();
            throw;
        }
    }

    /// <summary>A key that authenticates what lies beside the files, wrapped like a footer's.</summary>
    internal (SecretBytes Key, KeyMaterial Material) SealingKey() => _keys.New(Options.FooterKey, true, $"{Dataset} manifest");

    public void Dispose()
    {
        _keys.Dispose();
        _fields.Dispose();
    }

    /// <summary>The plan with the versions of the master keys that wrapped, once they did.</summary>
    internal IReadOnlyList<ProtectedColumn> WithVersions() =>
        [.. Plan.Select(column => column.Action == ProtectionAction.Encrypt ? column with { Key = _keys.VersionOf(MasterOf(column.Name)) ?? column.Key } : column)];

    private KeyUri MasterOf(string column) => KeyUri.Parse(_policy.KeyFor(column));

    private ProtectedColumn Planned(ColumnShape shape, KeyRing keys)
    {
        var (column, protection) = (shape.Name, _policy.For(shape.Name));
        if (protection.ReplacesValues)
            return FieldTransforms.Planned(column, shape, protection, _policy, keys);
        if (protection.Action is ProtectionAction.Keep or ProtectionAction.Drop)
            return new(column, protection.Action, null);
        var key = MasterOf(column);
        Prepare(key, keys);
        return new(column, protection.Action, key);   // its version is known when it has wrapped
    }

    /// <summary>Makes a key of the key ring that the store does not have.</summary>
    private void Prepare(KeyUri key, KeyRing keys)
    {
        if (key.Scheme != KeyUri.FileScheme)
            return;
        try
        {
            (Options.Store ?? keys).DescribeAsync(key).AsTask().GetAwaiter().GetResult();
        }
        catch (InvalidOperationException)
        {
            keys.GetOrCreateSymmetric(key.Path);
        }
    }
}
