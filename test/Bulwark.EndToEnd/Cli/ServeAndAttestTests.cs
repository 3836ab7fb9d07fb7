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
    public async Task A_worker_inside_the_gateways_process_needs_to_be_called_insecure()
    {
        Assert.Equal(0, (await RunAsync("serve", "dev-identity", PathOf("pki"))).Code);
        await RunAsync("attest", "policy", "init", PathOf("fraud.bulwark"), "-o", PathOf("policy.json"));
        Assert.Equal(0, (await RunAsync("attest", "policy", "sign", PathOf("policy.json"), "-o", PathOf("policy.dsse"))).Code);
        await File.WriteAllTextAsync(PathOf("access.cedar"), GatewaySetup.DevelopmentPolicy, Cancel);
        string[] serve = ["serve", PathOf("fraud.bulwark"), "--pki", PathOf("pki"), "--policy", PathOf("access.cedar"), "--evidence-policy", PathOf("policy.dsse"), "--issuer", "me", "--audience", "you"];
        var (code, answer) = await RunAsync([.. serve, "--worker", "inside"]);
        Assert.Equal(2, code);
        Assert.Contains("none of the sandbox's walls", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("--insecure-sandbox", answer.GetProperty("hint").GetString(), StringComparison.Ordinal);
    }

    /// <summary>The command as a person types it, against a broker of its own; the key of a stranger is refused, the broker's own serves.</summary>
    [Fact]
    public async Task A_gateway_from_the_command_line_believes_the_broker_whose_key_it_was_given_and_no_other()
    {
        Assert.Equal(0, (await RunAsync("serve", "dev-identity", PathOf("pki"))).Code);
        using var keys = _workspace.OpenKeys();
        using var statements = Cryptography.Signer.Generate();
        using var logSigner = Cryptography.Signer.Generate();
        await using var log = await Lineage.TransparencyLog.CreateAsync(PathOf("broker-log"), "bulwark.test/broker", logSigner, Cancel);
        using var store = Databases.BrokerStores.Open($"sqlite:{PathOf("broker.db")}");
        var identity = DevelopmentIdentity.Open(PathOf("pki"));
        await using var broker = await BrokerHost.StartAsync(new()
        {
            Packages = [PathOf("fraud.bulwark")],
            Publishers = [keys.PublicKey(Workspace.SigningKey)],
            Keys = keys,
            Signer = statements,
            Policy = GatewaySetup.DevelopmentEvidencePolicy(keys, PathOf("fraud.bulwark")),
            Log = log,
            Store = store,
            ServerCertificate = identity.LoadServer(),
            MetricsPort = 0,
        }, Cancel);
        await File.WriteAllTextAsync(PathOf("broker.key"), statements.PublicKey.ToString(), Cancel);
        await File.WriteAllTextAsync(PathOf("stranger.key"), logSigner.PublicKey.ToString(), Cancel);
        string[] serve = ["serve", PathOf("fraud.bulwark"), "--dev", "--worker", "inside", "--port", "0", "--metrics-port", "0", "--pki", PathOf("pki"), "--broker", $"{broker.BaseAddress}", "--broker-ca", Path.Combine(PathOf("pki"), "ca.crt")];

        var (code, answer) = await RunAsync([.. serve, "--broker-key", PathOf("stranger.key")]);
        Assert.Equal(2, code);
        Assert.Contains("not signed by a key that counts here", answer.GetProperty("error").GetString(), StringComparison.Ordinal);

        using var process = Sealing.BuiltProgram.Start([.. serve, "--broker-key", PathOf("broker.key"), "--json", "-w", _workspace.Directory.FullName]);
        try
        {
            var noted = process.StandardError.ReadToEndAsync(Cancel);
            var served = "";
            while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line && line != "}")
                served += line;
            Assert.Contains("\"address\"", served, StringComparison.Ordinal);
            Assert.Equal(2, broker.Broker.Leases().Count);   // it released to the other one, too, which did not believe it
            process.Kill(entireProcessTree: true);
            Assert.DoesNotContain("no --broker-key", await noted, StringComparison.Ordinal);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
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
