using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class ProtectionPolicyTests
{
    private const string Head = "format: data-policy/v1\ndataset: d\n";

    private static ProtectionPolicy Parse(string rest) => ProtectionPolicy.Parse(Head + rest);

    private static string Faults(string rest) => Assert.Throws<FormatException>(() => Parse(rest)).Message;

    [Fact]
    public void Yaml_and_json_are_one_policy_and_its_text_reads_back()
    {
        var yaml = Parse("""
            subject: who
            tags: { pan: ["card*"] }
            columns:
              who: { action: drop }
              card: { action: tokenise, key: "cards@1", copies: [{ as: card_end, action: truncate, keepFirst: 0 }] }
            rules:
              - { tag: pan, action: encryptValue, perSubject: true }
              - { content: emailAddress, confidence: 0.9, action: hash }
            otherwise: keep
            """);
        var json = ProtectionPolicy.Parse("""
            { "format": "data-policy/v1", "dataset": "d", "subject": "who", "tags": { "pan": ["card*"] },
              "columns": { "who": { "action": "drop" }, "card": { "action": "tokenise", "key": "cards@1", "copies": [{ "as": "card_end", "action": "truncate", "keepFirst": 0 }] } },
              "rules": [{ "tag": "pan", "action": "encryptValue", "perSubject": true }, { "content": "emailAddress", "confidence": 0.9, "action": "hash" }], "otherwise": "keep" }
            """);
        Assert.Equal(yaml.Digest(), json.Digest());
        Assert.Equal(yaml.Digest(), ProtectionPolicy.Parse(yaml.ToJson()).Digest());
        Assert.True(yaml.NeedsScan);
    }

    [Fact]
    public void Columns_whose_names_differ_only_in_case_are_two()
    {
        var policy = Parse("columns:\n  B: { action: hash }\n  b: { action: drop }\n");
        var read = ProtectionPolicy.Parse(policy.ToJson());
        Assert.Equal(policy.Digest(), read.Digest());
        Assert.Equal((ProtectionAction.Hash, ProtectionAction.Drop), (read.ActionFor("B"), read.ActionFor("b")));
    }

    [Fact]
    public void Every_fault_is_listed_with_its_member()
    {
        var faults = Faults("""
            colour: red
            columns:
              a: { action: encript, keyy: k }
              b: { action: truncate, keepFirst: many }
              c: 3
            rules:
              - { column: x, tag: y, action: hash }
              - { action: hash, bits: 3 }
            """);
        foreach (var named in new[] { "colour is not known", "columns.a.action must be one of", "columns.a.keyy is not known", "columns.b.keepFirst must be a whole number", "columns.c must hold members" })
            Assert.Contains(named, faults);
        faults = Faults("rules:\n  - { column: x, tag: y, action: hash }\n  - { action: hash, bits: 3 }\ncolumns:\n  d: { action: shiftDate }\n  e: { action: beacon }\n");
        foreach (var named in new[] { "rules[0]: say one of", "rules[0]: tag 'y' is not declared", "rules[1]: say one of", "rules[1]: hash takes no bits", "column 'd': name the subject", "column 'e': a beacon needs bits" })
            Assert.Contains(named, faults);
    }

    [Theory]
    [InlineData("columns: *a", "anchors, aliases")]
    [InlineData("columns: &a { x: { action: keep } }", "anchors, aliases")]
    [InlineData("columns: !!map { x: { action: keep } }", "anchors, aliases")]
    [InlineData("columns: { x: { action: keep } }\n---\nformat: b", "second")]
    [InlineData("columns: { x: { action: keep }, x: { action: drop } }", "duplicate")]
    [InlineData("columns: [", "line")]
    [InlineData("columns: !<% %> { x: { action: keep } }", "no YAML")]
    [InlineData("subject:", "subject has no value")]
    [InlineData("columns: { x: { action: hash, key: subjects/epoch } }", "data subjects' own")]
    [InlineData("columns: { x: { action: hash, key: \"vault:https://h/transit/k\" } }", "can only encrypt whole columns")]
    public void Yaml_that_is_no_policy_is_refused(string rest, string named) => Assert.Contains(named, Faults(rest));

    [Fact]
    public void Names_win_over_rules_and_the_first_rule_counts()
    {
        var policy = Parse("""
            tags: { medical: [diag_*, note] }
            columns:
              diag_main: { action: drop }
            rules:
              - { tag: medical, action: encrypt, key: health }
              - { column: "*_ID", action: hash }
              - { column: "*", action: encryptValue }
            """).Resolve(["diag_main", "diag_2", "note", "user_id", "rest"]);
        Assert.Equal(
            [ProtectionAction.Drop, ProtectionAction.Encrypt, ProtectionAction.Encrypt, ProtectionAction.Hash, ProtectionAction.EncryptValue],
            new[] { "diag_main", "diag_2", "note", "user_id", "rest" }.Select(policy.ActionFor));
        Assert.Empty(policy.Rules);
    }

    [Fact]
    public void A_rule_by_content_needs_a_scan_and_its_confidence()
    {
        var policy = Parse("rules:\n  - { content: emailAddress, confidence: 0.9, action: hash }\notherwise: keep\n");
        Assert.Throws<ArgumentException>(() => policy.Resolve(["a"]));
        var table = new Table([new TextColumn("a", ["x@example.com", "y@example.com"]), new TextColumn("b", ["x@example.com", "no"])]);
        var resolved = policy.Resolve(["a", "b"], SensitiveScan.Scan(table, cancel: TestContext.Current.CancellationToken));
        Assert.Equal((ProtectionAction.Hash, ProtectionAction.Keep), (resolved.ActionFor("a"), resolved.ActionFor("b")));
    }

    [Theory]
    [InlineData("keep")]
    [InlineData("encrypt")]
    [InlineData("hash")]
    [InlineData("tokenise, alphabet: \"0123456789\"")]
    public void A_security_code_can_only_be_dropped(string action)
    {
        foreach (var column in new[] { "cvv", "Card_CVC2", "x" })
        {
            var policy = Parse($"tags: {{ cvv: [x] }}\ncolumns: {{ {column}: {{ action: {action} }} }}\n");
            Assert.Contains("drop is the only action", Assert.Throws<ArgumentException>(() => policy.Resolve([column])).Message);
        }

        Assert.Equal(ProtectionAction.Drop, Parse("columns: { cvv: { action: drop } }\notherwise: keep\n").Resolve(["cvv", "a"]).ActionFor("cvv"));
    }

    [Theory]
    [InlineData("card_number: { action: hash, copies: [{ as: t, action: truncate }] }", "give the number away")]
    [InlineData("card_number: { action: truncate }\n  pan2: { action: beacon, bits: 9 }", "give the number away")]
    [InlineData("card_number: { action: truncate }\n  pan2: { action: truncate, keepFirst: 4, keepLast: 4 }", "in different ways")]
    [InlineData("card_number: { action: truncate, keepFirst: 8 }", "at most the first 6")]
    public void Two_forms_of_a_card_number_that_together_give_it_away_are_refused(string columns, string named)
    {
        var policy = Parse($"tags: {{ pan: [\"pan*\"] }}\ncolumns:\n  {columns}\notherwise: keep\n");
        Assert.Contains(named, Assert.Throws<ArgumentException>(() => policy.Resolve([.. policy.Columns.Keys])).Message);
    }

    [Fact]
    public void A_card_number_may_be_tokenised_and_truncated()
    {
        var resolved = Parse("columns: { card_number: { action: tokenise, copies: [{ as: t, action: truncate }] } }").Resolve(["card_number"]);
        var copy = Assert.Single(resolved.For("card_number").Copies);
        Assert.Equal((6, 4), (copy.Protection.KeepFirst, copy.Protection.KeepLast));
    }

    [Fact]
    public void A_row_key_that_is_not_kept_and_columns_of_one_name_are_refused()
    {
        Assert.Contains("must be kept", Faults("rowKey: id\ncolumns: { id: { action: hash } }"));
        var policy = Parse("columns: { a: { action: hash, copies: [{ as: b, action: mask }] } }\notherwise: keep");
        Assert.Contains("'b'", Assert.Throws<ArgumentException>(() => policy.Resolve(["a", "b"])).Message);
    }
}
