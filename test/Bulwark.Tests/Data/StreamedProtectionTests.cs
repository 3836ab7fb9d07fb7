using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class StreamedProtectionTests : IDisposable
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 120, Terminals = 240, Days = 60, Seed = 5 });

    private static readonly ProtectionPolicy Policy = ProtectionPolicy.Parse("""
        {"format":"data-policy/v1","dataset":"payments","otherwise":"keep","columns":{
          "ssn":{"action":"encrypt"},"name":{"action":"encrypt"},"card_number":{"action":"tokenise"},"email":{"action":"hash"}}}
        """);

    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;

    public StreamedProtectionTests() => _keys = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<ProtectionReport> Protect(string name, ProtectionOptions? options = null, Table? table = null)
    {
        using var source = TableSource.Of(table ?? Payments);
        return await DataProtection.ProtectAsync(source, Policy, _keys, _folder[name], options, cancel: Cancel);
    }

    private async Task<Table> Reveal(string name, params string[] columns) => (await DataProtection.RevealAsync(_folder[name], columns, _keys, cancel: Cancel)).Table!;

    private static IEnumerable<string?> Texts(Column column) => Enumerable.Range(0, column.Rows).Select(column.Text);

    [Theory]
    [InlineData("t.csv")]
    [InlineData("t.parquet")]
    public async Task A_file_read_in_batches_is_the_file_read_whole(string name)
    {
        await TableFile.WriteAsync(Payments, _folder[name], cancel: Cancel);
        var whole = await TableFile.ReadAsync(_folder[name], cancel: Cancel);
        using var source = TableSource.Open(_folder[name], cancel: Cancel);
        Assert.Equal(whole.Columns.Select(column => (column.Name, column.Kind)), source.Columns.Select(column => (column.Name, column.Kind)));
        var commitment = new CommitmentBuilder();
        foreach (var batch in source.Batches(Cancel))
        {
            Assert.True(batch.Rows % DatasetCommitment.BlockRows == 0 || commitment.Rows + batch.Rows == whole.Rows);
            commitment.Add(batch);
        }

        Assert.Equal(whole.Rows, commitment.Rows);
        Assert.Equal(DatasetCommitment.Of(whole, cancel: Cancel).Root, commitment.Root([]));
    }

    [Fact]
    public void A_column_that_stops_being_a_number_in_its_last_row_is_text_from_its_first()
    {
        using var source = TableSource.Open(_folder.Write("t.csv", "a,b,c\n1.50,1,2024-01-01\n" + string.Concat(Enumerable.Repeat("2,2,\n", 5000)) + "x,2.5,2024-01-02\n"), cancel: Cancel);
        Assert.Equal([new("a", ColumnKind.Text), new("b", ColumnKind.Number), new("c", ColumnKind.Time)], source.Columns);
        Assert.Equal("1.50", source.Batches(Cancel).First()["a"].Text(0));
    }

    [Fact]
    public void A_value_against_a_declared_kind_names_its_line()
    {
        var fault = Assert.Throws<TableFormatException>(() => TableSource.Open(
            _folder.Write("t.csv", "a\n1\nx\n"), new() { Kinds = new Dictionary<string, ColumnKind> { ["a"] = ColumnKind.Number } }, Cancel));
        Assert.Equal(3, fault.Line);
    }

    [Fact]
    public void A_sample_is_spaced_over_all_rows()
    {
        using var source = TableSource.Of(new Table([new NumberColumn("x", [.. Enumerable.Range(0, 200_000).Select(i => (double)i)])]));
        var sample = TableSource.Sample(source, 100, cancel: Cancel).Numbers("x");
        Assert.InRange(sample.Length, 100, 200);
        Assert.Single(sample.Zip(sample.Skip(1), (a, b) => b - a).Distinct());
        Assert.True(sample[^1] > 190_000);
    }

    [Fact]
    public async Task Parts_read_in_order_are_the_rows_that_were_committed_to()
    {
        var report = await Protect("parts", new() { RowsPerFile = 5000, RowsPerGroup = 2000 });
        Assert.Equal((Payments.Rows + 4999) / 5000, report.Parts.Count);
        Assert.All(report.Parts.SkipLast(1), part => Assert.Equal(5000, part.Rows));
        Assert.Equal([2000, 2000, 1000], report.Parts[0].RowGroups.Select(group => group.Rows));
        var revealed = await Reveal("parts", "ssn", "card_number", "amount", "time");
        Assert.All(revealed.Columns, column => Assert.Equal(Texts(Payments[column.Name]), Texts(column)));
        var open = await TableFile.ReadAsync(_folder["parts"], new() { Keys = _keys, Columns = ["amount", "time"] }, cancel: Cancel);
        Assert.Equal(Payments.Numbers("amount"), open.Numbers("amount"));
        await DataProtection.VerifyFilesAsync(_folder["parts"], _keys, Cancel);
        Assert.Null((await DataProtection.VerifyAsync(_folder["parts"], _keys, cancel: Cancel)).CommitmentHolds);   // the hashed column
    }

    [Fact]
    public async Task Partitions_have_their_value_in_the_folder_and_give_it_back()
    {
        var report = await Protect("parts", new() { PartitionBy = "fraud_scenario" });
        Assert.All(report.Parts, part => Assert.StartsWith($"fraud_scenario={part.Partition}/part-", part.Path));
        var table = await Reveal("parts", "fraud_scenario", "transaction_id", "name");
        Assert.Equal(Payments.Rows, table.Rows);
        var expected = Payments.Numbers("transaction_id").Zip(Payments.Numbers("fraud_scenario"), Texts(Payments["name"])).ToHashSet();
        Assert.Equal(expected, table.Numbers("transaction_id").Zip(table.Numbers("fraud_scenario"), Texts(table["name"])).ToHashSet());
    }

    [Theory]
    [InlineData("ssn", "folders' names would show")]
    [InlineData("transaction_id", "more than 512")]
    [InlineData("nothing", "no column 'nothing'")]
    public async Task A_column_that_cannot_make_folders_is_refused_and_nothing_is_left(string column, string why)
    {
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => Protect("parts", new() { PartitionBy = column }));
        Assert.Contains(why, fault.Message);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder.Path), path => path.Contains("parts"));
    }

    [Theory]
    [InlineData("""{"column":"name*","action":"encrypt"}""")]
    [InlineData("""{"tag":"person","action":"encrypt"}""")]
    [InlineData("""{"tag":"person","action":"drop"}""")]
    public async Task A_column_that_a_rule_hides_names_no_folder(string rule)
    {
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","otherwise":"keep","tags":{"person":["na*"]},"rules":[RULE]}""".Replace("RULE", rule, StringComparison.Ordinal));
        using var source = TableSource.Of(new Table([new TextColumn("name", ["ann", "bob"]), new TextColumn("town", ["a", "b"]), new TextColumn("street", ["c", "d"])]));
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => DataProtection.ProtectAsync(source, policy, _keys, _folder["parts"], new() { PartitionBy = "name" }, cancel: Cancel));
        Assert.Contains("folders' names", fault.Message);
        Assert.False(Directory.Exists(_folder["parts"]));
    }

    [Fact]
    public async Task A_value_that_reads_as_missing_names_no_folder()
    {
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","otherwise":"keep"}""");
        using var source = TableSource.Of(new Table([new TextColumn("town", ["a", "__HIVE_DEFAULT_PARTITION__"]), new TextColumn("street", ["c", "d"])]));
        await Assert.ThrowsAsync<ArgumentException>(() => DataProtection.ProtectAsync(source, policy, _keys, _folder["parts"], new() { PartitionBy = "town" }, cancel: Cancel));
        Assert.False(Directory.Exists(_folder["parts"]));
    }

    [Fact]
    public async Task A_row_group_proves_its_place_without_a_key_and_a_changed_one_does_not()
    {
        var report = await Protect("parts", new() { RowsPerFile = 5000, RowsPerGroup = 2000 });
        var manifest = DatasetManifest.Read(_folder["parts"]);
        Assert.Equal(report.RowGroups, manifest.RowGroups);
        var (part, number) = (manifest.Parts[1], 2);
        var group = part.RowGroups[number];
        var bytes = (await File.ReadAllBytesAsync(Path.Combine(_folder["parts"], part.Path), Cancel)).AsSpan((int)group.Offset, (int)group.Bytes).ToArray();
        Assert.Equal(group.Digest, Digest.Of(bytes));
        var proof = RowGroupTree.Prove(report.Dataset, manifest.Parts, part.Path, number);
        Assert.True(proof.Verify(RowGroupTree.Leaf(report.Dataset, part.Path, number, group), report.RowGroups));
        bytes[7] ^= 1;
        Assert.False(proof.Verify(RowGroupTree.Leaf(report.Dataset, part.Path, number, group with { Digest = Digest.Of(bytes) }), report.RowGroups));
        Assert.False(proof.Verify(RowGroupTree.Leaf(report.Dataset, part.Path, 1, group), report.RowGroups));
    }

    [Fact]
    public async Task Exchanged_missing_and_strange_parts_are_refused()
    {
        await Protect("parts", new() { RowsPerFile = 8000 });
        await Protect("older", new() { RowsPerFile = 8000 });
        string Part(string folder, int number) => Path.Combine(_folder[folder], $"part-{number:00000}.parquet");
        void Swap(string from, string to)
        {
            File.Copy(from, to, overwrite: true);
            File.Copy(Path.Combine(Path.GetDirectoryName(from)!, $"_KEY_MATERIAL_FOR_{Path.GetFileName(from)}.json"), Path.Combine(Path.GetDirectoryName(to)!, $"_KEY_MATERIAL_FOR_{Path.GetFileName(to)}.json"), overwrite: true);
        }

        var first = (await File.ReadAllBytesAsync(Part("parts", 0), Cancel), await File.ReadAllBytesAsync(_folder["parts/_KEY_MATERIAL_FOR_part-00000.parquet.json"], Cancel));
        foreach (var other in new[] { Part("parts", 1), Part("older", 0) })
        {
            Swap(other, Part("parts", 0));
            await Assert.ThrowsAsync<CryptographicException>(() => Reveal("parts", "amount"));
            await Assert.ThrowsAsync<CryptographicException>(() => DataProtection.VerifyFilesAsync(_folder["parts"], _keys, Cancel));
        }

        await File.WriteAllBytesAsync(Part("parts", 0), first.Item1, Cancel);
        await File.WriteAllBytesAsync(_folder["parts/_KEY_MATERIAL_FOR_part-00000.parquet.json"], first.Item2, Cancel);
        Assert.Equal(Payments.Rows, (await Reveal("parts", "amount")).Rows);
        File.Copy(Part("older", 0), Path.Combine(_folder["parts"], "part-00009.parquet"));
        Assert.Contains("no part", (await Assert.ThrowsAsync<CryptographicException>(() => DataProtection.VerifyFilesAsync(_folder["parts"], _keys, Cancel))).Message);
        File.Delete(Part("parts", 1));
        Assert.Contains("missing", (await Assert.ThrowsAsync<CryptographicException>(() => Reveal("parts", "amount"))).Message);
    }

    [Fact]
    public async Task A_bit_of_the_manifest_or_of_the_keys_beside_the_file_changes_no_value()
    {
        await Protect("parts", new() { RowsPerFile = 100 }, Payments.Select(["amount", "ssn", "name", "card_number", "email"]).Take([0, 1, 2]));
        var expected = Texts((await Reveal("parts", "ssn"))["ssn"]).ToArray();
        foreach (var name in new[] { DatasetManifest.FileName, "_KEY_MATERIAL_FOR_part-00000.parquet.json" })
        {
            var path = Path.Combine(_folder["parts"], name);
            var bytes = await File.ReadAllBytesAsync(path, Cancel);
            for (var i = 0; i < bytes.Length; i += name == DatasetManifest.FileName ? 3 : 5)
            {
                var bad = (byte[])bytes.Clone();
                bad[i] ^= (byte)(1 << (i % 8));
                await File.WriteAllBytesAsync(path, bad, Cancel);
                try
                {
                    Assert.Equal(expected, Texts((await Reveal("parts", "ssn"))["ssn"]));
                }
                catch (Exception fault) when (fault is CryptographicException or InvalidOperationException or ArgumentException or NullReferenceException)
                {
                    Assert.IsNotType<NullReferenceException>(fault);
                }
            }

            await File.WriteAllBytesAsync(path, bytes, Cancel);
        }
    }

    [Fact]
    public async Task A_plaintext_footer_shows_kept_columns_to_everybody_and_is_signed()
    {
        await Protect("p.parquet", new() { PlaintextFooter = true });
        using (var anybody = new ParquetSharp.ParquetFileReader(_folder["p.parquet"]))
        using (var group = anybody.RowGroup(0))
        using (var column = group.Column(4).LogicalReader<double?>())
            Assert.Equal(Payments.Numbers("amount")[0], column.ReadAll(1)[0]);
        Assert.Equal(Texts(Payments["ssn"]), Texts((await Reveal("p.parquet", "ssn"))["ssn"]));
        Assert.True(DataProtection.IsProtected(_folder["p.parquet"]));
        var bytes = await File.ReadAllBytesAsync(_folder["p.parquet"], Cancel);
        foreach (var at in new[] { bytes.Length - 9, bytes.Length - 60, bytes.Length - 300 })
        {
            var bad = (byte[])bytes.Clone();
            bad[at] ^= 1;
            await File.WriteAllBytesAsync(_folder["bad.parquet"], bad, Cancel);
            await Assert.ThrowsAsync<CryptographicException>(() => Reveal("bad.parquet", "ssn"));
        }
    }

    [Fact]
    public async Task A_source_that_fails_half_way_leaves_nothing()
    {
        foreach (var (name, options) in new[] { ("p.parquet", (ProtectionOptions?)null), ("parts", new() { RowsPerFile = 1000 }) })
        {
            using var source = new Failing(Payments);
            await Assert.ThrowsAsync<IOException>(() => DataProtection.ProtectAsync(source, Policy, _keys, _folder[name], options, cancel: Cancel));
            Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder.Path), path => Path.GetFileName(path).Contains(name));
        }
    }

    [Fact]
    public async Task An_existing_folder_is_not_touched()
    {
        Directory.CreateDirectory(_folder["parts"]);
        await Assert.ThrowsAsync<IOException>(() => Protect("parts", new() { RowsPerFile = 1000 }));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["parts"]));
    }

    private sealed class Failing(Table table) : ITableSource
    {
        public string Name => "failing";

        public IReadOnlyList<ColumnShape> Columns { get; } = [.. table.Columns.Select(column => new ColumnShape(column.Name, column.Kind, column is NumberColumn { Integral: true }))];

        public double Fraction => 0;

        public IEnumerable<Table> Batches(CancellationToken cancel)
        {
            yield return table.Take([.. Enumerable.Range(0, 4096)]);
            throw new IOException("the disk is gone");
        }

        public void Dispose()
        {
        }
    }
}
