using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Policy;
using Bulwark.Server;
using Spectre.Console;

namespace Bulwark.Cli.Serving;

/// <summary>Signs a policy, so that a running gateway takes it.</summary>
internal static class PolicySignCommand
{
    internal static Command Create()
    {
        var file = new Argument<FileInfo>("policies") { Description = "A file of Cedar policies." }.AcceptExistingOnly();
        var key = new Option<string>("--key") { Description = "The signing key of the workspace.", DefaultValueFactory = _ => Workspace.SigningKey, HelpName = "NAME" };
        var command = new Command("sign", "Signs policies into FILE.dsse: a gateway that serves FILE takes them at once, and logs the change. Example: bulwark policy sign gateway.cedar") { file, key };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            var text = File.ReadAllText(path.FullName);
            var faults = PolicySet.Faults(text);
            if (faults.Count > 0)
                throw new CommandException($"{path.Name} has {faults.Count} faults; the first: line {faults[0].Line}: {faults[0].Fault}", $"bulwark policy check {path.Name}");
            using var keys = Workspace.Require(parsed).OpenKeys();
            using var signer = keys.OpenSigner(parsed.GetRequiredValue(key));
            var signed = path.FullName + ".dsse";
            AtomicFile.Write(signed, SignedPolicy.Sign(text, signer));
            var digest = Digest.Of(System.Text.Encoding.UTF8.GetBytes(text));
            return new Screen(parsed).Answer(new { file = signed, policy = digest, key = signer.PublicKey.ToString() }, console => console.MarkupLineInterpolated($"{signed}: policy {digest}, signed by {signer.PublicKey}"));
        });
        return command;
    }
}
