using Bulwark.Cli;

namespace Bulwark.Tests.Policy;

public sealed class PolicyCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var code = await BulwarkCommand.RunAsync(["policy", .. args], output, error);
        return (code, output.ToString(), error.ToString());
    }

    private string Save(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public async Task Check_lists_sound_policies()
    {
        var (code, output, _) = await Run("check", Save("p.cedar", """@id("all") permit(principal, action, resource);"""));
        Assert.Equal(0, code);
        Assert.Contains("policy0", output, StringComparison.Ordinal);
        Assert.Contains("1 permit, 0 forbid", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_names_every_fault_with_its_place()
    {
        var (code, output, _) = await Run("check", Save("p.cedar", "permit(principal, action);\nforbid(principal, action, resource) when { 1 = 1 };\npermit(principal, action, resource);"));
        Assert.Equal(1, code);
        Assert.Contains("p.cedar:1:25:", output, StringComparison.Ordinal);
        Assert.Contains("p.cedar:2:46:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_holds_policies_against_a_schema()
    {
        var schema = Save("s.cedarschema", "entity Client; entity Model; action predict appliesTo { principal: Client, resource: Model };");
        var policies = Save("p.cedar", "permit(principal, action, resource);\npermit(principal, action, resource) when { principal.level > 3 };");
        var (code, output, _) = await Run("check", policies, "--schema", schema);
        Assert.Equal(1, code);
        Assert.Contains("p.cedar:2:1: policy1: Client has no attribute \"level\"", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("allow", 0)]
    [InlineData("deny", 1)]
    [InlineData("perhaps", 2)]
    public async Task Test_compares_each_case(string decision, int expected)
    {
        var policies = Save("p.cedar", """permit(principal in Team::"scoring", action, resource) when { context.purpose == "fraud" };""");
        var cases = Save("c.json", $$"""
            {"entities": [{"uid": {"type": "Client", "id": "a"}, "attrs": {}, "parents": [{"type": "Team", "id": "scoring"}]}],
             "requests": [{"description": "the team may", "principal": "Client::\"a\"", "action": "Action::\"predict\"",
                           "resource": {"type": "Model", "id": "m"}, "context": {"purpose": "fraud"}, "decision": "{{decision}}"}]}
            """);
        var (code, output, error) = await Run("test", policies, "--cases", cases);
        Assert.Equal(expected, code);
        Assert.Contains(expected switch { 0 => "1 passed, 0 failed", 1 => "0 passed, 1 failed", _ => "neither allow nor deny" }, output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_case_in_which_a_policy_errs_disagrees()
    {
        var policies = Save("p.cedar", "permit(principal, action, resource); forbid(principal, action, resource) when { context.missing };");
        var cases = Save("c.json", """{"requests": [{"principal": "A::\"a\"", "action": "Action::\"x\"", "resource": "B::\"b\"", "decision": "allow"}]}""");
        var (code, output, _) = await Run("test", policies, "--cases", cases, "--json");
        Assert.Equal(1, code);
        Assert.Contains("\"policyId\": \"policy1\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_example_of_the_documentation_holds()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "access.md"), TestContext.Current.CancellationToken);
        string Block(string language) => page.Split($"```{language}\n")[1].Split("```")[0];
        var (code, output, _) = await Run("test", Save("p.cedar", Block("")), "--cases", Save("c.json", Block("json")));
        Assert.Equal(0, code);
        Assert.Contains("1 passed, 0 failed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_case_is_no_pass()
    {
        var (code, _, _) = await Run("test", Save("p.cedar", ""), "--cases", Save("c.json", """{"requests": []}"""));
        Assert.Equal(2, code);
    }

    public void Dispose() => TemporaryFolder.Remove(_folder.FullName);
}
