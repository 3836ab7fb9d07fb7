using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Data;

namespace Bulwark.Cli;

/// <summary>How protected data is laid out, from the command line.</summary>
internal sealed class ProtectedLayout
{
    private readonly Option<string?> _partition = new("--partition-by") { Description = "Make folders COLUMN=VALUE of a column that is not encrypted.", HelpName = "COLUMN" };
    private readonly Option<long?> _rowsPerFile = new("--rows-per-file") { Description = "Make a folder of parts of at most so many rows.", HelpName = "N" };
    private readonly Option<int?> _rowsPerGroup = new("--rows-per-group") { Description = "Rows of a row group (131072).", HelpName = "N" };
    private readonly Option<string> _footer = new Option<string>("--footer") { Description = "encrypted; or plaintext: signed, schema and kept columns open without keys.", DefaultValueFactory = _ => "encrypted" }.AcceptOnlyFromAmong("encrypted", "plaintext");
    private readonly Option<bool> _plain = new("--plain-columns") { Description = "Leave kept columns unencrypted; Parquet then does not authenticate them." };
    private readonly Option<string?> _keys = new Option<string?>("--wrapped-keys") { Description = "inside the Parquet files, or beside them, where `keys rewrap` can replace them (a folder's default).", HelpName = "inside|beside" }.AcceptOnlyFromAmong("inside", "beside");

    private readonly Option<string?> _kek = new("--kek") { Description = "The master key of the footer, in any key store (data/footer of the key ring). Columns name theirs in the policy; a store beside the key ring is opened only when it is named here.", HelpName = "ADDRESS" };

    internal void AddTo(Command command)
    {
        foreach (var option in new Option[] { _partition, _rowsPerFile, _rowsPerGroup, _footer, _plain, _keys, _kek })
            command.Add(option);
    }

    /// <summary>True when the output is a folder of parts.</summary>
    internal bool IsFolder(ParseResult parsed, FileInfo output) =>
        parsed.GetValue(_partition) is not null || parsed.GetValue(_rowsPerFile) is not null || output.Extension.Length == 0;

    internal ProtectionOptions Read(ParseResult parsed)
    {
        var standard = ProtectionOptions.Default;
        return standard with
        {
            PartitionBy = parsed.GetValue(_partition),
            RowsPerFile = parsed.GetValue(_rowsPerFile),
            RowsPerGroup = parsed.GetValue(_rowsPerGroup) ?? standard.RowsPerGroup,
            PlaintextFooter = parsed.GetValue(_footer) == "plaintext",
            PlainColumns = parsed.GetValue(_plain),
            FooterKey = KeyAddress.Parse(parsed.GetValue(_kek)) ?? standard.FooterKey,
            ExternalKeys = parsed.GetValue(_keys) is { } where ? where == "beside" : null,
        };
    }
}
