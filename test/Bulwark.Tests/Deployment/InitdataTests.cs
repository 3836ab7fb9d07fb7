using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bulwark.Attestation;
using Bulwark.Deployment;
using Bulwark.Tests.Attestation;

namespace Bulwark.Tests.Deployment;

/// <summary>Initdata: what the hardware's report will hold, and that a policy lets exactly that in.</summary>
public sealed class InitdataTests
{
    private const string Document = "version = \"0.1.0\"\nalgorithm = \"sha256\"\n\n[data]\n\"aa.toml\" = '''\n[token_configs]\n'''\n";

    private static Topology Topology(ConfidentialHardware hardware = ConfidentialHardware.Snp) => new()
    {
        Name = "fraud",
        Namespace = "fraud-scoring",
        Image = $"registry.example/bulwark@sha256:{new string('1', 64)}",
        Arguments = ["serve", "/model/fraud.bulwark"],
        UserNamespace = false,
        Confidential = new() { Hardware = hardware, Entrypoint = ["/app/bulwark"], Broker = new("https://kbs.example:8080"), BrokerAuthority = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n" },
    };

    /// <summary>Digests of sha256sum and sha384sum.</summary>
    [Fact]
    public void The_predicted_values_are_the_documents_digest_cut_or_filled_to_the_field()
    {
        const string Sha256 = "00cbc5d2d2d25da9d8b3f473476684854427767fa89b8dd6d1f3863c9f184da1";
        const string Sha384 = "a2df99fe621e9783d5f07671c8d4d81f6457499e9a7cb42dc77deaf3b980527402e469003b8e95ca636b0852256c2acb";
        var short256 = Initdata.Parse(Encoding.UTF8.GetBytes(Document));
        Assert.Equal((Sha256, Sha256 + new string('0', 32)), (short256.HostData, short256.MrConfigId));
        var long384 = Initdata.Parse(Encoding.UTF8.GetBytes(Document.Replace("sha256", "sha384", StringComparison.Ordinal)));
        Assert.Equal((Sha384[..64], Sha384), (long384.HostData, long384.MrConfigId));
    }

    [Fact]
    public void The_annotation_is_the_document_and_reads_back_as_it()
    {
        var made = Initdata.Of(Topology());
        var read = Initdata.Parse(Encoding.ASCII.GetBytes(made.Annotation()));
        Assert.Equal(made.Document.ToArray(), read.Document.ToArray());
        Assert.Equal(made.HostData, read.HostData);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(made.Document.Span)), made.HostData);
    }

    [Theory]
    [InlineData("version = \"0.1.0\"\nalgorithm = \"md5\"\n[data]\na = \"b\"\n", "algorithm")]
    [InlineData("version = \"0.2.0\"\nalgorithm = \"sha256\"\n[data]\na = \"b\"\n", "version")]
    [InlineData("version = \"0.1.0\"\nalgorithm = \"sha256\"\n", "data")]
    [InlineData("version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\na = 1\n", "data")]
    [InlineData("version = \"0.1.0\"\nversion = \"0.1.0\"\n", "already defined")]
    [InlineData("H4sIAAAA", "gzip")]
    public void What_is_no_initdata_is_refused_by_name(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Initdata.Parse(Encoding.UTF8.GetBytes(text))).Message, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void An_evidence_policy_lets_in_exactly_the_predicted_host_data_and_configuration()
    {
        using var world = new HardwareWorld();
        var (snp, tdx) = (Initdata.Of(Topology()), Initdata.Of(Topology(ConfidentialHardware.Tdx)));
        var policy = world.Policy with { Snp = world.Policy.Snp! with { HostData = snp.HostData }, Tdx = world.Policy.Tdx! with { MrConfigId = tdx.MrConfigId } };
        Evidence Started(string kind, string value) => world.Evidence(kind, bytes => Convert.FromHexString(value).CopyTo(bytes, kind == EvidenceKinds.Tdx ? 184 : 0x0C0));
        foreach (var (kind, value, leg) in new[] { (EvidenceKinds.SevSnp, snp.HostData, "snp.host-data"), (EvidenceKinds.Tdx, tdx.MrConfigId, "tdx.mr-config-id") })
        {
            var right = world.Verify(Started(kind, value), policy);
            Assert.True(right.Verdict is EvidenceVerdict.Trusted, right.Reason);
            var other = Initdata.Of(Topology(kind == EvidenceKinds.Tdx ? ConfidentialHardware.Tdx : ConfidentialHardware.Snp) with { Arguments = ["serve", "/model/other.bulwark"] });
            var wrong = world.Verify(Started(kind, kind == EvidenceKinds.Tdx ? other.MrConfigId : other.HostData), policy);
            Assert.Contains(wrong.Legs, one => one.Name == leg && one.Outcome is LegOutcome.Failed);
        }
    }

    [Fact]
    public void The_agents_policy_refuses_what_looks_into_the_pod_or_changes_it()
    {
        var text = Encoding.UTF8.GetString(Initdata.Of(Topology() with { Confidential = Topology().Confidential! with { Logs = false } }).Document.Span);
        Assert.All(["ExecProcessRequest", "SetPolicyRequest", "WriteStreamRequest", "ReadStreamRequest", "StartTracingRequest", "CreateContainerRequest"],
            request => Assert.Contains($"default {request} := false", text, StringComparison.Ordinal));
        Assert.Contains("images := {\"registry.example/bulwark@sha256:", text, StringComparison.Ordinal);
        Assert.Contains("arguments := [\"/app/bulwark\", \"serve\", \"/model/fraud.bulwark\"]", text, StringComparison.Ordinal);
        Assert.Contains("input.OCI.Process.Args == arguments", text, StringComparison.Ordinal);   // all of them: else the host puts a program of its own before them
        Assert.Contains("kbs_cert", text, StringComparison.Ordinal);
    }

    /// <summary>No Rego engine is packaged for this system or for .NET, so the form is held by hand: each request decided once, every name defined, every bracket closed, no value that breaks out of its text.</summary>
    [Fact]
    public void The_agents_policy_is_well_formed_whatever_the_operator_writes()
    {
        var hostile = Topology() with { Arguments = ["serve", "\"]\ndefault ExecProcessRequest := true\n#", "'''", "a\\"] };
        var document = Encoding.UTF8.GetString(Initdata.Of(hostile).Document.Span);
        var start = document.IndexOf("package agent_policy", StringComparison.Ordinal);
        var text = document[start..document.IndexOf("'''", start, StringComparison.Ordinal)];
        Assert.Equal("'''", document[(start + text.Length)..].TrimEnd());   // the document's last quotes: none of an argument closed it before
        var lines = text.Split('\n');
        var decided = lines.Where(line => line.StartsWith("default ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]).ToList();
        Assert.Equal(decided.Count, decided.Distinct(StringComparer.Ordinal).Count());
        Assert.Single(lines, line => line.StartsWith("default ExecProcessRequest", StringComparison.Ordinal));
        var code = Regex.Replace(text, "\"(\\\\.|[^\"\\\\\n])*\"", "");
        Assert.DoesNotContain("\"", code, StringComparison.Ordinal);
        foreach (var (open, close) in new[] { ('{', '}'), ('[', ']'), ('(', ')') })
            Assert.Equal(code.Count(letter => letter == open), code.Count(letter => letter == close));
        foreach (var name in new[] { "images", "arguments", "variables" })
        {
            var line = Assert.Single(lines, line => line.StartsWith($"{name} := ", StringComparison.Ordinal));
            JsonDocument.Parse($"[{line[(name.Length + 5)..^1]}]").Dispose();   // a list or a set of texts
        }

        Assert.Equal(2, lines.Count(line => line == "CreateContainerRequest if {"));
    }

    [Fact]
    public void Confidential_manifests_carry_class_and_initdata_and_keep_the_hardened_level()
    {
        var files = ManifestGenerator.Generate(Topology());
        Assert.Contains("handler: kata-qemu-snp", files["runtime-class.yaml"], StringComparison.Ordinal);
        Assert.Contains("runtimeClassName: kata-qemu-snp", files["deployment.yaml"], StringComparison.Ordinal);
        Assert.Contains(Initdata.Of(Topology()).Annotation(), files["deployment.yaml"].Replace("\n", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("kata-qemu-nvidia-gpu-tdx", new ConfidentialPod { Hardware = ConfidentialHardware.Tdx, Gpu = true }.RuntimeClass);
    }

    [Fact]
    public void What_a_confidential_pod_cannot_be_is_a_fault()
    {
        var topology = Topology() with
        {
            UserNamespace = true,
            ModelImage = $"registry.example/model@sha256:{new string('2', 64)}",
            RuntimeClass = "gvisor",
            Arguments = null,
            Confidential = new() { Hardware = ConfidentialHardware.None, Broker = new("http://kbs.example"), ImageVariables = ["LD_PRELOAD"] },
        };
        Assert.Equal(8, topology.Faults().Count());
        Assert.Throws<ArgumentException>(() => Initdata.Of(topology));
        Assert.Throws<ArgumentException>(() => Initdata.Of(Topology() with { Confidential = null }));
    }
}
