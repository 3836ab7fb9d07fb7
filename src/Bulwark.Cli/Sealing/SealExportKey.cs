using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Sealing;

internal static class SealExportKey
{
    internal static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "A sealed file." };
        var reveal = new Option<bool>("--reveal") { Description = "Yes, print the key: whoever reads it opens the file, for good." };
        var command = new Command("export-key", """
            Prints the key of a file's payload, with what another FLOE or Cobblestone implementation needs to open it. The log keeps that it was
            printed. docs/formats/sealed-file.md has the format and a decoder.

            Example: bulwark seal export-key model.sealed --reveal --json
            """) { file, reveal, OpenKeys.Identity, OpenKeys.Passphrase, OpenKeys.PassphraseFile, OpenKeys.AcceptCost, OpenKeys.Key };
        command.SetAction(async (parsed, cancel) =>
        {
            var path = SealCommand.Existing(parsed.GetRequiredValue(file)).FullName;
            if (!parsed.GetValue(reveal))
                throw new CommandException("This prints a secret.", "add --reveal, and send the output where the key may be");
            var workspace = Workspace.Require(parsed);
            using var keys = OpenKeys.Read(parsed, "export-key", needsKeys: true);
            await using var source = File.OpenRead(path);
            var info = SealedFile.ReadInfo(source);
            keys.RequireOne(info, Path.GetFileName(path));
            source.Position = 0;
            var (dataKey, slot, proved) = await SealedFile.ProveDataKeyAsync(source, keys.Identities, cancel);
            using var held = dataKey;
            using (var ring = workspace.OpenKeys())   // no record, no key
                await WorkspaceKeys.RecordExportAsync(workspace, ring, slot, proved.FileId);
            source.Position = 0;
            var (key, associated, offset) = SealedFile.ExportPayloadKey(source, dataKey.Span);
            using (key)
            {
                var hex = Convert.ToHexStringLower(key.Span);
                return new Screen(parsed).Answer(
                    new { info.FileId, suite = info.Suite, key = hex, associatedData = Convert.ToHexStringLower(associated), payloadOffset = offset },
                    console => console.WriteLine($"suite {info.Suite}\nkey {hex}\nassociated data {Convert.ToHexStringLower(associated)}\npayload offset {offset}"));
            }
        });
        return command;
    }
}
