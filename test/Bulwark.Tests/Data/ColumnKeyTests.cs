using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;
using ParquetSharp;
using ParquetSharp.Encryption;

namespace Bulwark.Tests.Data;

/// <summary>The keys of protected columns: other readers, other stores, rotation.</summary>
public sealed class ColumnKeyTests : IDisposable
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 40, Terminals = 80, Days = 20, Seed = 5 });

    private static readonly ProtectionPolicy Policy = ProtectionPolicy.Parse("""
        {"format":"data-policy/v1","dataset":"payments","otherwise":"keep","columns":{"ssn":{"action":"encrypt"},"amount":{"action":"encrypt"}}}
        """);

    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;

    public ColumnKeyTests() => _keys = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task Protect(string name, ProtectionOptions options)
    {
        using var source = TableSource.Of(Payments);
        await DataProtection.ProtectAsync(source, Policy, _keys, _folder[name], options, cancel: Cancel);
    }

    private async Task<double[]> Amounts(string name) => (await DataProtection.RevealAsync(_folder[name], ["amount"], _keys, cancel: Cancel)).Table!.Numbers("amount");

    /// <summary>Apache Arrow's own key tools, the code under PyArrow, open what is written here: inside or beside the file, once or twice wrapped.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Arrows_key_tools_open_our_files(bool outside, bool twice)
    {
        await Protect("p.parquet", new() { ExternalKeys = outside, DoubleWrapping = twice });
        using var factory = new CryptoFactory(_ => new ParquetKmsClient(_keys));
        using var connection = new KmsConnectionConfig();
        using var configuration = new DecryptionConfiguration();
        using var decryption = factory.GetFileDecryptionProperties(connection, configuration, _folder["p.parquet"]);
        using var properties = ReaderProperties.GetDefaultReaderProperties();
        properties.FileDecryptionProperties = decryption;
        using (var file = new ParquetFileReader(_folder["p.parquet"], properties))
        using (var group = file.RowGroup(0))
        using (var column = group.Column(4).LogicalReader<double?>())
            Assert.Equal(Payments.Numbers("amount"), column.ReadAll(Payments.Rows).Select(value => value!.Value));
        GC.KeepAlive(factory);
    }

    /// <summary>And the other way: a file that Arrow's key tools wrote opens with ours.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Our_key_tools_open_Arrows_files(bool outside)
    {
        _keys.CreateSymmetric("footer");
        _keys.CreateSymmetric("x");
        var path = _folder["a.parquet"];
        using (var factory = new CryptoFactory(_ => new ParquetKmsClient(_keys)))
        using (var connection = new KmsConnectionConfig())
        using (var configuration = new EncryptionConfiguration("footer") { ColumnKeys = new Dictionary<string, IReadOnlyList<string>> { ["x"] = ["x"] }, DataKeyLengthBits = 256, InternalKeyMaterial = !outside })
        using (var encryption = factory.GetFileEncryptionProperties(connection, configuration, path))
        using (var builder = new WriterPropertiesBuilder())
        using (var properties = builder.Encryption(encryption).Build())
        using (var file = new ParquetFileWriter(path, [new Column<long>("x")], properties))
        {
            using (var group = file.AppendRowGroup())
            using (var column = group.NextColumn().LogicalWriter<long>())
                column.WriteBatch([4, 5, 6]);
            file.Close();
        }

        var client = new ParquetKmsClient(_keys);
        using var opened = new EncryptedParquetFile(path, ParquetKeys.ByKeyTools((wrapped, master) => SecretBytes.CopyOf(client.UnwrapKey(wrapped, master))));
        Assert.Equal(new long[] { 4, 5, 6 }, opened.Read(0).Values);
    }

    [Fact]
    public async Task A_rotation_replaces_wrapped_keys_and_no_byte_of_data()
    {
        await Protect("parts", new() { RowsPerFile = 1000 });
        var before = Directory.GetFiles(_folder["parts"], "*.parquet").ToDictionary(path => path, File.ReadAllBytes);
        foreach (var key in new[] { "data/footer", "data/amount", "data/ssn" })
            await _keys.RotateAsync(KeyUri.Parse(key), Cancel);
        var job = new ParquetKeyFiles(_keys);
        var files = Directory.GetFiles(_folder["parts"]).Where(ParquetKeyFiles.IsMatch).ToArray();
        Assert.Equal(before.Count + 1, files.Length);
        foreach (var expected in new[] { RewrapOutcome.Rewrapped, RewrapOutcome.Newest })
        {
            foreach (var file in files)
                Assert.Equal(expected, (await job.RewrapAsync(file, Cancel)).Outcome);
        }

        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllBytes(file.Key)));
        foreach (var key in new[] { "data/footer@1", "data/amount@1" })
            _keys.Destroy(KeyId.Parse(key));
        Assert.Equal(Payments.Numbers("amount"), await Amounts("parts"));
        await DataProtection.VerifyFilesAsync(_folder["parts"], _keys, Cancel);
    }

    [Fact]
    public async Task A_changed_manifest_is_not_rewrapped()
    {
        await Protect("parts", new() { RowsPerFile = 1000 });
        var path = Path.Combine(_folder["parts"], DatasetManifest.FileName);
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Cancel)).Replace("\"rows\":1000", "\"rows\":1001", StringComparison.Ordinal), Cancel);
        await _keys.RotateAsync(KeyUri.Parse("data/footer"), Cancel);
        Assert.Equal(RewrapOutcome.Failed, (await new ParquetKeyFiles(_keys).RewrapAsync(path, Cancel)).Outcome);
        await Assert.ThrowsAsync<CryptographicException>(() => Amounts("parts"));
    }

    [Fact]
    public async Task Keys_beside_a_file_that_are_gone_are_named_and_an_existing_file_is_not_replaced()
    {
        await Protect("p.parquet", new() { ExternalKeys = true });
        await Assert.ThrowsAsync<IOException>(() => Protect("p.parquet", new() { ExternalKeys = true }));
        File.Delete(_folder["_KEY_MATERIAL_FOR_p.parquet.json"]);
        Assert.Contains("does not decrypt", (await Assert.ThrowsAsync<CryptographicException>(() => Amounts("p.parquet"))).Message);
    }

    [Fact]
    public async Task Master_keys_may_be_in_another_store()
    {
        using var other = KeyRing.Create(_folder["other.json"], KeyRingUnlock.KeyFile(_folder["other.key"]));
        foreach (var key in new[] { "data/footer", "data/amount", "data/ssn" })
            other.CreateSymmetric(key);
        await Protect("p.parquet", new() { Store = other });
        await Assert.ThrowsAsync<InvalidOperationException>(() => Amounts("p.parquet"));
        using var source = DataProtection.OpenColumns(_folder["p.parquet"], ["amount"], _keys, store: other);
        Assert.Equal(Payments.Numbers("amount"), source.Batches(Cancel).SelectMany(batch => batch.Numbers("amount")));
    }
}
