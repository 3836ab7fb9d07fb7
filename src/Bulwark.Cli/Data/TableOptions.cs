using System.CommandLine;
using Bulwark.Data;

namespace Bulwark.Cli;

/// <summary>How a command reads a table: the same options wherever one goes in.</summary>
internal sealed class TableOptions
{
    private readonly Option<bool> _noHeader = new("--no-header") { Description = "CSV: the first line is data, not names." };
    private readonly Option<string?> _names = new("--names") { Description = "CSV: the columns' names, separated by commas.", HelpName = "A,B,…" };
    private readonly Option<char?> _delimiter = new("--delimiter") { Description = "CSV: the separator; found by itself among , ; tab |." };
    private readonly Option<char?> _comment = new("--comment") { Description = "CSV: lines that begin with this character are skipped." };
    private readonly Option<string?> _missing = new("--missing") { Description = "CSV: texts that mean \"missing\", separated by commas, beside empty text (default: ? NA N/A NaN null).", HelpName = "A,B,…" };

    internal void AddTo(Command command)
    {
        foreach (var option in new Option[] { _noHeader, _names, _delimiter, _comment, _missing })
            command.Add(option);
    }

    /// <summary>What the command line says; with the keys of its workspace where the file is protected.</summary>
    internal TableReadOptions Read(ParseResult parsed, ProtectedInput input) => input.Apply(Read(parsed));

    private TableReadOptions Read(ParseResult parsed) => new()
    {
        HasHeader = !parsed.GetValue(_noHeader),
        ColumnNames = Split(parsed.GetValue(_names)),
        Delimiter = parsed.GetValue(_delimiter),
        Comment = parsed.GetValue(_comment),
        MissingValues = Split(parsed.GetValue(_missing)) ?? TableReadOptions.CommonMissingValues,
    };

    internal static string[]? Split(string? list) => list?.Split(',', StringSplitOptions.TrimEntries);
}
