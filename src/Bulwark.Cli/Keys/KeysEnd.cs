using System.CommandLine;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Keys;

/// <summary>The end of a version: retired, then destroyed.</summary>
internal static class KeysEnd
{
    internal static Command CreateRetire() => Create("retire", """
        From now on the version only opens and verifies.

        Example: bulwark keys retire sealing@1
        """, [], (store, version, cancel) => store.RetireAsync(version, cancel), _ => null);

    internal static Command CreateDestroy()
    {
        var yes = new Option<bool>("--yes") { Description = "Do it: it cannot be undone." };
        return Create("destroy", """
            Erases the version's secret from its store for good: what only it protected can never be opened again.

            A copy of the keyring file from before (a backup, a snapshot, a block that the disk kept) still holds the secret and opens by
            the same passphrase: destroying those is yours. `keys rewrap` first moves what the version still protects.

            Example: bulwark keys destroy sealing@1 --yes
            """, [yes], (store, version, cancel) => store.DestroyAsync(version, cancel), parsed => parsed.GetValue(yes) ? null : "add --yes");
    }

    private static Command Create(
        string verb, string description, IReadOnlyList<Option> options, Func<IKeyAdministration, KeyUri, CancellationToken, ValueTask<KeyDescription>> end, Func<ParseResult, string?> missing)
    {
        var name = new Argument<string>("version") { Description = "A version: sealing@1, pkcs11:token=T;object=K;id=%01, vault:https://HOST/MOUNT/KEY@1." };
        var command = new Command(verb, description) { name };
        foreach (var option in options)
            command.Add(option);
        command.SetAction(async (parsed, cancel) =>
        {
            var (screen, workspace, version) = (new Screen(parsed), Workspace.Require(parsed), KeyAddress.Parse(parsed.GetRequiredValue(name))!);
            if (version.Version is null)
                throw new CommandException($"{version} names no version.", version.IsInRing() ? $"write {version.Path}@1" : "bulwark keys list ADDRESS shows its versions");
            if (missing(parsed) is { } hint)
                throw new CommandException($"This cannot be undone: whatever only {version} protects is then lost. Nothing was changed.", hint);
            using var ring = workspace.OpenKeys();
            using var store = version.IsInRing() ? null : Bulwark.Keys.KeyStores.Open(version, WorkspaceKeys.Options());
            await WorkspaceKeys.RecordAsync(workspace, ring, version, verb, $"keys {verb}");   // before: what is not recorded does not happen
            var left = await end((IKeyAdministration?)store ?? ring, version, cancel);
            if (verb == "destroy" && version.IsInRing())
                screen.Note("[yellow]Erased from this keyring. Copies of keyring.json from before still hold it: destroy them, too.[/]");
            return version.IsInRing() ? KeysList.AnswerOne(screen, ring, KeyAddress.Version(version)) : KeysList.Answer(screen, left);
        });
        return command;
    }
}
