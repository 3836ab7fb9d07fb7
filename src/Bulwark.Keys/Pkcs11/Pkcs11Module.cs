using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Keys;

/// <summary>Where a token's module is: the address's <c>module-path</c> or <c>module-name</c>, else BULWARK_PKCS11_MODULE.</summary>
/// <remarks>Loading a module runs it, so the way to one comes only from the person at the command line: addresses stored beside wrapped keys have none.</remarks>
internal static partial class Pkcs11Module
{
    internal const string Variable = "BULWARK_PKCS11_MODULE";

    private static readonly string[] s_folders =
        ["/usr/lib/x86_64-linux-gnu/pkcs11", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm", "/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/local/lib"];

    /// <summary>The binding asks for <c>libdl</c>, a name that systems without development packages lack; its functions are in the C library.</summary>
    static Pkcs11Module() => NativeLibrary.SetDllImportResolver(typeof(Pkcs11InteropFactories).Assembly, static (name, assembly, search) =>
        name is "libdl" or "libdl.so.2" && OperatingSystem.IsLinux() && (NativeLibrary.TryLoad("libdl.so.2", out var handle) || NativeLibrary.TryLoad("libc.so.6", out handle)) ? handle : 0);

    /// <summary>Makes sure that the binding finds the loader's functions.</summary>
    internal static void Prepare() => RuntimeHelpers.RunClassConstructor(typeof(Pkcs11Module).TypeHandle);

    internal static string Path(KeyUri address, KeyStoreOptions options)
    {
        var attributes = address.Pkcs11Attributes;
        var path = attributes.TryGetValue("module-path", out var stated) ? Encoding.UTF8.GetString(stated)
            : attributes.TryGetValue("module-name", out var name) ? Find(Encoding.UTF8.GetString(name))
            : options.Variable(Variable);
        if (string.IsNullOrEmpty(path))
            throw new KeyProviderException("Which PKCS#11 module leads to the token is not said.", $"set {Variable} to the module's path, or write ?module-path=/path in the address", null);
        return System.IO.Path.IsPathFullyQualified(path) && File.Exists(path) ? path
            : throw new KeyProviderException($"There is no PKCS#11 module {path}.", "give the module's full path", null);
    }

    private static string? Find(string name) => !NamePattern().IsMatch(name) ? throw new KeyProviderException($"'{name}' is no module's name.", "use ?module-path= instead", null) : s_folders
        .SelectMany(folder => new[] { $"{folder}/{name}.so", $"{folder}/lib{name}.so" }).FirstOrDefault(File.Exists) ?? name;

    [GeneratedRegex(@"\A[A-Za-z0-9_\-]{1,64}\z")]
    private static partial Regex NamePattern();
}
