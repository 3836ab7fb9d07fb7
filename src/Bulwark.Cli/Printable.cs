using System.Globalization;
using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bulwark.Cli;

/// <summary>Makes text from files and networks safe to show: what a terminal would obey, or an eye would not see, is written as <c>\uXXXX</c>.</summary>
/// <remarks>
/// C0 and C1 controls with ESC and DEL, line and paragraph separators, every format character (bidirectional marks and overrides, zero-width joiners and spaces,
/// tags: "Trojan Source", CVE-2021-42574), and halves of surrogate pairs. The escapes are those of JSON, so that a document stays the same document.
/// </remarks>
internal static class Printable
{
    /// <summary>Text of several lines: ends of lines and tabs stay.</summary>
    internal static string Text(string text) => Clean(text, lines: true);

    /// <summary>Text that must stay on its line, so that nobody can add one.</summary>
    internal static string Line(string text) => Clean(text, lines: false);

    /// <summary>One line as Spectre.Console's markup.</summary>
    internal static string Escape(string text) => Markup.Escape(Line(text));

    private static string Clean(string text, bool lines)
    {
        var builder = (StringBuilder?)null;
        for (var i = 0; i < text.Length; i++)
        {
            var whole = char.IsSurrogatePair(text, i);
            if (IsSafe(text, i, lines))
            {
                builder?.Append(text, i, whole ? 2 : 1);
            }
            else
            {
                builder ??= new StringBuilder(text, 0, i, text.Length + 16);
                for (var unit = i; unit <= (whole ? i + 1 : i); unit++)
                    builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[unit]:x4}");
            }

            i += whole ? 1 : 0;
        }

        return builder?.ToString() ?? text;
    }

    private static bool IsSafe(string text, int at, bool lines) => text[at] is >= ' ' and < '\x7f' || (lines && (text[at] is '\n' or '\t' || text.AsSpan(at).StartsWith("\r\n")))
        || (CharUnicodeInfo.GetUnicodeCategory(text, at) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate));

    /// <summary>Cleans all that a console draws, whoever draws it; its own colours and cursor moves pass.</summary>
    internal sealed class Hook : IRenderHook
    {
        public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) => renderables.Select(renderable => new Cleaned(renderable));
    }

    private sealed class Cleaned(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => inner.Render(options, maxWidth)
            .Select(segment => segment.IsControlCode || segment.IsLineBreak || Text(segment.Text) is var text && ReferenceEquals(text, segment.Text) ? segment : new Segment(text, segment.Style));
    }
}

/// <summary>Cleans what is written straight to stdout or stderr; <see cref="Inner"/> is for consoles, which clean by themselves.</summary>
internal sealed class PrintableWriter(TextWriter inner) : TextWriter(inner.FormatProvider)
{
    internal TextWriter Inner => inner;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        if (value is not null)
            inner.Write(Printable.Text(value));
    }

    public override void WriteLine(string? value) => Write(value + "\n");

    public override Task WriteAsync(char value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteLineAsync(string? value) => WriteAsync(value + "\n");

    public override void Flush() => inner.Flush();

    public override Task FlushAsync() => inner.FlushAsync();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
}
