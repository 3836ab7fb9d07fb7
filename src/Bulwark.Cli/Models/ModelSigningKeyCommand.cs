using System.CommandLine;
using System.Text;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelSigningKeyCommand
{
    private static readonly Option<FileInfo> s_output = new("--output", "-o") { Description = "The private key, PEM; the public one goes beside it with the ending .pub.", Required = true, HelpName = "FILE" };
    private static readonly Option<int> s_bits = new("--bits") { Description = "The curve: 256, 384 or 521.", DefaultValueFactory = _ => 256 };

    internal static Command Create()
    {
        var command = new Command("signing-key", """
            Makes an ECDSA key for model signatures: OpenSSF Model Signing takes no Ed25519. For release keys prefer a token.

            Example: bulwark model signing-key -o release.pem
            """) { s_output, s_bits };
        command.SetAction(parsed =>
        {
            var file = parsed.GetRequiredValue(s_output);
            if (file.Exists)
                throw new CommandException($"{file.FullName} is there already; a key is not written over.");
            if (parsed.GetValue(s_bits) is not (256 or 384 or 521))
                throw new CommandException("The curve has 256, 384 or 521 bits.");
            using var signer = EcdsaPemSigner.Generate(parsed.GetValue(s_bits));
            var publicKey = Path.ChangeExtension(file.FullName, ".pub");
            AtomicFile.Write(file.FullName, Encoding.ASCII.GetBytes(signer.ToPem()), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            AtomicFile.Write(publicKey, Encoding.ASCII.GetBytes(signer.PublicKey.ToPem()));
            return new Screen(parsed).Answer(new { privateKey = file.FullName, publicKey, key = signer.PublicKey.ToString() }, console =>
            {
                console.MarkupLineInterpolated($"[green]{signer.PublicKey}[/]");
                console.MarkupLineInterpolated($"  private  {file.FullName} (not encrypted, readable by you only)");
                console.MarkupLineInterpolated($"  public   {publicKey}");
            });
        });
        return command;
    }
}
