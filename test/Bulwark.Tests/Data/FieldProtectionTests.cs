using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class FieldProtectionTests : IDisposable
{
    private const string Policy = """
        format: data-policy/v1
        dataset: claims
        subject: patient
        rowKey: id
        tags: { medical: ["diag*"] }
        columns:
          card: { action: tokenise, copies: [{ as: card_last4, action: truncate }] }
          ssn: { action: tokenise, alphabet: "0123456789" }
        rules:
          - { column: "e?ail", action: encryptJoinable, joinAs: email }
          - { tag: medical, action: encryptValue, perSubject: true }
          - { column: "*date", action: shiftDate, days: 30 }
          - { column: note, action: mask }
          - { column: patient, action: drop }
          - { column: amount, action: encryptValue }
        otherwise: keep
        """;

    private static readonly string[] Columns = ["id", "patient", "card", "ssn", "email", "diagnosis", "in_date", "out_date", "note", "amount"];

    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;
    private readonly SubjectStore _subjects;

    public FieldProtectionTests()
    {
        _keys = KeyRing.Create(_folder["ring.json"], KeyRingUnlock.KeyFile(_folder["ring.key"]));
        _subjects = SubjectStore.Open(_folder["subjects.db"], _keys);
    }

    public void Dispose()
    {
        _subjects.Dispose();
        _keys.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_that_may_be_in_place_keeps_the_record_of_whose_rows_it_holds()
    {
        Directory.CreateDirectory(_folder["o.parquet"]);   // the renaming fails, after everything was written
        using var source = TableSource.Of(Claims);
        await Assert.ThrowsAnyAsync<Exception>(() => DataProtection.ProtectAsync(source, ProtectionPolicy.Parse(Policy), _keys, _folder["o.parquet"], new() { Subjects = _subjects }, cancel: Cancel));
        Assert.Null(Assert.Single(_subjects.ReachedBy("ann")).Version);
    }

    [Fact]
    public async Task Few_different_values_under_tokens_and_joinable_ciphertexts_earn_a_note()
    {
        using var source = TableSource.Of(Claims);
        var report = await DataProtection.ProtectAsync(source, ProtectionPolicy.Parse(Policy), _keys, _folder["few.parquet"], new() { Subjects = _subjects }, cancel: Cancel);
        Assert.Contains(report.Notes!, note => note.Contains("'card' has only 3", StringComparison.Ordinal) && note.Contains("tokens", StringComparison.Ordinal));
        Assert.Contains(report.Notes!, note => note.Contains("'ssn' has only 3", StringComparison.Ordinal));
        Assert.Contains(report.Notes!, note => note.Contains("'email' has only 3", StringComparison.Ordinal) && note.Contains("ciphertexts", StringComparison.Ordinal));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Table Claims { get; } = new(
    [
        new NumberColumn("id", [1, 2, 3, 4, 5], integral: true),
        new TextColumn("patient", ["ann", "bob", "ann", "cid", "bob"]),
        new TextColumn("card", ["4111111111111111", "5555555555554444", "4111111111111111", null, "6011111111111117"]),
        new TextColumn("ssn", ["123-45-6789", "234-56-7890", "123-45-6789", "345-67-8901", "234-56-7890"]),
        new TextColumn("email", ["a@example.com", "b@example.com", "a@example.com", "c@example.com", null]),
        new TextColumn("diagnosis", ["E11.9", "I10", "J45", "M54", null]),
        new TimeColumn("in_date", [.. new[] { 0L, 5, 20, 40, 60 }.Select(day => day * TimeColumn.Day)]),
        new TimeColumn("out_date", [.. new[] { 3L, 6, 29, TimeColumn.Missing, 61 }.Select(day => day == TimeColumn.Missing ? day : day * TimeColumn.Day)]),
        new TextColumn("note", ["call a@example.com", "nothing", null, "card 4111 1111 1111 1111", "nothing"]),
        new NumberColumn("amount", [12.5, double.NaN, 3, 4, 1e9]),
    ]);

    private async Task<(string Path, Table Stored)> Protect(string policy = Policy, string name = "c.parquet", Table? table = null)
    {
        using var source = TableSource.Of(table ?? Claims);
        await DataProtection.ProtectAsync(source, ProtectionPolicy.Parse(policy), _keys, _folder[name], new() { Subjects = _subjects }, cancel: Cancel);
        return (_folder[name], await TableFile.ReadAsync(_folder[name], new() { Keys = _keys }, cancel: Cancel));
    }

    private Table? Reveal(string path, SubjectStore? subjects, params string[] columns)
    {
        using var source = DataProtection.OpenColumns(path, columns, _keys, subjects: subjects);
        return source.Columns.Count == 0 ? null : Tables.Concatenate([.. source.Batches(Cancel)]);
    }

    private static string?[] Texts(Column column) => [.. Enumerable.Range(0, column.Rows).Select(column.Text)];

    [Fact]
    public async Task Every_reversible_column_comes_back_as_it_was_and_nothing_stands_in_the_clear()
    {
        var (path, stored) = await Protect();
        Assert.Equal([.. Columns.Where(name => name != "patient"), "card_last4", ProtectionPolicy.SubjectTokenColumn], stored.Columns.Select(column => column.Name));
        foreach (var name in new[] { "card", "ssn", "email", "diagnosis", "in_date", "out_date", "amount" })
        {
            var (before, after) = (Texts(Claims[name]), Texts(stored[name]));
            Assert.Equal(before.Select(cell => cell is null), after.Select(cell => cell is null));
            Assert.DoesNotContain(before.Zip(after), pair => pair.First is not null && pair.First == pair.Second);
            var back = Reveal(path, _subjects, name)![name];
            Assert.Equal(before, Texts(back));
            Assert.Equal(Claims[name].Kind, back.Kind);
        }

        Assert.Equal(["************1111", "************4444", "************1111", null, "************1117"], Texts(stored["card_last4"]).Select(text => text?.Replace("411111", "******").Replace("555555", "******").Replace("601111", "******")));
        Assert.Equal(["call [email]", "nothing", null, "card [card]", "nothing"], Texts(stored["note"]));
        Assert.All(Texts(stored["ssn"]), text => Assert.Matches(@"^\d{3}-\d{2}-\d{4}$", text));
    }

    [Fact]
    public async Task Joinable_columns_join_and_single_values_do_not()
    {
        var (_, stored) = await Protect();
        var (email, diagnosis) = (Texts(stored["email"]), Texts(stored["diagnosis"]));
        Assert.Equal(email[0], email[2]);
        Assert.NotEqual(email[0], email[1]);
        Assert.Equal(4, diagnosis.OfType<string>().Distinct().Count());
        var other = await Protect(Policy.Replace("dataset: claims", "dataset: visits", StringComparison.Ordinal), "v.parquet");
        Assert.Equal(email, Texts(other.Stored["email"]));   // joinAs holds across datasets
        Assert.NotEqual(Texts(stored["ssn"]), Texts(other.Stored["ssn"]));
        Assert.Equal(Texts(stored[ProtectionPolicy.SubjectTokenColumn]), Texts(other.Stored[ProtectionPolicy.SubjectTokenColumn]));
    }

    [Fact]
    public async Task Dates_of_a_subject_move_together_so_that_intervals_stay()
    {
        var (_, stored) = await Protect();
        var (before, after, end) = (Claims.Times("in_date"), stored.Times("in_date"), stored.Times("out_date"));
        Assert.Equal(before[2] - before[0], after[2] - after[0]);
        Assert.Equal(before[4] - before[1], after[4] - after[1]);
        Assert.Equal(3 * TimeColumn.Day, end[0] - after[0]);
        Assert.All(before.Zip(after), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), TimeColumn.Day, 30 * TimeColumn.Day));
    }

    [Fact]
    public async Task An_erased_subject_is_missing_and_the_others_are_as_they_were()
    {
        var (path, _) = await Protect();
        var erasure = _subjects.Shred("ann")!;
        Assert.Equal("claims", Assert.Single(erasure.Reached).Dataset);
        Assert.Contains(Digest.Of(await File.ReadAllBytesAsync(path, Cancel)), erasure.Reached[0].Roots);
        Assert.Equal([null, "I10", null, "M54", null], Texts(Reveal(path, _subjects, "diagnosis")!["diagnosis"]));
        Assert.Equal(Texts(Claims["card"]), Texts(Reveal(path, _subjects, "card")!["card"]));
        Assert.Null(Reveal(path, null, "diagnosis"));   // without the store the column stays shut, named
    }

    [Fact]
    public async Task A_subject_without_a_column_under_its_key_is_refused_and_the_others_are_named()
    {
        Assert.Contains("perSubject", (await Assert.ThrowsAsync<ArgumentException>(() => Protect(Policy.Replace(", perSubject: true", "", StringComparison.Ordinal)))).Message);
        using var source = TableSource.Of(Claims);
        var policy = ProtectionPolicy.Parse(Policy.Replace("column: patient, action: drop", "column: patient, action: encrypt", StringComparison.Ordinal));
        var report = await DataProtection.ProtectAsync(source, policy, _keys, _folder["n.parquet"], new() { Subjects = _subjects }, cancel: Cancel);
        var note = Assert.Single(report.Notes!, note => note.Contains("does not reach", StringComparison.Ordinal));
        foreach (var name in new[] { "id", "patient", "card", "amount", "in_date" })
            Assert.Matches($"\\b{name}\\b", note);
        Assert.DoesNotContain("diagnosis", note);
    }

    [Fact]
    public async Task A_cell_moved_to_another_row_or_changed_does_not_open()
    {
        var (_, stored) = await Protect();
        var policy = ProtectionPolicy.Parse(Policy).Resolve(Columns);
        var plan = FieldTransforms.Planned("amount", new("amount", ColumnKind.Number), policy.For("amount"), policy, _keys);
        using var step = FieldTransforms.Revealing(plan, "claims", _keys)!;
        var rows = new FieldRows(0, stored["id"]);
        var cells = Texts(stored["amount"]);
        Assert.Equal([12.5, double.NaN, 3, 4, 1e9], ((NumberColumn)step.Apply(new TextColumn("amount", cells), rows)).Values);
        (cells[0], cells[2]) = (cells[2], cells[0]);
        Assert.Contains("Row 1", Assert.Throws<CryptographicException>(() => step.Apply(new TextColumn("amount", cells), rows)).Message);
        foreach (var bad in new[] { "1.AAAA", "x", "", ".", "9999999999.AAAA", cells[3]![..^1] + (cells[3]![^1] == 'A' ? 'B' : 'A') })
            Assert.ThrowsAny<Exception>(() => step.Apply(new TextColumn("amount", [bad.Length == 0 ? "1." : bad, null, null, null, null]), rows));
    }

    [Fact]
    public async Task A_rotated_key_protects_anew_and_still_opens_what_it_protected()
    {
        var (path, stored) = await Protect();
        _keys.CreateSymmetric("data/email");
        _keys.CreateSymmetric("data/card");
        var (newer, again) = await Protect(name: "d.parquet");
        Assert.StartsWith("2.", Texts(again["email"])[0]);
        Assert.NotEqual(Texts(stored["card"]), Texts(again["card"]));
        foreach (var file in new[] { path, newer })
            Assert.Equal(Texts(Claims["email"]), Texts(Reveal(file, _subjects, "email")!["email"]));
        Assert.Equal(Texts(Claims["card"]), Texts(Reveal(path, _subjects, "card")!["card"]));
        var pinned = await Protect(Policy.Replace("joinAs: email", "joinAs: email, key: data/email@1", StringComparison.Ordinal), "e.parquet");
        Assert.Equal(Texts(stored["email"]), Texts(pinned.Stored["email"]));
    }

    [Fact]
    public async Task A_beacon_that_breaks_the_rule_on_the_data_is_refused_and_nothing_is_written()
    {
        var table = new Table([new TextColumn("city", [.. Enumerable.Range(0, 400).Select(i => $"city {i % 100}")])]);
        const string Text = "format: data-policy/v1\ndataset: d\ncolumns:\n  city: { action: beacon, bits: BITS }\n";
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => Protect(Text.Replace("BITS", "8", StringComparison.Ordinal), table: table));
        Assert.Contains("100 different values", fault.Message);
        Assert.Contains("4 to 5 bits", fault.Message);
        Assert.False(File.Exists(_folder["c.parquet"]));
        var (_, stored) = await Protect(Text.Replace("BITS", "5", StringComparison.Ordinal), table: table);
        Assert.InRange(Texts(stored["city"]).Distinct().Count(), 20, 32);
    }

    [Fact]
    public async Task A_failed_protection_leaves_no_version_behind()
    {
        var cards = Claims.With(new TextColumn("card", ["4111111111111111", "no card", null, null, null]));
        await Assert.ThrowsAsync<ArgumentException>(() => Protect(table: cards));
        Assert.Empty(_subjects.ReachedBy("ann"));
        await Protect();
        Assert.Single(_subjects.ReachedBy("ann"));
    }

    [Fact]
    public async Task A_truncated_value_shows_its_ends_only_and_a_short_one_nothing()
    {
        var table = new Table([new TextColumn("iban", ["DE89 3704 0044 0532 0130 00", "AB12", "ABCDEFGH", null])]);
        var (_, stored) = await Protect("format: data-policy/v1\ndataset: d\ncolumns:\n  iban: { action: truncate, keepFirst: 2, keepLast: 3 }\n", table: table);
        Assert.Equal(["DE** **** **** **** ***1 00".Replace("***1 00", "***0 00", StringComparison.Ordinal), "****", "********", null], Texts(stored["iban"]));
    }

    [Fact]
    public void Many_values_are_counted_nearly_right()
    {
        var count = new DistinctCount();
        var random = new RandomStream(5, 1, 1);
        for (var i = 0; i < 300_000; i++)
            count.Add(random.Bits());
        Assert.InRange(count.Value, 290_000, 310_000);
        var few = new DistinctCount();
        for (var i = 0; i < 1000; i++)
            few.Add((ulong)(i % 77) << 40);
        Assert.Equal(77, few.Value);
    }
}
