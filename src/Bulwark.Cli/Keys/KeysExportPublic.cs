using System.CommandLine;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Keys;

internal static class KeysExportPublic
{
    internal static Command Create()
    {
        var name = new Argument<string>("name") { Description = "A signing key's name, or one version of it." };
        var command = new Command("export-public", """
            Prints a signing key's public half: what others verify with.

            Example: bulwark keys export-public log
            """) { name };
        command.SetAction(parsed =>
        {
            using var ring = Workspace.Require(parsed).OpenKeys();
            var text = parsed.GetRequiredValue(name);
            var key = KeyId.TryParse(text, out var id) ? ring.PublicKey(id) : ring.PublicKey(text);
            return new Screen(parsed).Answer(new { name = text, publicKey = key.ToString(), fingerprint = key.Fingerprint.ToString() },
                console => console.Write(new Text($"{key}\n")));
        });
        return command;
    }
}
