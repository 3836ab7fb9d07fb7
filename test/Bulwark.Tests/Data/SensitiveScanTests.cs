using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class SensitiveScanTests
{
    private static readonly Table Payments = TransactionSimulator.Simulate(new() { Customers = 200, Terminals = 400, Days = 20, Seed = 5 });

    private static ScanReport Scan(Table table) => SensitiveScan.Scan(table, cancel: TestContext.Current.CancellationToken);

    private static SensitiveFinding? Scan(string name, params string?[] values) => Scan(new Table([new TextColumn(name, values)])).Findings.SingleOrDefault();

    [Fact]
    public void The_simulated_personal_columns_are_found_for_what_they_are()
    {
        var findings = Scan(Payments).Findings.ToDictionary(finding => finding.Column);
        Assert.Equal((SensitiveKind.CardNumber, 1.0, ProtectionAction.Tokenise), Of("card_number"));
        Assert.Equal((SensitiveKind.SocialSecurityNumber, 1.0, ProtectionAction.Encrypt), Of("ssn"));
        Assert.Equal((SensitiveKind.EmailAddress, 1.0, ProtectionAction.Encrypt), Of("email"));
        Assert.Equal((SensitiveKind.PersonName, 1.0, ProtectionAction.Encrypt), Of("name"));
        Assert.Equal((SensitiveKind.Health, 0.9, ProtectionAction.Encrypt), Of("medical_history"));
        Assert.Equal((SensitiveKind.Identifier, 0.95, ProtectionAction.Keep), Of("transaction_id"));
        Assert.DoesNotContain("amount", findings.Keys);
        Assert.DoesNotContain("is_fraud", findings.Keys);
        Assert.DoesNotContain("time", findings.Keys);
        (SensitiveKind, double, ProtectionAction) Of(string column) => (findings[column].Kind, findings[column].Confidence, findings[column].Advice);
    }

    [Fact]
    public void Content_alone_is_enough()
    {
        var renamed = new Table(Payments.Columns.Select((column, i) => column.Renamed($"c{i}")));
        var kinds = Scan(renamed).Findings.ToDictionary(finding => finding.Column, finding => finding.Kind);
        Assert.Equal(SensitiveKind.CardNumber, kinds["c5"]);
        Assert.Equal(SensitiveKind.SocialSecurityNumber, kinds["c6"]);
        Assert.Equal(SensitiveKind.PersonName, kinds["c7"]);
        Assert.Equal(SensitiveKind.EmailAddress, kinds["c8"]);
        Assert.Equal(SensitiveKind.FreeText, kinds["c9"]);
    }

    [Fact]
    public void A_name_alone_is_reported_with_what_speaks_against_it()
    {
        var finding = Scan("SSN", "a", "b", "c");
        Assert.Equal((SensitiveKind.SocialSecurityNumber, 0.5, 0), (finding!.Kind, finding.Confidence, finding.Matched));
        Assert.Contains(finding.Why, why => why.Contains("none of 3"));
    }

    [Fact]
    public void A_report_never_holds_a_value()
    {
        var report = System.Text.Json.JsonSerializer.Serialize(Scan(Payments));
        foreach (var column in new[] { "card_number", "ssn", "name", "email", "medical_history" })
            Assert.DoesNotContain(Payments[column].Text(0)!, report);
    }

    [Theory]
    [InlineData("4012888888881881", true)]
    [InlineData("4012 8888 8888 1881", true)]
    [InlineData("5555-5555-5555-4444", true)]
    [InlineData("378282246310005", true)]       // American Express, 15
    [InlineData("30569309025904", true)]        // Diners, 14
    [InlineData("6011111111111117", true)]      // Discover
    [InlineData("3530111333300000", true)]      // JCB
    [InlineData("2221000000000009", true)]      // Mastercard's second range
    [InlineData("4012888888881882", false)]     // check digit
    [InlineData("0012888888881884", false)]     // no issuer
    [InlineData("401288888888188", false)]      // length
    [InlineData("4012888888881881x", false)]
    public void A_card_number_has_an_issuer_a_length_and_a_check_digit(string text, bool card) => Assert.Equal(card, ContentRule.IsCard(text));

    [Theory]
    [InlineData("123-45-6789", true)]
    [InlineData("899-01-0001", true)]
    [InlineData("000-45-6789", false)]
    [InlineData("666-45-6789", false)]
    [InlineData("900-45-6789", false)]
    [InlineData("123-00-6789", false)]
    [InlineData("123-45-0000", false)]
    [InlineData("123456789", false)]
    public void A_social_security_number_keeps_to_its_ranges(string text, bool ssn) => Assert.Equal(ssn, ContentRule.IsSsn(text));

    [Theory]
    [InlineData("GB82 WEST 1234 5698 7654 32", true)]
    [InlineData("DE89370400440532013000", true)]
    [InlineData("DE89370400440532013001", false)]
    [InlineData("8982WEST12345698765432", false)]
    public void An_iban_keeps_its_check_digits(string text, bool iban) => Assert.Equal(iban, ContentRule.IsIban(text));

    [Theory]
    [InlineData("a.b+c@example.com", true)]
    [InlineData("@example.com", false)]
    [InlineData("a@b", false)]
    [InlineData("a@b@example.com", false)]
    [InlineData("a b@example.com", false)]
    public void An_email_address_has_a_local_part_and_a_domain(string text, bool email) => Assert.Equal(email, ContentRule.IsEmail(text));

    [Fact]
    public void A_card_number_inside_other_text_is_found()
    {
        var finding = Scan("c", [.. Enumerable.Repeat("ok", 50), "the card is 4012 8888 8888 1881, call back"]);
        Assert.Equal((SensitiveKind.FreeText, 0.9, ProtectionAction.Encrypt), (finding!.Kind, finding.Confidence, finding.Advice));
        Assert.Contains(finding.Why, why => why.Contains("1 of 51") && why.Contains("card number"));
    }

    [Fact]
    public void A_security_code_is_to_be_dropped() => Assert.Equal(ProtectionAction.Drop, Scan("cvv2", "123", "456")!.Advice);

    [Fact]
    public async Task Data_without_people_in_it_raises_no_alarm()
    {
        var table = await TableFile.ReadAsync(SharedFiles.Require("data/uci_default_credit.csv"), cancel: TestContext.Current.CancellationToken);
        var finding = Assert.Single(Scan(table).Findings);
        Assert.Equal(("ID", SensitiveKind.Identifier), (finding.Column, finding.Kind));
    }
}
