namespace Bulwark.Deployment;

/// <summary>What of a Gramine manifest opens the enclave to its host, option by option. What is not known and calls itself insecure is named too.</summary>
/// <remarks>Source: Gramine's manifest syntax (1.9). A manifest decides the enclave's measurement, so whoever pins the measurement pins these.</remarks>
public static class GramineRules
{
    private const string Object = "Gramine manifest";
    private const string PassThrough = "passthrough";

    private static readonly Dictionary<string, (string Message, string Fix)> s_insecure = new(StringComparer.Ordinal)
    {
        ["loader.insecure__use_cmdline_argv"] = ("The host chooses the program's arguments.", "write loader.argv"),
        ["loader.insecure__use_host_env"] = ("The host chooses the program's environment.", "write loader.env entries"),
        ["loader.insecure__disable_aslr"] = ("Addresses inside the enclave are not chosen at random.", "leave it out"),
        ["sys.insecure__allow_eventfd"] = ("The host sees and can forge event counters.", "leave it out, or use a runtime that needs none"),
        ["sys.insecure__allow_memfd"] = ("Memory files are kept by the host.", "leave it out"),
        ["sgx.insecure__rpc_thread_num"] = ("System calls without leaving the enclave share memory with the host.", "leave it out"),
        ["fs.insecure__keys"] = ("Keys of encrypted files stand in the manifest, which everyone can read.", "take them from the broker, or fs.mounts with key_name \"_sgx_mrenclave\""),
        ["sgx.insecure__protected_mrenclave_files"] = ("An old form of files under a key that stands outside.", "use fs.mounts of type \"encrypted\""),
    };

    /// <summary>Every insecure option of a manifest, each under its own rule; empty when there is none.</summary>
    /// <param name="manifest">The manifest's text: rendered, not a template.</param>
    /// <exception cref="FormatException">The text is no manifest.</exception>
    public static IReadOnlyList<Finding> Check(string manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Contains("{{", StringComparison.Ordinal) || manifest.Contains("{%", StringComparison.Ordinal))
            throw new FormatException("This is a template: render it by gramine-manifest first, and check what comes out.");
        var root = Toml.Parse(manifest);
        if (!root.ContainsKey("loader") && !root.ContainsKey("libos"))
            throw new FormatException("This is no Gramine manifest: it has neither \"loader\" nor \"libos\".");
        return [.. Named(root, ""), .. Enclave(root), .. Files(root), .. Environment(root), .. Kernel(root)];
    }

    /// <summary>Every option that is insecure by its name.</summary>
    private static IEnumerable<Finding> Named(Dictionary<string, object> table, string path)
    {
        foreach (var (key, value) in table)
        {
            var place = path.Length == 0 ? key : $"{path}.{key}";
            if (key.Contains("insecure__", StringComparison.Ordinal) && value is not false and not 0L)
            {
                var (message, fix) = s_insecure.GetValueOrDefault(place, ("Gramine itself calls this option insecure.", "leave it out"));
                yield return new(place, SecurityLevel.Hardened, Object, place, message, fix);
            }
            else if (value is Dictionary<string, object> inner)
            {
                foreach (var finding in Named(inner, place))
                    yield return finding;
            }
        }
    }

    private static IEnumerable<Finding> Enclave(Dictionary<string, object> root)
    {
        if (At(root, "sgx.debug") is not (null or false))
            yield return Bad("sgx.debug", "A debug enclave's memory is open to its host.", "write sgx.debug = false");
        if (At(root, "sgx.remote_attestation") is not "dcap")
            yield return Bad("sgx.remote_attestation", At(root, "sgx.remote_attestation") is "epid" ? "EPID attestation has ended." : "Without attestation nobody can tell this enclave from another.", "write sgx.remote_attestation = \"dcap\"");
        if (At(root, "sgx.edmm_enable") is true)
            yield return Bad("sgx.edmm_enable", "Pages that are added later have no place in the measurement, and their permissions change at run time.", "write sgx.edmm_enable = false");
        if (At(root, "sgx.enclave_size") is not string)
            yield return Bad("sgx.enclave_size", "The enclave's size is part of its measurement and is not said.", "write sgx.enclave_size, a power of two such as \"4G\"");
        foreach (var option in new[] { "sgx.profile.enable", "sgx.vtune_profile", "sgx.enable_stats" })
        {
            if (At(root, option) is not (null or false or "none"))
                yield return Bad(option, "What the enclave does is told to its host while it runs.", "leave it out");
        }

        foreach (var option in new[] { "sgx.seal_key.flags_mask", "sgx.seal_key.xfrm_mask", "sgx.seal_key.misc_mask" })
        {
            if (At(root, option) is not null)
                yield return Bad(option, "Another mask lets enclaves with other attributes, debug ones among them, have the same sealing key.", "leave it out: the default covers all bits that matter");
        }

        if (At(root, "sgx.file_check_policy") is not (null or "strict"))
            yield return Bad("sgx.file_check_policy", "Files that are not in the manifest are opened all the same.", "write sgx.file_check_policy = \"strict\"");
    }

    private static IEnumerable<Finding> Files(Dictionary<string, object> root)
    {
        if (At(root, "sgx.allowed_files") is List<object> { Count: > 0 })
            yield return Bad("sgx.allowed_files", "The host chooses what these files hold, and sees what is written to them.", "list files in sgx.trusted_files, write to encrypted mounts");
        if (At(root, "sgx.trusted_files") is List<object> trusted && trusted.Any(file => file is not Dictionary<string, object> named || !named.TryGetValue("sha256", out var digest) || digest is not string { Length: 64 }))
            yield return Bad("sgx.trusted_files", "A trusted file has no digest here: whatever is there when the manifest is signed is taken.", "write {uri = \"file:…\", sha256 = \"…\"}");
        if (At(root, "fs.mounts") is not List<object> mounts)
            yield break;
        foreach (var mount in mounts.OfType<Dictionary<string, object>>())
        {
            if (mount.TryGetValue("type", out var type) && type is "untrusted_shm")
                yield return Bad("fs.mounts.untrusted_shm", "Memory that is shared with the host.", "leave the mount out");
            else if (mount.TryGetValue("uri", out var uri) && uri is string device && device.StartsWith("dev:", StringComparison.Ordinal) && device is not "dev:tty")
                yield return Bad("fs.mounts.dev", $"What goes through {device} is the host's.", "leave the mount out");
            if (type is "encrypted" && mount.TryGetValue("key_name", out var key) && key is "_sgx_mrsigner")
                yield return Bad("fs.mounts.mrsigner", "Any enclave of the same signer, older ones too, reads these files.", "write key_name = \"_sgx_mrenclave\"");
        }
    }

    private static IEnumerable<Finding> Environment(Dictionary<string, object> root)
    {
        if (At(root, "loader.env") is Dictionary<string, object> variables)
        {
            foreach (var (name, value) in variables)
            {
                if (value is Dictionary<string, object> from && from.TryGetValue(PassThrough, out var passed) && passed is not false)
                    yield return new("loader.env.passthrough", SecurityLevel.Hardened, Object, $"loader.env.{name}", "The host chooses this variable.", "write its value");
            }
        }

        foreach (var option in new[] { "loader.argv_src_file", "loader.env_src_file" })
        {
            if (At(root, option) is string source && !IsTrusted(root, source))
                yield return Bad(option, $"{source} is no trusted file: the host chooses what it holds.", "list it in sgx.trusted_files with its digest, or leave it out");
        }

        if (At(root, "loader.log_level") is "debug" or "trace" or "all")
            yield return Bad("loader.log_level", "Addresses and arguments of system calls are written where the host reads.", "write loader.log_level = \"error\"");
    }

    private static IEnumerable<Finding> Kernel(Dictionary<string, object> root)
    {
        if (At(root, "libos.check_invalid_pointers") is false)
            yield return Bad("libos.check_invalid_pointers", "Pointers that a program hands over are not checked.", "leave it out");
        if (At(root, "sys.enable_extra_runtime_domain_names_conf") is true)
            yield return Bad("sys.enable_extra_runtime_domain_names_conf", "The host's name servers and host name are taken over.", "leave it out");
        if (At(root, "sys.allowed_ioctls") is List<object> { Count: > 0 })
            yield return Bad("sys.allowed_ioctls", "These calls go to the host's devices as they are.", "leave it out");
        if (At(root, "sys.experimental__enable_flock") is true)
            yield return Bad("sys.experimental__enable_flock", "An experimental option.", "leave it out");
    }

    private static bool IsTrusted(Dictionary<string, object> root, string uri) => At(root, "sgx.trusted_files") is List<object> files
        && files.Any(file => file is Dictionary<string, object> named && named.TryGetValue("uri", out var one) && one is string text && text == uri);

    private static Finding Bad(string option, string message, string fix) => new(option, SecurityLevel.Hardened, Object, option, message, fix);

    private static object? At(Dictionary<string, object> table, string path)
    {
        object? value = table;
        foreach (var key in path.Split('.'))
            value = value is Dictionary<string, object> inner && inner.TryGetValue(key, out var next) ? next : null;
        return value;
    }
}
