using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class DataProtectionTests : IDisposable
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 60, Terminals = 120, Days = 20, Seed = 11 });

    private const string PolicyJson = """
        {
          // everything that is not named stays
          "format": "data-policy/v1", "dataset": "payments", "otherwise": "keep",
          "columns": {
            "ssn": { "action": "encrypt" },
            "email": { "action": "hash" },
            "name": { "action": "encrypt", "key": "people" },
            "medical_history": { "action": "encrypt" },
            "card_number": { "action": "tokenise" },
            "fraud_scenario": { "action": "drop" },
          }
        }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;
    private ProtectionReport? _report;

    public DataProtectionTests() => _keys = NewRing("ring.json");

    public void Dispose()
    {
        _keys.Dispose();
        _folder.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private KeyRing NewRing(string name) => KeyRing.Create(_folder[name], KeyRingUnlock.KeyFile(_folder[name + ".key"]));

    private async Task<string> Protect(Table? table = null, string name = "p.parquet", KeyRing? keys = null)
    {
        _report = await DataProtection.ProtectAsync(table ?? Payments, ProtectionPolicy.Parse(PolicyJson), keys ?? _keys, _folder[name], cancel: Cancel);
        return _folder[name];
    }

    private Task<RevealedData> Reveal(string path, params string[] columns) => DataProtection.RevealAsync(path, columns, _keys, cancel: Cancel);

    private static IEnumerable<string?> Texts(Column column) => Enumerable.Range(0, column.Rows).Select(column.Text);

    [Fact]
    public async Task No_sensitive_value_stands_in_the_file()
    {
        var bytes = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(await Protect(), Cancel));
        Assert.StartsWith("PARE", bytes);
        foreach (var column in Payments.Columns.OfType<TextColumn>())
            Assert.All(column.Values.Distinct().Take(20), value => Assert.DoesNotContain(value!, bytes));
        Assert.DoesNotContain("medical_history", bytes.Replace("\"column\":\"medical_history\"", "").Replace("data/medical_history", ""));
    }

    [Fact]
    public async Task Encrypted_columns_and_tokens_come_back_and_each_access_is_reported()
    {
        var revealed = await Reveal(await Protect(), "ssn", "name", "medical_history", "card_number", "amount");
        Assert.All(revealed.Accesses, access => Assert.True(access.Opened, access.Reason));
        Assert.Equal(["file:data/ssn@1", "file:people@1", "file:data/medical_history@1", "file:data/card_number@1", null], revealed.Accesses.Select(access => access.Key?.ToString()));
        Assert.All(revealed.Table!.Columns, column => Assert.Equal(Texts(Payments[column.Name]), Texts(column)));
        Assert.Equal(_report!.Dataset, revealed.Dataset);
    }

    [Fact]
    public async Task Reading_without_reveal_gives_kept_columns_tokens_and_hashes_only()
    {
        var path = await Protect();
        var table = await TableFile.ReadAsync(path, new() { Keys = _keys, Dataset = "payments" }, cancel: Cancel);
        Assert.Equal(["transaction_id", "time", "customer_id", "terminal_id", "amount", "card_number", "email", "is_fraud"], table.Columns.Select(column => column.Name));
        Assert.Equal(Payments.Numbers("amount"), table.Numbers("amount"));
        Assert.Equal(Payments.Times("time"), table.Times("time"));
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => TableFile.ReadAsync(path, new() { Keys = _keys, Columns = ["ssn"] }, cancel: Cancel));
        Assert.Contains("'ssn'", fault.Message);
        Assert.Contains("encrypted", fault.Message);
    }

    [Fact]
    public async Task A_token_is_no_card_number_and_equal_cards_have_equal_tokens()
    {
        var table = await TableFile.ReadAsync(await Protect(), new() { Keys = _keys }, cancel: Cancel);
        var pairs = ((TextColumn)Payments["card_number"]).Values.Zip(((TextColumn)table["card_number"]).Values).Distinct().ToArray();
        Assert.Equal(pairs.Length, pairs.Select(pair => pair.First).Distinct().Count());
        Assert.Equal(pairs.Length, pairs.Select(pair => pair.Second).Distinct().Count());
        Assert.All(pairs, pair =>
        {
            Assert.Equal(pair.First!.Length, pair.Second!.Length);
            Assert.True(pair.Second.All(char.IsAsciiDigit));
            Assert.False(LuhnCheck.Holds(pair.Second));
        });
    }

    [Fact]
    public async Task A_hash_keeps_equality_depends_on_the_key_and_never_turns_back()
    {
        var path = await Protect();
        var hashes = ((TextColumn)(await TableFile.ReadAsync(path, new() { Keys = _keys }, cancel: Cancel))["email"]).Values;
        var pairs = ((TextColumn)Payments["email"]).Values.Zip(hashes).Distinct().ToArray();
        Assert.Equal(pairs.Length, pairs.Select(pair => pair.Second).Distinct().Count());
        using var other = NewRing("other.json");
        var elsewhere = await TableFile.ReadAsync(await Protect(name: "q.parquet", keys: other), new() { Keys = other }, cancel: Cancel);
        Assert.NotEqual(hashes[0], ((TextColumn)elsewhere["email"]).Values[0]);
        var access = Assert.Single((await Reveal(path, "email")).Accesses);
        Assert.False(access.Opened);
        Assert.Contains("nothing turns back", access.Reason);
    }

    [Fact]
    public async Task A_destroyed_column_key_shuts_that_column_only_and_names_it()
    {
        var path = await Protect();
        _keys.Destroy(KeyId.Parse("data/ssn@1"));
        var revealed = await Reveal(path, "ssn", "name");
        Assert.Equal(["name"], revealed.Table!.Columns.Select(column => column.Name));
        var shut = Assert.Single(revealed.Accesses, access => !access.Opened);
        Assert.Equal("ssn", shut.Column);
        Assert.Contains("data/ssn@1", shut.Reason);
        Assert.Equal(Payments.Rows, (await TableFile.ReadAsync(path, new() { Keys = _keys }, cancel: Cancel)).Rows);
    }

    [Fact]
    public async Task Another_key_ring_opens_nothing()
    {
        var path = await Protect();
        using var other = NewRing("other.json");
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => TableFile.ReadAsync(path, new() { Keys = other }, cancel: Cancel));
        Assert.Contains("data/footer@1", fault.Message);
        other.GetOrCreateSymmetric("data/footer");
        await Assert.ThrowsAsync<CryptographicException>(() => TableFile.ReadAsync(path, new() { Keys = other }, cancel: Cancel));
        var without = await Assert.ThrowsAsync<InvalidOperationException>(() => TableFile.ReadAsync(path, cancel: Cancel));
        Assert.Contains("key ring", without.Message);
    }

    [Fact]
    public async Task A_flipped_bit_or_a_cut_anywhere_is_refused()
    {
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","otherwise":"keep","columns":{"ssn":{"action":"encrypt"},"card_number":{"action":"tokenise"}}}""");
        var table = Payments.Select(["amount", "ssn", "card_number"]).Take([0, 1]);
        await DataProtection.ProtectAsync(table, policy, _keys, _folder["p.parquet"], cancel: Cancel);
        var bytes = await File.ReadAllBytesAsync(_folder["p.parquet"], Cancel);
        for (var i = 0; i < bytes.Length; i++)
        {
            var bad = (byte[])bytes.Clone();
            bad[i] ^= (byte)(1 << (i % 8));
            await File.WriteAllBytesAsync(_folder["bad.parquet"], bad, Cancel);
            var fault = await Record.ExceptionAsync(() => Reveal(_folder["bad.parquet"], "amount", "ssn", "card_number"));
            // In the name of the footer's key the flip asks for a key that is not there.
            Assert.True(fault is CryptographicException || (fault is InvalidOperationException && fault.Message.Contains("needs key")), $"bit {i % 8} of byte {i}: {fault?.Message ?? "not refused"}");
            await File.WriteAllBytesAsync(_folder["bad.parquet"], bytes[..i], Cancel);
            fault = await Record.ExceptionAsync(() => Reveal(_folder["bad.parquet"], "amount", "ssn", "card_number"));
            Assert.True(fault is CryptographicException, $"cut to {i} bytes: {fault?.GetType().Name} {fault?.Message ?? "not refused"}");
        }
    }

    [Fact]
    public async Task A_file_put_in_the_place_of_another_is_refused()
    {
        var path = await Protect();
        var dataset = _report!.Dataset;
        var older = await Protect(Payments.Take([0, 1, 2]), "older.parquet");
        Assert.NotEqual(dataset, _report.Dataset);
        Assert.Equal(Payments.Rows, (await TableFile.ReadAsync(path, new() { Keys = _keys, Dataset = dataset }, cancel: Cancel)).Rows);
        foreach (var (file, expected) in new[] { (older, dataset), (path, "loans"), (path, "payment") })
            Assert.Contains("holds dataset", (await Assert.ThrowsAsync<CryptographicException>(() => DataProtection.RevealAsync(file, ["ssn"], _keys, expected, cancel: Cancel))).Message);
    }

    [Fact]
    public async Task A_cut_file_or_another_files_footer_is_refused()
    {
        var bytes = await File.ReadAllBytesAsync(await Protect(Payments.Take([0, 1, 2])), Cancel);
        foreach (var cut in new[] { bytes.Length - 1, bytes.Length / 2, 12, 4 })
        {
            await File.WriteAllBytesAsync(_folder["cut.parquet"], bytes[..cut], Cancel);
            await Assert.ThrowsAsync<CryptographicException>(() => Reveal(_folder["cut.parquet"], "ssn"));
        }
    }

    [Fact]
    public async Task A_cancelled_protection_leaves_no_file()
    {
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => DataProtection.ProtectAsync(
            Payments, ProtectionPolicy.Parse(PolicyJson), _keys, _folder["p.parquet"], new StopAt(source, 0.6), source.Token));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*p.parquet*"));
    }

    [Fact]
    public async Task A_card_column_that_holds_something_else_is_refused_by_row_without_the_value()
    {
        var cards = ((TextColumn)Payments["card_number"]).Values.ToArray();
        cards[3] = "not a card";
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => Protect(Payments.With(new TextColumn("card_number", cards))));
        Assert.Contains("Row 4 of column 'card_number'", fault.Message);
        Assert.DoesNotContain("not a card", fault.Message);
    }

    [Fact]
    public async Task The_report_holds_the_commitment_and_the_files_digest()
    {
        var path = await Protect();
        using var key = CommitmentKey.Of(_keys);
        Assert.Equal(DatasetCommitment.Of(Payments, key, cancel: Cancel).Root, _report!.Commitment);
        Assert.Matches("^payments/[0-9a-f]{32}$", _report.Dataset);
        Assert.Equal(_report.Commitment, (await Reveal(path, "ssn")).Commitment);
        Assert.Equal(Digest.Of(await File.ReadAllBytesAsync(path, Cancel)), _report.File);
        Assert.Equal(Payments.Columns.Count, _report.Columns.Count);
    }

    [Fact]
    public async Task Verification_reads_everything_it_has_keys_for_and_computes_the_commitment_anew()
    {
        var policy = ProtectionPolicy.FromScan(SensitiveScan.Scan(Payments, cancel: Cancel), "payments");
        await DataProtection.ProtectAsync(Payments, policy, _keys, _folder["p.parquet"], cancel: Cancel);
        var check = await DataProtection.VerifyAsync(_folder["p.parquet"], _keys, "payments", cancel: Cancel);
        Assert.Equal(Payments.Columns.Count, check.Read.Count);
        Assert.True(check.CommitmentHolds);
        _keys.Destroy(KeyId.Parse("data/name@1"));
        check = await DataProtection.VerifyAsync(_folder["p.parquet"], _keys, "payments", cancel: Cancel);
        Assert.Equal("name", Assert.Single(check.Shut).Column);
        Assert.Null(check.CommitmentHolds);
        Assert.Null((await DataProtection.VerifyAsync(await Protect(name: "q.parquet"), _keys, cancel: Cancel)).CommitmentHolds);
    }

    [Fact]
    public void A_policy_from_the_scan_protects_what_was_found()
    {
        var policy = ProtectionPolicy.FromScan(SensitiveScan.Scan(Payments, cancel: Cancel), "payments");
        Assert.Empty(policy.Faults().Concat(policy.Faults(Payments)));
        Assert.Equal(ProtectionAction.Tokenise, policy.ActionFor("card_number"));
        Assert.Equal(ProtectionAction.Encrypt, policy.ActionFor("medical_history"));
        Assert.Equal(ProtectionAction.Keep, policy.ActionFor("amount"));
        Assert.Equal(policy.Digest(), ProtectionPolicy.Parse(policy.ToJson()).Digest());
    }

    [Theory]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","columns":{},"colums":{}}""", "colums")]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","columns":{"a":{"action":"encript"}}}""", "action")]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","columns":{"a":{"action":1}}}""", "action")]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","columns":{"a":{}}}""", "action")]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","columns":{"a":{"action":"keep"},"a":{"action":"drop"}}}""", "uplicate")]
    [InlineData("""{"format":"data-policy/v2","dataset":"d","columns":{}}""", "data-policy/v1")]
    [InlineData("""{"format":"data-policy/v1","dataset":"../d","columns":{}}""", "dataset")]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","otherwise":"encrypt","columns":{}}""", "otherwise")]
    [InlineData("""{"format":"data-policy/v1","dataset":"d","columns":{"a":{"action":"keep","key":"k"}}}""", "takes no key")]
    [InlineData("[]", "data-policy/v1")]
    public void A_policy_with_a_fault_is_refused_and_the_fault_named(string json, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => ProtectionPolicy.Parse(json)).Message);

    [Fact]
    public void A_policy_that_does_not_fit_the_table_is_refused_with_every_misfit()
    {
        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"d","columns":{"a":{"action":"keep"},"zzz":{"action":"drop"}}}""");
        var faults = policy.Faults(new Table([new NumberColumn("a", [1]), new NumberColumn("b", [1])])).ToArray();
        Assert.Equal(2, faults.Length);
        Assert.Contains("'zzz'", faults[0]);
        Assert.Contains("'b'", faults[1]);
    }

    private sealed class StopAt(CancellationTokenSource source, double fraction) : IProgress<double>
    {
        public void Report(double value)
        {
            if (value >= fraction)
                source.Cancel();
        }
    }
}
