using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Fuzz.Targets;

/// <summary>The manifest of a protected folder: what is read is written back the same.</summary>
internal sealed class DatasetManifestTarget : IFuzzTarget
{
    public string Name => "dataset-manifest";

    public IEnumerable<byte[]> Seeds() => [new DatasetManifest
    {
        Format = DatasetManifest.FormatName,
        Dataset = "payments",
        Version = "01a2076d3ec6773185429657db8d64e5",
        Policy = Digest.Of("p"u8),
        Commitment = Digest.Of("c"u8),
        Rows = 5,
        Exact = true,
        PartitionBy = new("country", ColumnKind.Text),
        Columns = [new("ssn", ProtectionAction.Encrypt, KeyUri.Parse("data/ssn@1")), new("country", ProtectionAction.Keep, null)],
        Parts = [new("country=DE/part-00000.parquet", 5, 1000, Digest.Of("f"u8), [new(5, 4, 900, Digest.Of("g"u8))], "DE")],
        RowGroups = Digest.Of("r"u8),
        Key = "{}",
        Mac = new byte[32],
    }.ToBytes()];

    public void Run(ReadOnlySpan<byte> input)
    {
        var written = DatasetManifest.Parse(input).ToBytes();
        if (!DatasetManifest.Parse(written).ToBytes().AsSpan().SequenceEqual(written))
            throw new NotSupportedException("A manifest does not come back as it was written.");
    }

    public bool IsRefusal(Exception failure) => failure is FormatException;
}

/// <summary>Key material of Parquet's key tools, beside a file and inside it, and the texts in it that name stores.</summary>
internal sealed class ParquetKeysTarget : IFuzzTarget
{
    public string Name => "parquet-keys";

    public IEnumerable<byte[]> Seeds()
    {
        var twice = new KeyMaterial { IsFooter = true, InstanceId = "DEFAULT", InstanceUrl = "DEFAULT", MasterKey = "data/footer", WrappedDek = Convert.ToBase64String(new byte[60]), KekId = new byte[16], WrappedKek = $"file:data/footer@1 {Convert.ToBase64String(new byte[60])}" };
        var vault = new KeyMaterial { IsFooter = true, InstanceId = "transit", InstanceUrl = "https://vault:8200", MasterKey = "kek", WrappedDek = "vault:v3:AAAA" };
        return [KeyMaterialFile.Write(new Dictionary<string, KeyMaterial> { ["footerKey"] = twice, ["columnKey0"] = vault }), .. new[] { twice.ToJson(true), vault.ToJson(true), KeyMaterialFile.Reference("footerKey") }.Select(System.Text.Encoding.UTF8.GetBytes)];
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var text = System.Text.Encoding.UTF8.GetString(input);
        if (text.Contains("internalStorage", StringComparison.Ordinal))
        {
            if (KeyMaterialFile.ReferenceIn(text) is null)
                Use(KeyMaterial.Parse(text));
            return;
        }

        foreach (var material in KeyMaterialFile.Parse(input.ToArray()).Values)
            Use(material);
    }

    public bool IsRefusal(Exception failure) => failure is FormatException or CryptographicException;

    private static void Use(KeyMaterial material)
    {
        if (KeyMaterial.Parse(material.ToJson(true)).ToJson(true) != material.ToJson(true))
            throw new NotSupportedException("Key material does not come back as it was written.");
        DataKeyReader.Wrapped(material, material);
    }
}

/// <summary>Whole protected files: encrypted footer, signed footer. Whatever opens gives the rows that were written.</summary>
internal sealed class ProtectedParquetTarget : IFuzzTarget, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fuzz-parquet").FullName;
    private readonly KeyRing _keys;

    public ProtectedParquetTarget() => _keys = KeyRing.Create(Path.Combine(_folder, "ring.json"), KeyRingUnlock.KeyFile(Path.Combine(_folder, "ring.key")));

    public string Name => "protected-parquet";

    public IEnumerable<byte[]> Seeds()
    {
        foreach (var plaintext in new[] { false, true })
        {
            var path = Path.Combine(_folder, $"seed{plaintext}.parquet");
            var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"x":{"action":"encrypt"}}}""");
            using var source = TableSource.Of(new Table([new NumberColumn("x", [1, 2, 3]), new TextColumn("t", ["a", null, "c"])]));
            DataProtection.ProtectAsync(source, policy, _keys, path, new() { PlaintextFooter = plaintext }).GetAwaiter().GetResult();
            yield return File.ReadAllBytes(path);
        }
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        var path = Path.Combine(_folder, "input.parquet");
        File.WriteAllBytes(path, input);
        using var source = DataProtection.OpenColumns(path, ["x"], _keys);
        var rows = source.Batches(CancellationToken.None).SelectMany(batch => batch.Numbers("x")).ToArray();
        if (source.Columns.Count == 1 && !rows.AsSpan().SequenceEqual([1, 2, 3]))
            throw new NotSupportedException("A changed file gave other rows.");
    }

    public bool IsRefusal(Exception failure) => failure is CryptographicException or InvalidOperationException or ArgumentException;

    public void Dispose()
    {
        _keys.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Plain Parquet files of strangers, which the native reader takes apart.</summary>
internal sealed class ParquetTableTarget : IFuzzTarget
{
    private readonly string _path = Path.GetTempFileName();

    public string Name => "parquet-table";

    public IEnumerable<byte[]> Seeds()
    {
        var path = Path.ChangeExtension(_path, ".parquet");
        TableFile.WriteAsync(new Table([new NumberColumn("n", [1, 2, 3], true), new NumberColumn("x", [1.5, double.NaN, 3]), new TextColumn("t", ["a", null, "c"]), new TimeColumn("at", [0, 1, 2])]), path).GetAwaiter().GetResult();
        yield return File.ReadAllBytes(path);
        File.Delete(path);
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_path, input);
        TableFile.ReadAsync(_path).GetAwaiter().GetResult();
    }

    public bool IsRefusal(Exception failure) => failure is FormatException or InvalidOperationException;
}
