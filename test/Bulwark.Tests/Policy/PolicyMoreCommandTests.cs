using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Server;

namespace Bulwark.Tests.Policy;

/// <summary>The policy commands that need a workspace or entities: signing, and who can.</summary>
public sealed class PolicyMoreCommandTests : IDisposable
{
    private const string Policies = """permit (principal in Team::"scoring", action == Action::"infer", resource) when { context.purpose == "fraud" };""";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Who_can_lists_those_that_a_policy_lets_and_no_other()
    {
        var policies = Save("p.cedar", Policies);
        var entities = Save("e.json", """
            [ {"uid": {"type": "Client", "id": "b"}, "attrs": {}, "parents": []},
              {"uid": {"type": "Client", "id": "a"}, "attrs": {}, "parents": [{"type": "Team", "id": "scoring"}]} ]
            """);
        var fraud = Save("fraud.json", """{"purpose": "fraud"}""");
        string[] asked = ["who-can", policies, "--entities", entities, "--action", "Action::\"infer\"", "--resource", "Model::\"m\"", "--json"];
        var (code, output) = await RunAsync([.. asked, "--context", fraud]);
        Assert.Equal(0, code);
        var answer = JsonDocument.Parse(output).RootElement;
        Assert.Equal((2, "Client::\"a\"", "policy0"), (answer.GetProperty("asked").GetInt32(), answer.GetProperty("able")[0].GetProperty("principal").GetString(), answer.GetProperty("able")[0].GetProperty("by")[0].GetString()));
        Assert.Equal(1, answer.GetProperty("able").GetArrayLength());
        var (none, errs) = await RunAsync(asked);   // without a context the policy errs, and who errs may not
        Assert.Equal(1, none);
        Assert.Equal(1, JsonDocument.Parse(errs).RootElement.GetProperty("errors").GetArrayLength());
        Assert.Equal(2, (await RunAsync([.. asked, "--type", "Robot"])).Code);
    }

    [Fact]
    public async Task What_is_signed_opens_by_the_workspaces_key_and_unsound_policies_are_not_signed()
    {
        var workspace = await Workspace.CreateAsync(new(_folder["ws"]), passphrase: null);
        var policies = Save("p.cedar", Policies);
        Assert.Equal(0, (await RunAsync("sign", policies, "-w", _folder["ws"])).Code);
        using var keys = workspace.OpenKeys();
        var signed = await File.ReadAllBytesAsync(policies + ".dsse", TestContext.Current.CancellationToken);
        Assert.Equal(Policies, SignedPolicy.Open(signed, [keys.PublicKey(Workspace.SigningKey)], out _));
        using var stranger = Bulwark.Cryptography.Signer.Generate();
        Assert.Null(SignedPolicy.Open(signed, [stranger.PublicKey], out _));
        signed[signed.Length / 2] ^= 1;
        Assert.Null(SignedPolicy.Open(signed, [keys.PublicKey(Workspace.SigningKey)], out _));
        var unsound = Save("q.cedar", "permit (principal);");
        Assert.Equal(2, (await RunAsync("sign", unsound, "-w", _folder["ws"])).Code);
        Assert.False(File.Exists(unsound + ".dsse"));
    }

    private string Save(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var code = await BulwarkCommand.RunAsync(["policy", .. args], output, error);
        return (code, output.ToString());
    }
}
