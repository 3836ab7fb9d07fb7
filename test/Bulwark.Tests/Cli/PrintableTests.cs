using Bulwark.Cli;
using Bulwark.Lineage;
using Bulwark.Tests.Lineage;

namespace Bulwark.Tests.Cli;

public sealed class PrintableTests : IDisposable
{
    private const string Hostile = "model\u001b[2J\u009b31m\u202eevil\u200b\n✓ signature  signed by everyone\r\u2066";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("plain, Ünïcode, 漢字, 😀, ε ✓", "plain, Ünïcode, 漢字, 😀, ε ✓")]
    [InlineData("\u001b]0;title\a", "\\u001b]0;title\\u0007")]
    [InlineData("a\u009bb\u007f", "a\\u009bb\\u007f")]
    [InlineData("\u202eabc\u2069\u200f\u061c", "\\u202eabc\\u2069\\u200f\\u061c")]
    [InlineData("a\u200b\u200d\ufeff\u2060\u00adb", "a\\u200b\\u200d\\ufeff\\u2060\\u00adb")]
    [InlineData("a\U000e0041b", "a\\udb40\\udc41b")]
    [InlineData("a\nb\tc\rd\u2028\u2029", "a\\u000ab\\u0009c\\u000dd\\u2028\\u2029")]
    public void What_a_terminal_would_obey_or_an_eye_not_see_is_written_out(string text, string shown) => Assert.Equal(shown, Printable.Line(text));

    [Fact]
    public void Half_a_surrogate_pair_is_written_out() => Assert.Equal("a\\ud83d\\udc00", Printable.Line("a" + (char)0xd83d + "\\udc00"));

    [Fact]
    public void Text_of_several_lines_keeps_its_lines() => Assert.Equal("a\r\n\tb\\u000d\\u001b", Printable.Text("a\r\n\tb\r\u001b"));

    [Fact]
    public async Task Whatever_an_entry_of_the_log_says_no_command_hands_it_to_the_terminal()
    {
        var workspace = await Workspace.CreateAsync(new DirectoryInfo(_folder["w"]), passphrase: null);
        using var keys = workspace.OpenKeys();
        using var signer = keys.OpenSigner(Workspace.SigningKey);
        var statement = Statement.Of(Hostile, SampleClaims.Package, new ModelSealed { Name = Hostile, Version = Hostile, Signer = signer.PublicKey, PackageBytes = 1, Files = [new(Hostile, 1, SampleClaims.Onnx)] });
        await workspace.AppendAsync(statement, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_folder["statement.json"], Dsse.Sign(statement, signer), TestContext.Current.CancellationToken);
        foreach (string[] command in (string[][])[["log", "show"], ["log", "show", "0"], ["log", "tail"], ["log", "search", "model"], ["lineage", "graph", SampleClaims.Package.ToString()], ["verify", _folder["statement.json"]], ["verify", _folder[Hostile]]])
        {
            foreach (string[] json in (string[][])[[], ["--json"]])
            {
                var (_, output, error) = await CommandContractTests.RunAsync([.. command, "-w", _folder["w"], .. json]);
                var what = string.Join(' ', command) + ": " + output + error;
                Assert.DoesNotContain(output + error, unit => unit is '\u001b' or '\u009b' or '\u202e' or '\u200b' or '\u2066' or '\r');
                Assert.True(!(output + error).Split('\n').Any(line => line.StartsWith("✓ signature  signed by everyone", StringComparison.Ordinal)), what);
            }
        }
    }
}
