using Bulwark.Cli;
using Bulwark.Deployment;

namespace Bulwark.Tests.Deployment;

public class ManifestGeneratorTests
{
    private static readonly string Digest = new('a', 64);

    private static Topology Sound => new()
    {
        Name = "fraud",
        Namespace = "fraud-scoring",
        Image = $"registry.example/bulwark@sha256:{Digest}",
        ModelImage = $"registry.example/fraud-model@sha256:{Digest}",
        Secrets = ["gateway-tls"],
        Clients = [new() { Namespace = "shop", Labels = new Dictionary<string, string> { ["app"] = "checkout" } }],
        Destinations = [new() { Namespace = "keys", Port = 8443 }],
    };

    public static TheoryData<Topology> Topologies =>
        [Sound, Sound with { Storage = "1Gi" }, Sound with { ModelImage = null, Secrets = [], Clients = [], Destinations = [], UserNamespace = false }, Sound with { RuntimeClass = "kata-qemu-snp" }];

    [Theory]
    [MemberData(nameof(Topologies))]
    public void Generated_manifests_pass_our_own_check_at_every_version(Topology topology)
    {
        var files = ManifestGenerator.Generate(topology);
        var manifests = files.SelectMany(file => ManifestReader.Read(file.Value, file.Key)).ToList();
        Assert.Empty(ManifestChecker.Check(manifests, SecurityLevel.Hardened));
        Assert.Empty(ManifestChecker.Check(manifests, SecurityLevel.Restricted, 25));
        Assert.Contains(files, file => file.Key == "network-policy-default-deny.yaml");
        Assert.DoesNotContain("secretKeyRef", string.Concat(files.Values));
    }

    [Fact]
    public void Every_file_but_itself_is_in_the_kustomization()
    {
        var files = ManifestGenerator.Generate(Sound);
        Assert.All(files.Keys.Where(name => name != "kustomization.yaml"), name => Assert.Contains($"- {name}\n", files["kustomization.yaml"]));
    }

    [Theory]
    [InlineData("registry.example/bulwark:1.0")]
    [InlineData("registry.example/bulwark")]
    [InlineData("registry.example/bulwark@sha256:abc")]
    [InlineData("registry.example/bulwark@md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void An_image_without_its_digest_is_refused(string image)
    {
        Assert.Contains("digest", Assert.Throws<ArgumentException>(() => ManifestGenerator.Generate(Sound with { Image = image })).Message);
        Assert.Contains("digest", Assert.Throws<ArgumentException>(() => ManifestGenerator.Generate(Sound with { ModelImage = image })).Message);
    }

    [Fact]
    public void All_faults_of_a_topology_are_told_at_once()
    {
        var faults = (Sound with { Name = "Not A Label", Namespace = "default", Port = 80, Replicas = 1, MaximumReplicas = 0, Memory = "lots" }).Faults().ToList();
        Assert.Equal(6, faults.Count);
    }

    [Theory]
    [InlineData("name: fraud\nnamespace: fraud\nimage: a@sha256:aaaa\nprivileged: true", "privileged")]
    [InlineData("name: fraud\nnamespace: fraud", "image")]
    [InlineData("- fraud", "topology")]
    public void A_topology_is_read_strictly(string yaml, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => Topology.Parse(yaml, "topology.yaml")).Message, StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "readOnlyRootFilesystem")]
    [InlineData("deployment.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "serviceAccountToken")]
    [InlineData("deployment.yaml", "sha256:", "sha256:0", "imageDigest")]
    [InlineData("network-policy-default-deny.yaml", "- Egress", "- Ingress", "networkPolicy")]
    [InlineData("namespace.yaml", "enforce: restricted", "enforce: baseline", "namespaceLevel")]
    [InlineData("service-account.yaml", "name: fraud", "name: other", "missingServiceAccount")]
    public void A_generated_set_that_was_weakened_is_refused(string file, string from, string to, string rule)
    {
        var files = ManifestGenerator.Generate(Sound with { Destinations = [] }).Where(each => each.Key != "network-policy-dns.yaml").ToDictionary();
        Assert.Contains(from, files[file]);
        files[file] = files[file].Replace(from, to);
        Assert.Contains(ManifestChecker.Check([.. files.SelectMany(each => ManifestReader.Read(each.Value, each.Key))], SecurityLevel.Hardened), finding => finding.Rule == rule);
    }

    [Fact]
    public async Task The_commands_generate_then_check_and_refuse_what_was_tampered_with()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var topology = Path.Combine(folder.FullName, "topology.yaml");
            var manifests = Path.Combine(folder.FullName, "manifests");
            await File.WriteAllTextAsync(topology, $"name: fraud\nnamespace: fraud\nimage: registry.example/bulwark@sha256:{Digest}\n", TestContext.Current.CancellationToken);
            Assert.Equal(0, await Run("deploy", "generate", topology, "-o", manifests));
            Assert.Equal(0, await Run("deploy", "check", manifests, "--level", "hardened"));
            var deployment = Path.Combine(manifests, "deployment.yaml");
            await File.WriteAllTextAsync(deployment, (await File.ReadAllTextAsync(deployment, TestContext.Current.CancellationToken)).Replace("privileged: false", "privileged: true"), TestContext.Current.CancellationToken);
            Assert.Equal(1, await Run("deploy", "check", manifests, "--json"));
            Assert.Equal(2, await Run("deploy", "check", Path.Combine(folder.FullName, "absent")));
        }
        finally
        {
            TemporaryFolder.Remove(folder.FullName);
        }
    }

    private static Task<int> Run(params string[] words) => BulwarkCommand.RunAsync(words, TextWriter.Null, TextWriter.Null);
}
