using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Keys;

internal static class KeysImport
{
    internal static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The key's name in the keyring; an existing one gets a next version." };
        var from = new Option<FileInfo?>("--from") { Description = "A file of 32 bytes: raw, as 64 hex digits or as base64. Without it, stdin.", HelpName = "FILE" };
        var kind = new Option<KeyKind>("--kind") { Description = "symmetric, or signing for an Ed25519 seed.", DefaultValueFactory = _ => KeyKind.Symmetric };
        var purpose = new Option<string?>("--purpose") { Description = "What it is for, as auditors will read it." };
        var command = new Command("import", """
            Takes a key from outside into the keyring. The file stays where it is: whoever has a copy can open what the key protects.

            Example: bulwark keys import partner --from partner.key
            """) { name, from, kind, purpose };
        command.SetAction(async (parsed, cancel) =>
        {
            var (screen, workspace) = (new Screen(parsed), Workspace.Require(parsed));
            var text = parsed.GetValue(from) is { } file ? SealCommand.Existing(file).OpenRead() : Console.OpenStandardInput();
            await using (text)
            {
                using var key = await ReadAsync(text, cancel);
                using var ring = workspace.OpenKeys();
                var (wanted, notes) = (parsed.GetRequiredValue(name), new KeyNotes(parsed.GetValue(purpose)));
                var id = parsed.GetValue(kind) == KeyKind.Signing ? ring.ImportSigning(wanted, key.Span, notes) : ring.ImportSymmetric(wanted, key.Span, notes);
                await WorkspaceKeys.RecordDoneAsync(workspace, ring, id, "import");
                return KeysList.AnswerOne(screen, ring, id);
            }
        });
        return command;
    }

    private static async Task<SecretBytes> ReadAsync(Stream stream, CancellationToken cancel)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(256, pinned: true);
        try
        {
            var count = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
            if (count == 32)
                return SecretBytes.CopyOf(buffer.AsSpan(0, 32));
            var end = buffer.AsSpan(0, count).TrimEnd("\r\n\t "u8).Length;
            return Text(buffer.AsSpan(0, end)) ?? throw new CommandException("This is no key of 32 bytes.", "raw bytes, 64 hex digits, or base64: openssl rand -hex 32 makes one");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static SecretBytes? Text(ReadOnlySpan<byte> text)
    {
        var characters = new char[text.Length];
        var bytes = new byte[64];
        try
        {
            System.Text.Encoding.Latin1.GetChars(text, characters);
            if (text.Length == 64 && Convert.FromHexString(characters, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == 32)
                return SecretBytes.CopyOf(bytes.AsSpan(0, 32));
            return text.Length == 44 && Convert.TryFromBase64Chars(characters, bytes, out var count) && count == 32 ? SecretBytes.CopyOf(bytes.AsSpan(0, 32)) : null;
        }
        finally
        {
            Array.Clear(characters);
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
