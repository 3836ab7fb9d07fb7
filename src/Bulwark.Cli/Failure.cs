using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Cli;

/// <summary>A command could not ask its question: the message says what is wrong and the hint what to do. Exit code 2.</summary>
/// <param name="message">What is wrong, one sentence.</param>
/// <param name="hint">What to do about it; a command line where there is one.</param>
internal sealed class CommandException(string message, string? hint = null) : Exception(message)
{
    internal string? Hint { get; } = hint;
}

/// <summary>Turns what rooms throw into one clear line and an exit code; nothing secret, no stack.</summary>
internal static class Failure
{
    internal static bool Explains(Exception failure) => failure is
        CommandException or IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException
        or CryptographicException or FormatException or JsonException or NotSupportedException or InvalidOperationException
        or HttpRequestException or TimeoutException
        or OperationCanceledException { InnerException: TimeoutException }   // how an HTTP client says that it waited in vain
        or System.Data.Common.DbException;   // a database's disk is full, or its file was damaged

    /// <summary>A message can hold what a stranger wrote: only its first line begins a line.</summary>
    private static string Indented(string text) => text.ReplaceLineEndings("\n       ");

    /// <summary>The folder that was read or written as if it were a file: the runtime says only that access to it is denied.</summary>
    private static string? FolderIn(string message) => message.Split('\'') is [_, var path, _] && Directory.Exists(path) ? path : null;

    internal static async Task<int> ReportAsync(Exception failure, ParseResult parsed, TextWriter output, TextWriter error)
    {
        var hint = (failure as CommandException)?.Hint ?? (failure as Bulwark.Cryptography.KeyProviderException)?.Advice ?? (failure is Bulwark.Privacy.PrivacyBudgetException
            ? "raise the budget, which weakens what it promised: bulwark privacy ledger budget DATASET --epsilon N --delta D" : null);
        var code = failure is CryptographicException ? ExitCode.No : ExitCode.CouldNotAsk;
        var message = failure switch
        {
            JsonException => $"This is no JSON as expected: {JsonWords.Plain(failure.Message)}",
            UnauthorizedAccessException when FolderIn(failure.Message) is { } folder => $"{folder} is a folder; a file was expected.",
            _ => JsonWords.Plain(failure.Message),
        };
        await error.WriteLineAsync($"error: {Indented(message)}");
        if (hint is not null)
            await error.WriteLineAsync($"hint:  {Indented(hint)}");
        if (parsed.GetValue(GlobalOptions.Json))
            await output.WriteLineAsync(JsonSerializer.Serialize(new { error = message, hint }, Screen.JsonOptions));
        return code;
    }
}
