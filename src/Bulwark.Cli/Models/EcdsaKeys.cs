using System.Security.Cryptography.X509Certificates;
using Bulwark.Cryptography;
using Bulwark.Keys;

namespace Bulwark.Cli.Models;

/// <summary>ECDSA keys and certificates that a command line names.</summary>
internal static class EcdsaKeys
{
    /// <summary>Opens a private key: a PEM file, or a key store's address.</summary>
    internal static IEcdsaSigner OpenSigner(string key)
    {
        if (key.StartsWith("pkcs11:", StringComparison.Ordinal))
            return Pkcs11Ecdsa.Open(KeyUri.Parse(key));
        if (!File.Exists(key))
            throw new CommandException($"There is no key {key}.", "bulwark model signing-key -o release.pem");
        var text = File.ReadAllText(key);
        return EcdsaPemSigner.FromPem(text, text.Contains("ENCRYPTED", StringComparison.Ordinal)
            ? Environment.GetEnvironmentVariable(Workspace.PassphraseVariable) ?? throw new CommandException($"{key} is encrypted.", $"set {Workspace.PassphraseVariable}") : null);
    }

    /// <summary>The certificates of a PEM file, in its order.</summary>
    internal static IReadOnlyList<X509Certificate2> Certificates(FileInfo file)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(SealCommand.Existing(file).FullName);
        return certificates.Count > 0 ? [.. certificates] : throw new CommandException($"{file.Name} holds no certificate.");
    }
}
