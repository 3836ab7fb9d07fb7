using System.CommandLine;
using System.Text.Json;
using Bulwark.Cli;

namespace Bulwark.Tests.Cli;

public class CommandContractTests
{
    public static TheoryData<string> Commands() => [.. Leaves(BulwarkCommand.Create()).Select(leaf => leaf.Path)];

    [Fact]
    public void A_verb_is_made_alone_by_the_name_it_is_listed_under_and_any_other_word_makes_all()
    {
        var all = BulwarkCommand.Create().Subcommands;
        foreach (var verb in all)
            Assert.Equal(verb.Name, Assert.Single(BulwarkCommand.Create(verb.Name).Subcommands).Name);
        Assert.Equal(all.Count, BulwarkCommand.Create("--workspace").Subcommands.Count);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_commands_help_teaches_with_an_example(string path)
    {
        var (code, output, _) = await RunAsync([.. path.Split(' '), "--help"]);
        Assert.Equal(0, code);
        Assert.Contains("Example", output);
        Assert.Contains($"bulwark {path} ", output);                                     // as it is typed, not as the file is called
        Assert.DoesNotMatch(@"--([\w-]+) <\1>", output);                                 // a placeholder says what is wanted
    }

    [Fact]
    public async Task A_commands_usage_names_its_own_arguments_alone()
    {
        var (_, output, _) = await RunAsync(["train", "images", "--help"]);
        Assert.Contains("bulwark train images <images> <labels>", output);
        Assert.Contains("bulwark train <data>", (await RunAsync(["train", "--help"])).Output);
    }

    [Theory]
    [InlineData("")]
    [InlineData("data")]
    [InlineData("privacy")]
    public async Task A_list_of_commands_says_one_sentence_of_each(string path)
    {
        var (_, output, _) = await RunAsync([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.DoesNotContain("Example", output[output.IndexOf("Commands:", StringComparison.Ordinal)..]);
    }

    [Fact]
    public async Task Unknown_words_could_not_be_asked_and_say_how_to_get_help()
    {
        var (code, output, error) = await RunAsync(["frobnicate"]);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains("frobnicate", error);
        Assert.Contains("--help", error);
    }

    [Fact]
    public async Task A_command_that_needs_a_workspace_names_the_command_that_makes_one()
    {
        using var folder = new TemporaryFolder();
        var (code, _, error) = await RunAsync(["log", "verify", "-w", folder["absent"]]);
        Assert.Equal(2, code);
        Assert.Contains("bulwark init", error);
    }

    [Fact]
    public async Task An_error_is_a_json_document_too_when_json_was_asked()
    {
        using var folder = new TemporaryFolder();
        var (code, output, _) = await RunAsync(["log", "verify", "--json", "-w", folder["absent"]]);
        Assert.Equal(2, code);
        using var document = JsonDocument.Parse(output);
        Assert.Equal("bulwark init", document.RootElement.GetProperty("hint").GetString());
    }

    [Fact]
    public async Task A_second_init_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, (await RunAsync(["init", "-w", folder["w"]])).Code);
        var before = await File.ReadAllBytesAsync(Path.Combine(folder["w"], "keyring.json"), TestContext.Current.CancellationToken);
        var (code, _, error) = await RunAsync(["init", "-w", folder["w"]]);
        Assert.Equal(2, code);
        Assert.Contains("already", error);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(folder["w"], "keyring.json"), TestContext.Current.CancellationToken));
    }

    internal static async Task<(int Code, string Output, string Error)> RunAsync(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await BulwarkCommand.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string prefix = "")
    {
        foreach (var child in command.Subcommands)
        {
            var path = prefix + child.Name;
            if (child.Subcommands.Count == 0)
                yield return (path, child);
            foreach (var leaf in Leaves(child, path + " "))
                yield return leaf;
        }
    }
}
