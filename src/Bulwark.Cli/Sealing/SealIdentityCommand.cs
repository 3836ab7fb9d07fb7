using System.CommandLine;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Interchange;
using Spectre.Console;

namespace Bulwark.Cli.Sealing;

internal static class SealIdentityCommand
{
    internal static Command Create()
    {
        var output = new Option<FileInfo>("--output", "-o") { Description = "Where to; must not exist.", Required = true, HelpName = "FILE" };
        var command = new Command("identity", """
            Makes an X25519 private key that opens sealed files and age files, in a file that only its owner reads, and prints the public key
            to give to whoever seals. age reads the same file.

            Example: bulwark seal identity -o me.key
            """) { output };
        command.SetAction(parsed =>
        {
            var file = parsed.GetRequiredValue(output);
            if (file.Exists)
                throw new CommandException($"{file.FullName} exists already; nothing was changed.", "choose another name");
            using var pair = X25519KeyPair.Generate();
            var recipient = AgeRecipient.Format(pair.PublicKey);
            AtomicFile.Write(file.FullName, Encoding.ASCII.GetBytes($"# public key: {recipient}\n{AgeIdentity.Format(pair)}\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return new Screen(parsed).Answer(new { file = file.FullName, recipient, x25519 = pair.PublicKey.ToString() }, console => console.WriteLine(recipient));
        });
        return command;
    }
}
