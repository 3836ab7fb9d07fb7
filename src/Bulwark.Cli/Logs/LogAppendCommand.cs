using System.CommandLine;
using System.Text;
using System.Threading.Channels;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogAppendCommand
{
    private static readonly Argument<FileInfo?> File = new("file")
    {
        Description = $"The entry: at most {TransparencyLog.MaximumEntryBytes} bytes, nothing personal.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Lines = new("--lines") { Description = "Instead of a file: each line of stdin is an entry; its place is printed when it is durable." };

    internal static Command Create()
    {
        var command = new Command("append", """
            Appends a file's bytes as one entry, or stdin's lines as one each; a place that is printed is durable.

            Example: bulwark log append statement.json
            """) { File, Lines };
        command.SetAction(AppendAsync);
        return command;
    }

    private static async Task<int> AppendAsync(ParseResult parsed, CancellationToken cancel)
    {
        var workspace = Workspace.Require(parsed);
        if (parsed.GetValue(Lines) == (parsed.GetValue(File) is not null))
            throw new CommandException("Say what to append.", "a FILE, or --lines for the lines of stdin");
        using var keys = workspace.OpenKeys();
        using var signer = keys.OpenSigner(Workspace.LogKey);
        await using var log = await LogSource.OpenAsync(workspace.LogDirectory, signer, keys.PublicKey(Workspace.LogKey), cancel);
        if (parsed.GetValue(Lines))
            return await AppendLinesAsync(log, parsed.InvocationConfiguration.Output, cancel);
        var given = await log.AppendAsync(await System.IO.File.ReadAllBytesAsync(SealCommand.Existing(parsed.GetValue(File)!).FullName, cancel), cancel);
        await log.IntegratedAsync(given.Index, cancel);
        await workspace.CosignAsync(log, cancel);
        return new Screen(parsed).Answer(new { given.Index, given.LeafHash, log.Size, root = log.Checkpoint.Root }, console =>
            console.MarkupLineInterpolated($"[green]Entry {given.Index}[/] of {log.Checkpoint.Origin}, leaf {given.LeafHash}"));
    }

    /// <summary>Up to 4096 lines are on their way to the disk at once; places are printed in the lines' order.</summary>
    private static async Task<int> AppendLinesAsync(TransparencyLog log, TextWriter output, CancellationToken cancel)
    {
        var onTheWay = Channel.CreateBounded<Task<LogEntryReceipt>>(4096);
        var reading = Task.Run(async () =>
        {
            try
            {
                while (await Console.In.ReadLineAsync(cancel) is { } line)
                    await onTheWay.Writer.WriteAsync(log.AppendAsync(Encoding.UTF8.GetBytes(line), cancel).AsTask(), cancel);
            }
            finally
            {
                onTheWay.Writer.Complete();
            }
        }, cancel);
        await foreach (var append in onTheWay.Reader.ReadAllAsync(cancel))
        {
            await output.WriteLineAsync($"{(await append).Index}");
            await output.FlushAsync(cancel);
        }

        await reading;
        return ExitCode.Yes;
    }
}
