using System.CommandLine;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class InitCommand
{
    internal static Command Create()
    {
        var store = new Option<string?>("--log-store") { Description = $"Where the log's entries become durable: {Bulwark.Databases.LogStores.Forms}. A relative FILE lies in the log's folder; a password belongs in PGPASSFILE.", HelpName = "STORE" };
        var ledger = new Option<string?>("--ledger") { Description = $"Where the privacy ledger is: {Bulwark.Databases.LedgerStores.Forms}. A relative FILE lies in the workspace; a password belongs in PGPASSFILE.", HelpName = "STORE" };
        var command = new Command("init", $"""
            Makes a workspace: a keyring with its first keys, an empty signed log, a model registry.

            The keyring is sealed by the passphrase in {Workspace.PassphraseVariable}; without one, by a key file beside it, which is
            for development only.

            Example: {Workspace.PassphraseVariable}=… bulwark init -w .bulwark
            """) { store, ledger };
        command.SetAction(async (parsed, _) =>
        {
            var screen = new Screen(parsed);
            var passphrase = Environment.GetEnvironmentVariable(Workspace.PassphraseVariable);
            var workspace = await Workspace.CreateAsync(parsed.GetValue(GlobalOptions.Workspace)!, string.IsNullOrEmpty(passphrase) ? null : passphrase, parsed.GetValue(store), parsed.GetValue(ledger));
            using var keys = workspace.OpenKeys();
            var answer = new
            {
                workspace = workspace.Directory.FullName,
                logKey = keys.PublicKey(Workspace.LogKey).ToString(),
                signingKey = keys.PublicKey(Workspace.SigningKey).ToString(),
                unprotected = workspace.IsUnprotected,
            };
            if (workspace.IsUnprotected)
                screen.Note($"[yellow]The keyring is sealed by a key file beside it: development only. Set {Workspace.PassphraseVariable} before `init` for a real one.[/]");
            return screen.Answer(answer, console =>
            {
                console.MarkupLineInterpolated($"[green]A workspace is ready in {answer.workspace}[/]");
                console.MarkupLineInterpolated($"Give auditors these two lines; with them they verify everything offline:");
                console.MarkupLineInterpolated($"  log key      {answer.logKey}");
                console.MarkupLineInterpolated($"  signing key  {answer.signingKey}");
            });
        });
        return command;
    }
}
