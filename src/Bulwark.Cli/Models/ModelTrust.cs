using System.CommandLine;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Models;

/// <summary>Whose signature a command accepts: the keys that it was given, else those of the workspace.</summary>
internal static class ModelTrust
{
    internal static Option<string[]> Option() => new("--key", "-k")
    {
        Description = "A public key whose signature is accepted (ed25519:…); may be given several times. Else the workspace's signing key.",
        HelpName = "KEY",
    };

    /// <exception cref="FormatException">A key is not written as one.</exception>
    internal static IReadOnlyCollection<VerificationKey> Keys(ParseResult parsed, Option<string[]> option, Screen screen)
    {
        if (parsed.GetValue(option) is { Length: > 0 } given)
            return [.. given.Select(VerificationKey.Parse)];
        if (Workspace.Find(parsed) is not { } workspace)
            return [];
        try
        {
            using var keys = workspace.OpenKeys();
            return [.. keys.List().Where(key => key.Id.Name == Workspace.SigningKey && key.PublicKey is not null).Select(key => VerificationKey.Parse(key.PublicKey!))];
        }
        catch (CommandException locked)
        {
            screen.Note($"[yellow]{Spectre.Console.Markup.Escape(locked.Message)} Its signing key is therefore not trusted here; give --key.[/]");
            return [];
        }
    }
}
