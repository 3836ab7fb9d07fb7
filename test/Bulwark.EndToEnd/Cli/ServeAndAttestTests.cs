using System.Net;
using System.Text.Json;
using Bulwark.Cli;
using Bulwark.EndToEnd.Gateway;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Cli;

public sealed class ServeAndAttestTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-serve");
    private Workspace _workspace = null!;

    public async ValueTask InitializeAsync()
    {
        _workspace = await Workspace.CreateAsync(new(PathOf("ws")), passphrase: null);
        using var keys = _workspace.OpenKeys();
        var package = await FraudModel.SealAsync(keys, PathOf("fraud.bulwark"), Cancel);
        await _workspace.AppendAsync(keys, Claims.Sealed("fraud", package), Cancel);
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_development_gateway_starts_from_a_workspace_and_a_package()
    {
        using var setup = await GatewaySetup.DevelopmentAsync(_workspace, PathOf("fraud.bulwark"), PathOf("pki"));
        await using var host = await GatewayHost.StartAsync(setup.Options, Cancel);
        var identity = DevelopmentIdentity.Open(PathOf("pki"));
        using var client = GatewayWorld.Client(host, identity, identity.LoadClient("payments"), identity.LoadToken("payments"));
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        await File.WriteAllBytesAsync(PathOf("receipt.json"), Convert.FromBase64String(response.Headers.GetValues(GatewayHost.ReceiptHeader).Single()), Cancel);
        await File.WriteAllBytesAsync(PathOf("response.json"), await response.Content.ReadAsByteArrayAsync(Cancel), Cancel);
        var (verified, chain) = await RunAsync("verify", PathOf("receipt.json"), "--response", PathOf("response.json"));
        Assert.True(verified == 0, chain.ToString());
        Assert.Contains("INSECURE", chain.ToString(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(PathOf("response.json"), "{}", Cancel);
        Assert.Equal(1, (await RunAsync("verify", PathOf("receipt.json"), "--response", PathOf("response.json"))).Code);
    }

    [Fact]
    public async Task Evidence_that_was_collected_is_verified_and_another_nonce_is_refused()
    {
        Assert.Equal(0, (await RunAsync("attest", "policy", "init", PathOf("fraud.bulwark"), "-o", PathOf("policy.json"))).Code);
        Assert.Equal(0, (await RunAsync("attest", "policy", "check", PathOf("policy.json"))).Code);
        var (code, collected) = await RunAsync("attest", "collect", PathOf("fraud.bulwark"), "-o", PathOf("evidence.json"));
        Assert.Equal(0, code);
        Assert.True(collected.GetProperty("insecure").GetBoolean());
        var nonce = collected.GetProperty("nonce").GetString()!;
        var (trusted, appraisal) = await RunAsync("attest", "verify", PathOf("evidence.json"), "--policy", PathOf("policy.json"), "--nonce", nonce);
        Assert.Equal((0, "trusted"), (trusted, appraisal.GetProperty("verdict").GetString()));
        var (refused, answer) = await RunAsync("attest", "verify", PathOf("evidence.json"), "--policy", PathOf("policy.json"), "--nonce", new string('0', 64));
        Assert.Equal((1, "refused"), (refused, answer.GetProperty("verdict").GetString()));
    }

    [Fact]
    public async Task A_production_policy_that_lets_simulated_evidence_in_is_unsound()
    {
        await RunAsync("attest", "policy", "init", PathOf("fraud.bulwark"), "-o", PathOf("policy.json"));
        await File.WriteAllTextAsync(PathOf("policy.json"), (await File.ReadAllTextAsync(PathOf("policy.json"), Cancel)).Replace("development", "production", StringComparison.Ordinal), Cancel);
        var (code, answer) = await RunAsync("attest", "policy", "check", PathOf("policy.json"));
        Assert.Equal(1, code);
        Assert.Contains("production policy refuses simulated", answer.GetProperty("fault").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serving_without_development_needs_every_file_named()
    {
        var (code, answer) = await RunAsync("serve", PathOf("fraud.bulwark"));
        Assert.Equal(2, code);
        Assert.Contains("--pki is missing", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Development_identities_are_made_once_and_never_overwritten()
    {
        Assert.Equal(0, (await RunAsync("serve", "dev-identity", PathOf("id"), "--client", "billing")).Code);
        Assert.True(File.Exists(Path.Combine(PathOf("id"), "client-billing.jwt")));
        Assert.Equal(2, (await RunAsync("serve", "dev-identity", PathOf("id"))).Code);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task<(int Code, JsonElement Answer)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await BulwarkCommand.RunAsync([.. args, "--json", "-w", _workspace.Directory.FullName], output, error);
        return (code, JsonDocument.Parse(output.ToString()).RootElement);
    }
}
