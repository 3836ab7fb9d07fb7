using System.CommandLine;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Sealing;

internal static class SealRecipients
{
    internal static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "A sealed file." };
        var add = new Option<string[]>("--add") { Description = "Another recipient, as for seal --to; may be repeated.", HelpName = "RECIPIENT" };
        var remove = new Option<string[]>("--remove") { Description = "A recipient as this command lists it; may be repeated.", HelpName = "RECIPIENT" };
        var addPassphrase = new Option<FileInfo?>("--add-passphrase-file") { Description = "A file whose first line is a passphrase that will open it, too.", HelpName = "FILE" };
        var none = new Option<bool>("--no-passphrase-prompt") { Hidden = true };
        var command = new Command("recipients", """
            Lists who can open a sealed file, or changes it. No byte of the payload is written; whatever interrupts it, the file still opens.
            Someone who copied the file before keeps what that copy opens.

            Example: bulwark seal recipients model.sealed --add age1… --remove sealing@1
            """) { file, add, remove, addPassphrase, OpenKeys.Identity, OpenKeys.Passphrase, OpenKeys.PassphraseFile, OpenKeys.AcceptCost, OpenKeys.Key };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var path = SealCommand.Existing(parsed.GetRequiredValue(file)).FullName;
            var info = SealCommand.ReadInfo(new FileInfo(path));
            var added = parsed.GetValue(add) ?? [];
            var removed = parsed.GetValue(remove) ?? [];
            var passphrase = SealSecrets.Passphrase(parsed, none, addPassphrase, twice: false);
            if (added.Length > 0 || removed.Length > 0 || passphrase is not null)
            {
                using var keys = OpenKeys.Read(parsed, "change recipients", needsKeys: true);
                keys.RequireOne(info, Path.GetFileName(path));
                using var targets = await SealTargets.ReadAsync(parsed, added, passphrase, otherwise: null, screen, cancel);
                await SealedFile.RewrapAsync(path, keys.Identities, (change, stop) => ChangeAsync(change, targets, removed, stop), cancel);
                info = SealCommand.ReadInfo(new FileInfo(path));
            }

            return SealCommand.Answer(screen, Path.GetFileName(path), info, path, new FileInfo(path).Length);
        });
        return command;
    }

    private static async ValueTask ChangeAsync(SlotChange change, SealTargets targets, IEnumerable<string> removed, CancellationToken cancel)
    {
        foreach (var recipient in targets.Recipients)
            await change.AddAsync(recipient, cancel);
        foreach (var text in removed)
        {
            var slot = change.Slots.FirstOrDefault(slot => slot.Recipient == text || (slot is X25519Slot person && person.PublicKey.Equals(SealSecrets.PublicKey(text))))
                ?? throw new CommandException($"{text} is no recipient; it is sealed for: {string.Join(", ", change.Slots)}.");
            change.Remove(slot);
        }
    }
}
