using System.Text.Json;
using Bulwark.Cli;

namespace Bulwark.Tests.Cli;

public sealed class JsonWordsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "it is empty.")]
    [InlineData("garbage", "'g' is an invalid start of a value (line 1, byte 1).")]
    [InlineData("{\n \"a\": tru }", "line 2, byte ")]
    [InlineData("{\"a\": \"no number\"}", "($.a, line 1, byte ")]
    public void A_place_is_told_as_an_editor_counts_it(string json, string said)
    {
        var fault = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Dictionary<string, int>>(json));
        var plain = JsonWords.Plain($"The file is none: {fault.Message}");
        Assert.Contains(said, plain);
        Assert.StartsWith("The file is none: ", plain);
        Assert.DoesNotContain("BytePositionInLine", plain);
        Assert.DoesNotContain("isFinalBlock", plain);
    }

    [Fact]
    public void Any_other_text_stays_as_it_is() => Assert.Equal("Path: of the righteous.", JsonWords.Plain("Path: of the righteous."));

    [Theory]
    [InlineData("privacy", "compose")]
    [InlineData("attack", "merge")]
    [InlineData("attest", "policy", "check")]
    public async Task An_empty_file_is_called_empty_and_a_folder_a_folder(params string[] command)
    {
        await File.WriteAllTextAsync(_folder["empty.json"], "", TestContext.Current.CancellationToken);
        var (code, output, error) = await AttackRun.RunAsync([.. command, _folder["empty.json"]]);
        Assert.True(code is 1 or 2);
        Assert.Contains("it is empty", output + error);
        Directory.CreateDirectory(_folder["folder"]);
        (code, output, error) = await AttackRun.RunAsync([.. command, _folder["folder"]]);
        Assert.Equal(2, code);
        Assert.DoesNotContain("denied", output + error);
    }
}
