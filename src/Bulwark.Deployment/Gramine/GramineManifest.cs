using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Deployment;

/// <summary>A manifest that runs the published worker in an SGX enclave under Gramine. EXPERIMENTAL: .NET under Gramine has not been shown to be reliable; a confidential machine is the better choice.</summary>
/// <remarks>Every file is listed by its digest, so that the manifest, and with it the enclave's measurement, says which bytes run. Nothing insecure is in it: it passes <see cref="GramineRules"/>.</remarks>
public static class GramineManifest
{
    private const string Inside = "/worker";

    /// <summary>Writes the manifest of a folder with a published worker.</summary>
    /// <param name="folder">The worker, published with its runtime (<c>dotnet publish src/Bulwark.Worker -r linux-x64 --self-contained</c>).</param>
    /// <param name="gramine">Gramine's own libraries on the machine that will run it, for example <c>/usr/lib/x86_64-linux-gnu/gramine</c>.</param>
    /// <param name="libraries">Folders of the system's libraries that the worker needs, such as the C library's; each file is listed by its digest.</param>
    /// <param name="arguments">The worker's arguments.</param>
    /// <param name="enclaveBytes">The enclave's size: a power of two, from 2 GiB up.</param>
    /// <exception cref="DirectoryNotFoundException">A folder is not there.</exception>
    /// <exception cref="ArgumentException">The folder holds no worker, or the size is no power of two.</exception>
    public static string Write(string folder, string gramine, IReadOnlyList<string> libraries, IReadOnlyList<string> arguments, long enclaveBytes = 4L << 30)
    {
        ArgumentNullException.ThrowIfNull(libraries);
        ArgumentNullException.ThrowIfNull(arguments);
        if (!File.Exists(Path.Combine(folder, "Bulwark.Worker")))
            throw new ArgumentException($"{folder} holds no program Bulwark.Worker: publish it with its runtime.", nameof(folder));
        if (enclaveBytes < 2L << 30 || !long.IsPow2(enclaveBytes))
            throw new ArgumentException($"An enclave of {enclaveBytes} bytes: write a power of two from 2 GiB up.", nameof(enclaveBytes));
        var text = new StringBuilder($"""
            # EXPERIMENTAL: .NET under Gramine. membarrier, memfd and rseq are missing there; sporadic failures of the garbage collector are reported.
            libos.entrypoint = "{Inside}/Bulwark.Worker"
            loader.entrypoint.uri = {Text($"file:{gramine}/libsysdb.so")}
            loader.log_level = "error"
            loader.argv = [{string.Join(", ", arguments.Prepend("Bulwark.Worker").Select(Text))}]

            [loader.env]
            LD_LIBRARY_PATH = {Text(string.Join(':', libraries.Prepend("/gramine").Append(Inside)))}
            HOME = "/tmp"
            DOTNET_EnableDiagnostics = "0"
            DOTNET_EnableWriteXorExecute = "0"
            DOTNET_GCHeapHardLimit = "0x{enclaveBytes / 4:X}"
            DOTNET_gcServer = "0"
            DOTNET_TieredCompilation = "0"

            [sgx]
            debug = false
            enclave_size = "{enclaveBytes >> 30}G"
            edmm_enable = false
            max_threads = 64
            remote_attestation = "dcap"
            file_check_policy = "strict"

            [fs]
            mounts = [
              {Mount("/gramine", gramine)},
              {Mount(Inside, Path.GetFullPath(folder))},

            """.ReplaceLineEndings("\n"));
        foreach (var library in libraries)
            text.Append($"  {Mount(library, library)},\n");
        text.Append("  { type = \"tmpfs\", path = \"/tmp\" },\n]\n");
        foreach (var file in new[] { gramine, folder }.Concat(libraries).SelectMany(Files))
        {
            using var stream = File.OpenRead(file);
            text.Append($"\n[[sgx.trusted_files]]\nuri = {Text($"file:{file}")}\nsha256 = \"{Convert.ToHexStringLower(SHA256.HashData(stream))}\"\n");
        }

        var manifest = text.ToString();
        var findings = GramineRules.Check(manifest);
        return findings.Count == 0 ? manifest : throw new InvalidOperationException($"The generated manifest breaks rules: {string.Join(", ", findings.Select(finding => finding.Rule))}");
    }

    private static IEnumerable<string> Files(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(Path.GetFullPath(folder), "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is not (".pdb" or ".xml")).Order(StringComparer.Ordinal)
        : throw new DirectoryNotFoundException($"There is no folder {folder}.");

    private static string Mount(string path, string source) => $"{{ path = {Text(path)}, uri = {Text($"file:{source}")} }}";

    private static string Text(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var letter in value)
            text.Append(letter switch { '"' => "\\\"", '\\' => "\\\\", < ' ' => $"\\u{(int)letter:x4}", _ => letter.ToString() });
        return text.Append('"').ToString();
    }
}
