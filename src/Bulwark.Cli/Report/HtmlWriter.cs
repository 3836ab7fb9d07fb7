using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Bulwark.Cli.Report;

/// <summary>Builds HTML from interpolated strings: the literal parts are markup, every hole is escaped text. There is no way to add a string as markup.</summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder _markup = new();

    public override string ToString() => _markup.ToString();

    /// <summary>Adds markup with escaped holes.</summary>
    internal HtmlWriter Add([InterpolatedStringHandlerArgument("")] ref Interpolation markup)
    {
        _ = markup;
        return this;
    }

    /// <summary>Makes any text harmless inside an element or a quoted attribute: control and bidirectional-override characters become visible. A per cent sign stays on its figure's line.</summary>
    internal static void Escape(string text, StringBuilder into)
    {
        foreach (var rune in text.Replace(" %", "\u00a0%", StringComparison.Ordinal).EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '&': into.Append("&amp;"); break;
                case '<': into.Append("&lt;"); break;
                case '>': into.Append("&gt;"); break;
                case '"': into.Append("&quot;"); break;
                case '\'': into.Append("&#39;"); break;
                case '\n' or '\t': into.Append((char)rune.Value); break;
                case < 0x20 or (>= 0x7f and < 0xa0) or (>= 0x202a and <= 0x202e) or (>= 0x2066 and <= 0x2069) or 0x200e or 0x200f or 0x2028 or 0x2029:
                    into.Append(CultureInfo.InvariantCulture, $"[U+{rune.Value:X4}]");
                    break;
                default: into.Append(rune.ToString()); break;
            }
        }
    }

    /// <summary>Collects one interpolated string straight into the writer; escapes its holes.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct Interpolation
    {
        private readonly StringBuilder _into;

        public Interpolation(int literalLength, int holes, HtmlWriter writer)
        {
            _into = writer._markup;
            _into.EnsureCapacity(_into.Length + literalLength + 16 * holes);
        }

        public void AppendLiteral(string markup) => _into.Append(markup);

        public void AppendFormatted(string? text) => Escape(text ?? "", _into);

        public void AppendFormatted(int number) => _into.Append(number.ToString(CultureInfo.InvariantCulture));

        public void AppendFormatted(double coordinate) => _into.Append(coordinate.ToString("0.##", CultureInfo.InvariantCulture));
    }
}
