using System.CommandLine;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Keys;

internal static class KeysCreate
{
    internal static Command Create()
    {
        var name = new Argument<string>("key") { Description = "The key's name in the keyring, or an address in another store." };
        var kind = new Option<KeyKind>("--kind") { Description = "symmetric wraps and derives; signing is Ed25519.", DefaultValueFactory = _ => KeyKind.Symmetric };
        var purpose = new Option<string?>("--purpose") { Description = "What it is for, as auditors will read it." };
        var days = new Option<int?>("--use-days") { Description = "For how many days it may protect new things; the default is 730 (NIST SP 800-57)." };
        var command = new Command("create", """
            Makes the first version of a key: in the keyring, in a token, on a key server.

            Example: bulwark keys create sealing --purpose "data at rest" --use-days 365
            """) { name, kind, purpose, days };
        command.SetAction(async (parsed, cancel) =>
        {
            var (screen, workspace, key) = (new Screen(parsed), Workspace.Require(parsed), KeyAddress.Parse(parsed.GetRequiredValue(name))!);
            if (parsed.GetValue(days) is < 1 or > 3650)
                throw new CommandException("--use-days is 1 to 3650.");
            using var keys = WorkspaceKeys.Open(workspace, "create", key);
            if (key.IsInRing())
            {
                if (keys.Ring.List().Any(known => known.Id.Name == key.Path))
                    throw new CommandException($"There is a key {key.Path} already.", $"bulwark keys rotate {key.Path}");
                var notes = new KeyNotes(parsed.GetValue(purpose), parsed.GetValue(days));
                var id = parsed.GetValue(kind) == KeyKind.Signing ? keys.Ring.CreateSigning(key.Path, notes) : keys.Ring.CreateSymmetric(key.Path, notes);
                await WorkspaceKeys.RecordDoneAsync(workspace, keys.Ring, id, "create");
                return KeysList.AnswerOne(screen, keys.Ring, id);
            }

            using var store = Bulwark.Keys.KeyStores.Open(key, WorkspaceKeys.Options());
            var made = await store.CreateAsync(key, cancel);
            await WorkspaceKeys.RecordDoneAsync(workspace, keys.Ring, made.Current?.Id ?? key, "create");
            return KeysList.Answer(screen, made);
        });
        return command;
    }

    internal static Command CreateRotate()
    {
        var name = new Argument<string>("key") { Description = "The key's name in the keyring, or an address in another store." };
        var command = new Command("rotate", """
            Makes a key's next version: it protects from now on, older ones still open. Afterwards `keys rewrap` moves what they protect.

            Example: bulwark keys rotate sealing
            """) { name };
        command.SetAction(async (parsed, cancel) =>
        {
            var (screen, workspace, key) = (new Screen(parsed), Workspace.Require(parsed), KeyAddress.Parse(parsed.GetRequiredValue(name))!);
            using var keys = WorkspaceKeys.Open(workspace, "rotate", key);
            if (key.IsInRing() && keys.Ring.List().All(known => known.Id.Name != key.Path))
                throw new CommandException($"There is no key {key.Path}.", $"bulwark keys create {key.Path}");
            var rotated = await keys.Stores.RotateAsync(key.Key, cancel);
            await WorkspaceKeys.RecordDoneAsync(workspace, keys.Ring, rotated.Current?.Id ?? key, "rotate");
            return key.IsInRing() && rotated.Current is { } current ? KeysList.AnswerOne(screen, keys.Ring, KeyAddress.Version(current.Id)) : KeysList.Answer(screen, rotated);
        });
        return command;
    }
}
