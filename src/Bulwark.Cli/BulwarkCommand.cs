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
        var parsed = Create(args.FirstOrDefault()).Parse(args);
        HelpText.Shorten(parsed.CommandResult.Command);
        HelpText.Focus(parsed.CommandResult);
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

    /// <summary>Every verb, in the order of the help.</summary>
    private static readonly (string Verb, Func<Command> Make)[] s_verbs =
    [
        ("demo", DemoCommand.Create),
        ("init", InitCommand.Create),
        ("run", RunCommand.Create),
        ("data", DataCommand.Create),
        ("keys", KeysCommand.Create),
        ("seal", SealCommand.CreateSeal),
        ("open", SealCommand.CreateOpen),
        ("train", TrainCommand.Create),
        ("privacy", PrivacyCommand.Create),
        ("model", ModelCommand.Create),
        ("attack", AttackCommand.Create),
        ("certify", Certificates.CertifyCommand.Create),
        ("serve", ServeCommand.Create),
        ("score", ScoreCommand.Create),
        ("attest", AttestCommand.Create),
        ("broker", BrokerCommand.Create),
        ("log", LogCommand.Create),
        ("lineage", LineageCommand.Create),
        ("verify", VerifyCommand.Create),
        ("policy", PolicyCommand.Create),
        ("audit", Serving.AuditCommand.Create),
        ("deploy", DeployCommand.Create),
        ("bench", BenchCommand.Create),
        ("plan", PlanCommand.Create),
        ("report", ReportCommand.Create),
        ("doctor", DoctorCommand.Create),
    ];

    /// <summary>The whole command, or only the verb that the command line begins with: making all of them would take longer than many a command.</summary>
    /// <param name="first">The first word after the program's name, or null for every verb.</param>
    internal static RootCommand Create(string? first = null)
    {
        var root = new RootCommand(
            "Secure machine learning for .NET: from raw data to attested, monitored predictions, with evidence at each step.")
        {
            GlobalOptions.Json,
            GlobalOptions.Workspace,
        };
        var named = Array.FindAll(s_verbs, one => one.Verb == first);
        foreach (var (_, make) in named.Length > 0 ? named : s_verbs)
            root.Add(make());
        HelpText.Complete(root);
        return root;
    }
}
