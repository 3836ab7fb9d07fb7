using System.CommandLine;
using Bulwark.Lineage;
using Bulwark.Server;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogWitnessCommand
{
    private const string KeyName = "witness";

    internal static Command Create()
    {
        var logs = new Option<string[]>("--log-key") { Description = "A log to cosign for: its vkey; give it again for more.", HelpName = "VKEY" };
        var policy = new Option<FileInfo?>("--policy") { Description = "A tlog-policy whose logs are cosigned for.", HelpName = "FILE" };
        var name = new Option<string>("--name") { Description = "The witness's name in cosignatures: no space, no '+'.", Required = true, HelpName = "NAME" };
        var port = new Option<int>("--port") { Description = "0 for any free one.", DefaultValueFactory = _ => 8481 };
        var any = new Option<bool>("--any-address") { Description = "Listen on every address, not on loopback only." };
        var command = new Command("witness", """
            Runs a witness (C2SP tlog-witness): cosigns a log's checkpoints after checking that each only continues the last one it saw.
            Its key and its record are in the workspace; whoever loses the record must retire the key.

            Example: bulwark log witness --name witness.example/w1 --log-key log.example+1234abcd+AQ… --port 8481
            """) { name, logs, policy, port, any };
        command.SetAction(async (parsed, cancel) =>
        {
            var workspace = Workspace.Require(parsed);
            NoteKey[] known = [.. (parsed.GetValue(logs) ?? []).Select(NoteKey.Parse), .. LogSource.Policy(parsed.GetValue(policy))?.Logs.Select(log => log.Key) ?? []];
            if (known.Length == 0)
                throw new CommandException("A witness needs a log to cosign for.", "--log-key VKEY; a log's vkey is in its folder, file log.vkey");
            using var keys = workspace.OpenKeys();
            keys.GetOrCreateSigning(KeyName);
            using var signer = keys.OpenSigner(KeyName);
            var witness = new Witness(parsed.GetRequiredValue(name), signer, known, Path.Combine(workspace.Directory.FullName, "witness"));
            var screen = new Screen(parsed);
            await using var host = await WitnessHost.StartAsync(witness, parsed.GetValue(port), parsed.GetValue(any),
                (status, text) => screen.Note(Printable.Escape($"{status} {text}")), cancel);
            screen.Answer(new { address = host.BaseAddress, vkey = witness.Key.ToString(), logs = known.Select(log => log.Name) }, console =>
            {
                console.MarkupLineInterpolated($"Witness at [bold]{host.BaseAddress}[/] for {string.Join(", ", known.Select(log => log.Name))}; Ctrl-C ends it.");
                console.Profile.Out.Writer.WriteLine($"witness {parsed.GetRequiredValue(name)} {witness.Key} {host.BaseAddress}");
            });
            await LogSource.UntilInterruptedAsync(cancel);
            return ExitCode.Yes;
        });
        return command;
    }
}
