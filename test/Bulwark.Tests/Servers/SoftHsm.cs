using System.Runtime.InteropServices;
using Bulwark.Keys;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Tests.Servers;

/// <summary>SoftHSM in a folder of this process's own: tokens that tests make and break.</summary>
internal static partial class SoftHsm
{
    internal const string Pin = "2468-test";
    private static readonly string[] s_modules = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"];
    private static readonly Lock s_gate = new();
    private static IPkcs11Library? s_library;

    internal static string? Module => Array.Find(s_modules, File.Exists);

    /// <summary>Where the tokens' files are; deleting it is pulling the HSM's plug.</summary>
    internal static string Folder { get; private set; } = "";

    internal static KeyStoreOptions Options { get; } = new() { Variable = name => name switch { "BULWARK_PKCS11_PIN" => Pin, "BULWARK_PKCS11_MODULE" => Module, _ => null } };

    /// <summary>Makes a token; skips the test where SoftHSM is not installed, and fails it in CI.</summary>
    internal static void NewToken(string label)
    {
        if (Module is null)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail("SoftHSM is missing: run eng/test-servers.sh.");
            Assert.Skip("SoftHSM is missing: run eng/test-servers.sh.");
        }

        lock (s_gate)
        {
            s_library ??= Start(Module);
            var slot = s_library.GetSlotList(SlotsType.WithTokenPresent).First(slot => !slot.GetTokenInfo().TokenFlags.TokenInitialized);
            slot.InitToken("1357-officer", label);
            using var session = slot.OpenSession(SessionType.ReadWrite);
            session.Login(CKU.CKU_SO, "1357-officer");
            session.InitPin(Pin);
            session.Logout();
        }
    }

    private static IPkcs11Library Start(string module)
    {
        Folder = Directory.CreateTempSubdirectory("bulwark-softhsm-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (Directory.Exists(Folder))
                Directory.Delete(Folder, recursive: true);
        };
        Directory.CreateDirectory(Path.Combine(Folder, "tokens"));
        var configuration = Path.Combine(Folder, "softhsm2.conf");
        File.WriteAllText(configuration, $"directories.tokendir = {Path.Combine(Folder, "tokens")}\nobjectstore.backend = file\nlog.level = ERROR\n");
        _ = SetVariable("SOFTHSM2_CONF", configuration, 1);   // the module reads the native environment
        Environment.SetEnvironmentVariable("SOFTHSM2_CONF", configuration);   // child processes inherit the managed one
        return Pkcs11Token.Module(module);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
