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

    // A console that draws takes a tenth of a second to load: a command that says a few plain words into a pipe never does.
    private readonly Lazy<IAnsiConsole> _out;
    private readonly Lazy<IAnsiConsole> _error;
    private readonly TextWriter _output;
    private readonly TextWriter _errors;

    internal Screen(ParseResult parsed)
    {
        _output = parsed.InvocationConfiguration.Output;
        Json = parsed.GetValue(GlobalOptions.Json);
        _errors = parsed.InvocationConfiguration.Error;
        _out = new(() => Console(_output, DrawsOutput));
        _error = new(() => Console(_errors, DrawsErrors));
    }

    /// <summary>True when the answer is to be one JSON document.</summary>
    internal bool Json { get; }

    /// <summary>The answer's console; use it only from an answer.</summary>
    internal IAnsiConsole Out => _out.Value;

    /// <summary>Progress, notes and warnings.</summary>
    internal IAnsiConsole Error => _error.Value;

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

    /// <summary>An answer of plain lines as text, or <paramref name="document"/> as JSON: what was done, what there is to know of it, and a warning or null.</summary>
    internal int Answer(object document, string done, IReadOnlyList<string> facts, string? warning = null)
    {
        if (Json || DrawsOutput)
        {
            return Answer(document, console =>
            {
                console.MarkupLineInterpolated($"[green]{done}[/]");
                foreach (var fact in facts)
                    console.WriteLine(fact);
                if (warning is not null)
                    console.MarkupLineInterpolated($"[yellow]{warning}[/]");
            });
        }

        foreach (var line in (IEnumerable<string>)[done, .. facts, .. warning is null ? Array.Empty<string>() : [warning]])
            _output.WriteLine(line);
        return ExitCode.Yes;
    }

    /// <summary>A line on stderr, not part of the answer. Markup of Spectre.Console.</summary>
    internal void Note(string markup) => Error.MarkupLine(markup);

    /// <summary>Runs long work under a progress bar on stderr, or with a line from time to time where stderr is no terminal.
    /// The fraction that <paramref name="work"/> reports is from 0 to 1.</summary>
    internal Task<T> ProgressAsync<T>(string title, Func<IProgress<double>, Task<T>> work) => !DrawsErrors
        ? work(new ProgressLines(title, _errors))
        : Error.Progress()
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

    private bool DrawsOutput => !System.Console.IsOutputRedirected && Inner(_output) == System.Console.Out;

    private bool DrawsErrors => !System.Console.IsErrorRedirected && Inner(_errors) == System.Console.Error;

    private static TextWriter Inner(TextWriter given) => given is PrintableWriter { Inner: var inner } ? inner : given;

    private static IAnsiConsole Console(TextWriter given, bool draws)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Inner(given)),
            Ansi = draws ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = draws ? InteractionSupport.Detect : InteractionSupport.No,
        });
        console.Pipeline.Attach(new Printable.Hook());
        if (!draws)
            console.Profile.Width = 140;
        return console;
    }

    /// <summary>Reports on the caller's thread: <see cref="Progress{T}"/> posts, and its last report can come after the bar is gone.</summary>
    private sealed class Direct(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
