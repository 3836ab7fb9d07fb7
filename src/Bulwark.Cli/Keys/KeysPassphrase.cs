using System.CommandLine;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Keys;

internal static class KeysPassphrase
{
    private const string NewVariable = "BULWARK_NEW_PASSPHRASE";

    internal static Command Create()
    {
        var kdf = new Option<string>("--kdf") { Description = "How the passphrase becomes a key: argon2id, or pbkdf2 where FIPS 140 is asked for.", DefaultValueFactory = _ => "argon2id" };
        kdf.AcceptOnlyFromAmong("argon2id", "pbkdf2");
        var command = new Command("passphrase", $"""
            Seals the keyring anew under the passphrase in {NewVariable}: at once or not at all. Copies from before open as they did.

            Example: {NewVariable}=… bulwark keys passphrase --kdf argon2id
            """) { kdf };
        command.SetAction(parsed =>
        {
            var workspace = Workspace.Require(parsed);
            var passphrase = Environment.GetEnvironmentVariable(NewVariable);
            if (string.IsNullOrEmpty(passphrase))
                throw new CommandException("There is no new passphrase.", $"set {NewVariable}");
            using var ring = workspace.OpenKeys();
            ring.ChangeUnlocking(KeyRingUnlock.Passphrase(passphrase, parsed.GetValue(kdf) == "pbkdf2" ? PassphraseDerivation.Pbkdf2Sha256() : PassphraseDerivation.Default));
            if (workspace.IsUnprotected)
                File.Delete(workspace.KeyFilePath);   // it opens nothing any more, and its presence would say that it does
            return new Screen(parsed).Answer(new { unlockedBy = ring.UnlockedBy }, console => console.MarkupLineInterpolated($"The keyring opens by its new {ring.UnlockedBy}; set {Workspace.PassphraseVariable} to it."));
        });
        return command;
    }
}
