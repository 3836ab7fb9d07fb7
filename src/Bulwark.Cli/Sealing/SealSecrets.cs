using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Cli.Sealing;

/// <summary>Passphrases and private keys for sealed files: from files or the terminal, never from the command line.</summary>
internal static class SealSecrets
{
    internal static Option<bool> PassphraseOption(string description) => new("--passphrase") { Description = description };

    internal static Option<FileInfo?> PassphraseFileOption() => new("--passphrase-file") { Description = "A file whose first line is the passphrase.", HelpName = "FILE" };

    internal static Option<FileInfo[]> IdentityOption() => new("--identity", "-i") { Description = "A file of X25519 private keys (AGE-SECRET-KEY-1…); may be repeated.", HelpName = "FILE" };

    /// <summary>The passphrase, or null when none was asked for.</summary>
    internal static string? Passphrase(ParseResult parsed, Option<bool> ask, Option<FileInfo?> file, bool twice)
    {
        if (parsed.GetValue(file) is { } source)
        {
            var line = File.ReadLines(SealCommand.Existing(source).FullName).FirstOrDefault();
            return string.IsNullOrEmpty(line) ? throw new CommandException($"The first line of {source.Name} is empty: that is no passphrase.") : line;
        }

        if (!parsed.GetValue(ask))
            return null;
        if (!SecretPrompt.IsPossible)
            throw new CommandException("There is no terminal to ask for the passphrase.", "--passphrase-file FILE");
        var first = SecretPrompt.Ask("passphrase");
        if (first.Length == 0)
            throw new CommandException("The passphrase is empty.");
        return !twice || SecretPrompt.Ask("again") == first ? first : throw new CommandException("The passphrases differ.");
    }

    internal static IReadOnlyList<X25519KeyPair> Identities(ParseResult parsed, Option<FileInfo[]> option)
    {
        var pairs = new List<X25519KeyPair>();
        foreach (var file in parsed.GetValue(option) ?? [])
        {
            try
            {
                pairs.AddRange(AgeIdentity.ParseFile(File.ReadAllText(SealCommand.Existing(file).FullName)));
            }
            catch (FormatException refusal)
            {
                throw new CommandException($"{file.Name}: {refusal.Message}", "bulwark seal identity -o FILE makes one");
            }
        }

        return pairs;
    }

    /// <summary>A public key as people write it, or null when the text is another kind of recipient.</summary>
    internal static X25519PublicKey? PublicKey(string text)
    {
        try
        {
            return text.StartsWith("age1", StringComparison.Ordinal) ? AgeRecipient.Parse(text)
                : text.StartsWith("x25519:", StringComparison.Ordinal) ? X25519PublicKey.Parse(text) : null;
        }
        catch (FormatException refusal)
        {
            throw new CommandException(refusal.Message, "bulwark seal identity prints one");
        }
    }
}
