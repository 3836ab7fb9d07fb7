using Bulwark.Data;

namespace Bulwark.Tests.Data;

public sealed class ScanTrialTests
{
    [Fact]
    public void Nearly_every_drawn_column_is_found_and_nearly_no_other_is_taken_for_it()
    {
        var kinds = ScanTrial.Run(seed: 3, columns: 4, texts: 120, cancel: TestContext.Current.CancellationToken);
        Assert.All(kinds, kind => Assert.True(kind.Found >= 0.9 * kind.Columns, $"{kind.Kind}: {kind.Found} of {kind.Columns} columns"));
        Assert.All(kinds, kind => Assert.True(kind.FalseColumns <= 0.05 * kind.OtherColumns, $"{kind.Kind}: {kind.FalseColumns} false: {string.Join(", ", kind.Mistaken)}"));
        Assert.All(kinds, kind => Assert.True(kind.Masked >= 0.9 * kind.Texts, $"{kind.Kind}: {kind.Masked} of {kind.Texts} texts"));
        Assert.All(kinds, kind => Assert.True(kind.FalseMasks <= 0.02 * kind.CleanTexts, $"{kind.Kind}: {kind.FalseMasks} clean sentences"));
        Assert.Equal(kinds.Select(kind => (kind.Found, kind.Masked)), ScanTrial.Run(seed: 3, columns: 4, texts: 120, cancel: TestContext.Current.CancellationToken).Select(kind => (kind.Found, kind.Masked)));
    }

    [Theory]
    [InlineData("Charge 4012 8888 8888 1881, not 12 34.", "Charge [card], not 12 34.")]
    [InlineData("ref 77 4012888888881881 ok", "ref 77 [card] ok")]
    [InlineData("mail a.b+c@example.com.", "mail [email].")]
    [InlineData("SSN 123-45-6789 and 000-45-6789", "SSN [ssn] and 000-45-6789")]
    [InlineData("to DE89 3704 0044 0532 0130 00 please", "to [account] please")]
    [InlineData("from 192.168.0.1 and 2001:db8::1, not 1.2.3", "from [ip] and [ip], not 1.2.3")]
    [InlineData("password: hunter2!x", "password: [secret]")]
    [InlineData("key AKIAIOSFODNN7EXAMPLE leaked", "key [secret] leaked")]
    [InlineData("DOB 12/05/1980, seen 2024-01-02", "DOB [birth date], seen 2024-01-02")]
    [InlineData("Dr. Ada Quist called +49 170 1234567", "Dr. [name] called [phone]")]
    [InlineData("diagnosis E11.9 confirmed in room B12", "diagnosis [diagnosis] confirmed in room B12")]
    [InlineData("born on 12.05.19804012 8888 8888 1881 ok", "born on [birth date][card] ok")]
    [InlineData("lives at 12 Green Park Road now", "lives at [address] now")]
    [InlineData("nothing to see in order 12345 of 2024-05-06", "nothing to see in order 12345 of 2024-05-06")]
    public void A_text_keeps_everything_but_what_is_personal(string text, string masked) => Assert.Equal(masked, TextMask.Apply(text));

    [Fact]
    public void A_long_text_is_masked_to_its_end()
    {
        var text = string.Concat(Enumerable.Repeat("nothing to see here, call a.b@example.com. ", 5000));
        Assert.Equal(text.Replace("a.b@example.com", "[email]", StringComparison.Ordinal), TextMask.Apply(text));
    }

    [Theory]
    [InlineData("AB123456C", true)]
    [InlineData("GB123456C", false)]
    [InlineData("12345678Z", true)]
    [InlineData("12345678A", false)]
    [InlineData("RSSMRA85T10A562S", true)]
    [InlineData("RSSMRA85T10A562T", false)]
    [InlineData("529.982.247-25", true)]
    [InlineData("529.982.247-26", false)]
    [InlineData("44051401359", true)]
    [InlineData("44051401358", false)]
    public void A_national_number_keeps_its_check_digits(string text, bool holds) => Assert.Equal(holds, NationalIdRule.Is(text));
}
