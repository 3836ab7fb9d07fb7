using System.CommandLine;
using Bulwark.Lineage;
using Bulwark.Server;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogServeCommand
{
    internal static Command Create()
    {
        var directory = new Argument<DirectoryInfo?>("log") { Description = "The log's folder; the default is the workspace's log.", Arity = ArgumentArity.ZeroOrOne };
        var port = new Option<int>("--port") { Description = "0 for any free one.", DefaultValueFactory = _ => 8480 };
        var any = new Option<bool>("--any-address") { Description = "Listen on every address, not on loopback only." };
        var command = new Command("serve", """
            Serves a log's checkpoint, tiles and entries over HTTP (C2SP tlog-tiles), and nothing else of its folder. Entries become public.

            Example: bulwark log serve --port 8480
            """) { directory, port, any };
        command.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetValue(directory)?.FullName ?? Workspace.Require(parsed).LogDirectory;
            if (!TransparencyLog.IsMatch(folder))
                throw new CommandException($"There is no log in {folder}.", "bulwark init makes a workspace with one");
            await using var host = await LogHost.StartAsync(folder, parsed.GetValue(port), parsed.GetValue(any), cancel);
            var screen = new Screen(parsed);
            screen.Answer(new { address = host.BaseAddress, directory = folder }, console => console.MarkupLineInterpolated($"The log in {folder} at [bold]{host.BaseAddress}[/]; Ctrl-C ends it."));
            await LogSource.UntilInterruptedAsync(cancel);
            return ExitCode.Yes;
        });
        return command;
    }
}
