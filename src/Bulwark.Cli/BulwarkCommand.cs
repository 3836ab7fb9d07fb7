using System.CommandLine;
using System.CommandLine.Parsing;

namespace Bulwark.Cli;

/// <summary>The command <c>bulwark</c>: every verb, its global options, and the mapping of failures to exit codes.</summary>
/// <remarks>Exit codes: 0 yes or done; 1 the answer is no (tampered, rejected, gate failed); 2 could not ask (usage, missing file, no key); 130 interrupted.</remarks>
public static class BulwarkCommand
{
    /// <summary>Parses and runs one command line.</summary>
    /// <param name="args">The words after the program's name.</param>
    /// <param name="output">Where answers go.</param>
    /// <param name="error">Where everything else goes.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        (output, error) = (new PrintableWriter(output), new PrintableWriter(error));
        var parsed = Create().Parse(args);
        HelpText.Shorten(parsed.CommandResult.Command);
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) };
        if (parsed.Errors.Count > 0)
        {
            foreach (var fault in parsed.Errors)
                await error.WriteLineAsync($"error: {fault.Message}");
            if (args.Contains("--json"))
                await output.WriteLineAsync(System.Text.Json.JsonSerializer.Serialize(new { error = string.Join(" ", parsed.Errors.Select(fault => fault.Message)), hint = $"{PathOf(parsed.CommandResult)} --help" }, Screen.JsonOptions));
            await error.WriteLineAsync($"hint:  {PathOf(parsed.CommandResult)} --help");
            return ExitCode.CouldNotAsk;
        }

        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (OperationCanceledException stop) when (stop.InnerException is not TimeoutException)
        {
            await error.WriteLineAsync("interrupted: nothing half-written was kept.");
            return ExitCode.Interrupted;
        }
        catch (Exception failure) when (Failure.Explains(failure))
        {
            return await Failure.ReportAsync(failure, parsed, output, error);
        }
    }

    /// <summary>The words that lead to a command, as a person types them.</summary>
    private static string PathOf(CommandResult command) => command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "bulwark";

    internal static RootCommand Create()
    {
        var root = new RootCommand(
            "Secure machine learning for .NET: from raw data to attested, monitored predictions, with evidence at each step.")
        {
            GlobalOptions.Json,
            GlobalOptions.Workspace,
            DemoCommand.Create(),
            InitCommand.Create(),
            RunCommand.Create(),
            DataCommand.Create(),
            KeysCommand.Create(),
            SealCommand.CreateSeal(),
            SealCommand.CreateOpen(),
            TrainCommand.Create(),
            PrivacyCommand.Create(),
            ModelCommand.Create(),
            AttackCommand.Create(),
            Certificates.CertifyCommand.Create(),
            ServeCommand.Create(),
            ScoreCommand.Create(),
            AttestCommand.Create(),
            BrokerCommand.Create(),
            LogCommand.Create(),
            LineageCommand.Create(),
            VerifyCommand.Create(),
            PolicyCommand.Create(),
            Serving.AuditCommand.Create(),
            DeployCommand.Create(),
            BenchCommand.Create(),
            PlanCommand.Create(),
            ReportCommand.Create(),
            DoctorCommand.Create(),
        };
        HelpText.Complete(root);
        return root;
    }
}
