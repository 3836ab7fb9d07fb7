using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cli;
using Bulwark.Cli.Serving;
using Bulwark.Cryptography;
using Bulwark.Worker;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>What keeps a gateway from starting at all.</summary>
public sealed class GatewayStartTests : GatewayTest
{
    [Fact]
    public async Task A_tampered_package_is_refused_wherever_the_bit_is()
    {
        var sound = await File.ReadAllBytesAsync(World.PackagePath, GatewayWorld.Cancel);
        foreach (var position in (int[])[0, 40, sound.Length / 2, sound.Length - 1])
        {
            var bytes = sound.ToArray();
            bytes[position] ^= 1;
            var path = World.PathOf("tampered.bulwark");
            await File.WriteAllBytesAsync(path, bytes, GatewayWorld.Cancel);
            var options = World.Options with { PackagePath = path, EvidencePolicy = World.EvidencePolicy with { Models = [Digest.Of(bytes)] } };
            var failure = await Assert.ThrowsAnyAsync<CryptographicException>(() => World.StartAsync(options));
            Assert.Contains("package is refused", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, World.LogSize);
    }

    [Fact]
    public async Task A_package_of_a_publisher_that_is_not_trusted_is_refused()
    {
        using var stranger = Signer.Generate();
        await Assert.ThrowsAnyAsync<CryptographicException>(() => World.StartAsync(World.Options with { Publishers = [stranger.PublicKey] }));
    }

    [Fact]
    public async Task Stale_evidence_gets_no_key()
    {
        var slow = new FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(-1));
        var source = new SimulatedEvidenceSource(World.DevelopmentKey, WorkerClosure.Measure(), slow);
        await Refused(World.Options with { EvidenceSource = source }, "age");
    }

    [Fact]
    public Task Simulated_evidence_gets_no_key_under_a_production_policy() =>
        Refused(World.Options with { EvidencePolicy = World.EvidencePolicy with { Environment = EvidenceEnvironment.Production } }, "policy");

    [Fact]
    public Task A_program_that_the_policy_does_not_list_gets_no_key() =>
        Refused(World.Options with { EvidencePolicy = World.EvidencePolicy with { Measurements = [Digest.Of("another"u8)] } }, "measurement");

    [Fact]
    public Task A_package_that_the_policy_does_not_list_gets_no_key() =>
        Refused(World.Options with { EvidencePolicy = World.EvidencePolicy with { Models = [Digest.Of("another"u8)] } }, "model");

    [Fact]
    public async Task Unsound_options_are_all_named()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => World.StartAsync(World.Options with { Publishers = [], ClientRoots = [], MaximumRows = 0 }));
        Assert.Contains("publisher", failure.Message, StringComparison.Ordinal);
        Assert.Contains("authority", failure.Message, StringComparison.Ordinal);
        Assert.Contains("MaximumRows", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_fault_of_a_settings_file_is_named_at_once()
    {
        var file = new FileInfo(World.PathOf("gateway.json"));
        await File.WriteAllTextAsync(file.FullName,
            """
            { "publicAddress": "http://plain", "spiffeTrustDomain": "Not A Domain", "jwtSvidAudience": "gateway", "zones": [ { "name": "", "network": "10.0.0.0/99" } ], "requestsPerSecond": -1, "requestBurst": 0, "maximumBodyBytes": 1,
              "maximumRows": 0, "maximumConcurrentRequests": 0, "maximumConnections": 0, "drainSeconds": -1, "healthPort": 70000, "tokenKeysMinutes": 1,
              "upstreams": [ { "name": "a", "address": "no address" }, { "name": "b", "address": "https://b.invalid", "roots": "missing.pem" } ] }
            """, GatewayWorld.Cancel);
        var said = Assert.Throws<CommandException>(() => GatewayFile.Apply(file, World.Options)).Message;
        foreach (var name in (string[])["PublicAddress", "SpiffeTrustDomain", "JwtSvidAudience", "zone has no name", "10.0.0.0/99", "RequestsPerSecond", "RequestBurst", "MaximumBodyBytes", "MaximumRows", "MaximumConcurrentRequests", "MaximumConnections", "DrainTimeout", "HealthPort", "TokenKeysMaximumAge", "upstream a", "upstream b"])
            Assert.Contains(name, said, StringComparison.Ordinal);
        foreach (var text in (string[])["""{"unknown":1}""", """{"maximumRows":"5"}""", """{"maximumRows":1,"maximumRows":2}""", "[]", "null"])
        {
            await File.WriteAllTextAsync(file.FullName, text, GatewayWorld.Cancel);
            Assert.Throws<CommandException>(() => GatewayFile.Apply(file, World.Options));
        }
    }

    private async Task Refused(Server.GatewayOptions options, string leg)
    {
        var failure = await Assert.ThrowsAsync<KeyRefusedException>(() => World.StartAsync(options));
        Assert.StartsWith(leg + ":", failure.Answer.Record.Reason, StringComparison.Ordinal);
        Assert.Equal(3, World.LogSize);
        Assert.Contains("\"verdict\":\"refused\"", World.Entry(2), StringComparison.Ordinal);
    }
}
