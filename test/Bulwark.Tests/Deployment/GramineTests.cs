using System.Security.Cryptography;
using System.Text;
using Bulwark.Deployment;

namespace Bulwark.Tests.Deployment;

/// <summary>Gramine's manifests: each insecure option by its name, and one of ours without any.</summary>
public sealed class GramineTests
{
    private const string Sound = """
        libos.entrypoint = "/app/x"
        loader.log_level = "error"
        sgx.remote_attestation = "dcap"
        sgx.enclave_size = "4G"
        sgx.trusted_files = [ { uri = "file:/app/x", sha256 = "1111111111111111111111111111111111111111111111111111111111111111" } ]
        fs.mounts = [ { path = "/app", uri = "file:/app" } ]

        """;

    [Fact]
    public void A_sound_manifest_has_no_finding() => Assert.Empty(GramineRules.Check(Sound));

    [Theory]
    [InlineData("loader.insecure__use_cmdline_argv = true", "loader.insecure__use_cmdline_argv")]
    [InlineData("loader.insecure__use_host_env = true", "loader.insecure__use_host_env")]
    [InlineData("loader.insecure__disable_aslr = true", "loader.insecure__disable_aslr")]
    [InlineData("sys.insecure__allow_eventfd = true", "sys.insecure__allow_eventfd")]
    [InlineData("sys.insecure__allow_memfd = true", "sys.insecure__allow_memfd")]
    [InlineData("sgx.insecure__rpc_thread_num = 4", "sgx.insecure__rpc_thread_num")]
    [InlineData("fs.insecure__keys.default = \"00\"", "fs.insecure__keys")]
    [InlineData("libos.insecure__of_the_future = true", "libos.insecure__of_the_future")]
    [InlineData("sgx.debug = true", "sgx.debug")]
    [InlineData("sgx.remote_attestation = \"none\"", "sgx.remote_attestation")]
    [InlineData("sgx.remote_attestation = \"epid\"", "sgx.remote_attestation")]
    [InlineData("sgx.edmm_enable = true", "sgx.edmm_enable")]
    [InlineData("sgx.profile.enable = \"all\"", "sgx.profile.enable")]
    [InlineData("sgx.vtune_profile = true", "sgx.vtune_profile")]
    [InlineData("sgx.enable_stats = true", "sgx.enable_stats")]
    [InlineData("sgx.seal_key.flags_mask = \"0x0\"", "sgx.seal_key.flags_mask")]
    [InlineData("sgx.seal_key.xfrm_mask = \"0x0\"", "sgx.seal_key.xfrm_mask")]
    [InlineData("sgx.seal_key.misc_mask = \"0x0\"", "sgx.seal_key.misc_mask")]
    [InlineData("sgx.file_check_policy = \"allow_all_but_log\"", "sgx.file_check_policy")]
    [InlineData("sgx.allowed_files = [ \"file:/etc/hosts\" ]", "sgx.allowed_files")]
    [InlineData("sgx.trusted_files = [ \"file:/app/x\" ]", "sgx.trusted_files")]
    [InlineData("fs.mounts = [ { type = \"untrusted_shm\", path = \"/dev/shm\", uri = \"dev:/dev/shm\" } ]", "fs.mounts.untrusted_shm")]
    [InlineData("fs.mounts = [ { path = \"/dev/gpu\", uri = \"dev:/dev/gpu\" } ]", "fs.mounts.dev")]
    [InlineData("fs.mounts = [ { type = \"encrypted\", path = \"/e\", uri = \"file:e\", key_name = \"_sgx_mrsigner\" } ]", "fs.mounts.mrsigner")]
    [InlineData("loader.env.HOME = { passthrough = true }", "loader.env.passthrough")]
    [InlineData("loader.argv_src_file = \"file:args\"", "loader.argv_src_file")]
    [InlineData("loader.env_src_file = \"file:env\"", "loader.env_src_file")]
    [InlineData("loader.log_level = \"trace\"", "loader.log_level")]
    [InlineData("libos.check_invalid_pointers = false", "libos.check_invalid_pointers")]
    [InlineData("sys.enable_extra_runtime_domain_names_conf = true", "sys.enable_extra_runtime_domain_names_conf")]
    [InlineData("sys.allowed_ioctls = [ { request_code = 1 } ]", "sys.allowed_ioctls")]
    [InlineData("sys.experimental__enable_flock = true", "sys.experimental__enable_flock")]
    public void Each_insecure_option_is_named(string line, string rule)
    {
        var option = line.Split('=')[0].Trim();
        var kept = Sound.Split('\n').Where(one => !one.StartsWith(option.Split('.')[^1] + " ", StringComparison.Ordinal) && !one.StartsWith(option + " ", StringComparison.Ordinal));
        var finding = Assert.Single(GramineRules.Check(line + "\n" + string.Join('\n', kept)));
        Assert.Equal(rule, finding.Rule);
        Assert.NotEmpty(finding.Fix);
    }

    [Theory]
    [InlineData("loader.insecure__use_host_env = false")]
    [InlineData("sgx.insecure__rpc_thread_num = 0")]
    [InlineData("loader.argv_src_file = \"file:/app/x\"")]
    public void What_is_switched_off_or_trusted_is_no_finding(string line) => Assert.Empty(GramineRules.Check(line + "\n" + Sound));

    [Theory]
    [InlineData("x = 1")]
    [InlineData("loader.entrypoint = \"{{ gramine.libos }}\"")]
    [InlineData("loader.log_level = \"error")]
    [InlineData("loader = 1\nloader.x = 2")]
    public void What_is_no_rendered_manifest_is_refused(string text) => Assert.Throws<FormatException>(() => GramineRules.Check(text));

    [Fact]
    public void A_generated_manifest_lists_every_file_by_its_digest_and_has_no_finding()
    {
        using var folder = new TemporaryFolder();
        var (worker, gramine) = (Path.Combine(folder.Path, "worker"), Path.Combine(folder.Path, "gramine"));
        Directory.CreateDirectory(worker);
        Directory.CreateDirectory(gramine);
        File.WriteAllText(Path.Combine(worker, "Bulwark.Worker"), "program");
        File.WriteAllText(Path.Combine(gramine, "libsysdb.so"), "library");
        var manifest = GramineManifest.Write(worker, gramine, [], ["serve", "/s", "2"]);
        Assert.Contains("EXPERIMENTAL", manifest, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData("program"u8)), manifest, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData("library"u8)), manifest, StringComparison.Ordinal);
        Assert.Empty(GramineRules.Check(manifest));
        Assert.Throws<ArgumentException>(() => GramineManifest.Write(worker, gramine, [], [], 3L << 30));
        Assert.Throws<ArgumentException>(() => GramineManifest.Write(gramine, gramine, [], []));
        Assert.Throws<DirectoryNotFoundException>(() => GramineManifest.Write(worker, Path.Combine(folder.Path, "none"), [], []));
    }

    [Fact]
    public void Toml_reads_the_forms_that_these_documents_use()
    {
        var read = Toml.Parse("a.b = 1_000 # c\n'q' = \"x\\n\\u0041\"\n[t]\nl = [ 1, 'two', { k = true }, # end\n]\nm = \"\"\"\nline \\\n  on\"\"\"\n[[t.u]]\nv = 0xff\n[[t.u]]\nv = -1.5\n");
        Assert.Equal(1000L, ((Dictionary<string, object>)read["a"])["b"]);
        Assert.Equal("x\nA", read["q"]);
        var table = (Dictionary<string, object>)read["t"];
        Assert.Equal("line on", table["m"]);
        Assert.Equal(3, ((List<object>)table["l"]).Count);
        Assert.Equal([255L, -1.5], ((List<object>)table["u"]).Select(one => ((Dictionary<string, object>)one)["v"]));
        Assert.Equal(4, Toml.Parse("a.b = { c = [[[1]]], d = 'x' }\nt = true\nf = 1e3\n[z]\n").Count);
        Assert.Equal(Encoding.UTF8.GetByteCount("ä"), Encoding.UTF8.GetByteCount((string)Toml.Parse("a = 'ä'")["a"]));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a =")]
    [InlineData("a = 1 2")]
    [InlineData("[a")]
    [InlineData("a = [1")]
    [InlineData("a = \"\\q\"")]
    [InlineData("= 1")]
    [InlineData("a = 2020-01-01")]
    [InlineData("a = [ 2020-01-01T00:00:00Z ]")]
    [InlineData("a = 1\na = 2")]
    [InlineData("a = { b = 1, b = 2 }")]
    [InlineData("[a]\n[a]")]
    [InlineData("a = 1\n[a]")]
    [InlineData("[a]\n[[a]]")]
    [InlineData("a.b = 1\na.b.c = 2")]
    public void Toml_that_is_none_is_refused(string text) => Assert.Throws<FormatException>(() => Toml.Parse(text));

    [Fact]
    public void A_refusal_names_the_line() =>
        Assert.StartsWith("Line 3:", Assert.Throws<FormatException>(() => Toml.Parse("a = 1\nb = 2\nc = \n")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a = ", "[")]
    [InlineData("a = ", "{a=")]
    [InlineData("a = ", "[{a=")]
    [InlineData("a", ".a")]
    [InlineData("[a", ".a")]
    [InlineData("[[a", ".a")]
    [InlineData("a = {a", ".a")]
    [InlineData("a = \"", "\\u0041")]
    public void Hostile_toml_is_refused_and_ends_nothing_else(string start, string repeated)
    {
        Assert.Throws<FormatException>(() => Toml.Parse(start + string.Concat(Enumerable.Repeat(repeated, 100_000))));
        Assert.Throws<FormatException>(() => Toml.Parse(new string('\n', Toml.LongestText + 1)));
    }
}
