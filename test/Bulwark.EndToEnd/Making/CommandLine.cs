using System.Text.Json;
using Bulwark.Cli;

namespace Bulwark.EndToEnd.Making;

/// <summary>Runs one command line in this process.</summary>
internal static class CommandLine
{
    internal static async Task<Answered> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await BulwarkCommand.RunAsync(args, output, error);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>What came of it.</summary>
    internal sealed record Answered(int Code, string Output, string Error)
    {
        internal JsonElement Json => JsonDocument.Parse(Output).RootElement;

        /// <summary>All that was said, for the message of an assertion.</summary>
        internal string Said => $"exit code {Code}\n{Error}\n{Output}";
    }
}
