using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Where one command speaks: answers on stdout (text or one JSON document), the rest on stderr.</summary>
internal sealed class Screen
{
    internal static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly TextWriter _output;

    internal Screen(ParseResult parsed)
    {
        _output = parsed.InvocationConfiguration.Output;
        Json = parsed.GetValue(GlobalOptions.Json);
        Out = Console(_output, System.Console.Out, System.Console.IsOutputRedirected);
        Error = Console(parsed.InvocationConfiguration.Error, System.Console.Error, System.Console.IsErrorRedirected);
    }

    /// <summary>True when the answer is to be one JSON document.</summary>
    internal bool Json { get; }

    /// <summary>The answer's console; use it only from <see cref="Answer"/>.</summary>
    internal IAnsiConsole Out { get; }

    /// <summary>Progress, notes and warnings.</summary>
    internal IAnsiConsole Error { get; }

    /// <summary>Prints the answer once: <paramref name="document"/> as JSON, or what <paramref name="text"/> draws.</summary>
    /// <returns><paramref name="exitCode"/>, so that an action can return the call.</returns>
    internal int Answer(object document, Action<IAnsiConsole> text, int exitCode = ExitCode.Yes)
    {
        if (Json)
            _output.WriteLine(JsonSerializer.Serialize(document, JsonOptions));
        else
            text(Out);
        return exitCode;
    }

    /// <summary>A line on stderr, not part of the answer. Markup of Spectre.Console.</summary>
    internal void Note(string markup) => Error.MarkupLine(markup);

    /// <summary>Runs long work under a progress bar on stderr. The fraction that <paramref name="work"/> reports is from 0 to 1.</summary>
    internal Task<T> ProgressAsync<T>(string title, Func<IProgress<double>, Task<T>> work) =>
        Error.Progress()
            .AutoClear(false)
            .HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Printable.Escape(title), maxValue: 1);
                var result = await work(new Direct(fraction => task.Value = Math.Clamp(fraction, 0, 1)));
                task.Value = 1;
                return result;
            });

    private static IAnsiConsole Console(TextWriter given, TextWriter terminal, bool redirected)
    {
        var writer = given is PrintableWriter { Inner: var inner } ? inner : given;
        redirected |= writer != terminal;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        console.Pipeline.Attach(new Printable.Hook());
        if (redirected)
            console.Profile.Width = 140;
        return console;
    }

    /// <summary>Reports on the caller's thread: <see cref="Progress{T}"/> posts, and its last report can come after the bar is gone.</summary>
    private sealed class Direct(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
