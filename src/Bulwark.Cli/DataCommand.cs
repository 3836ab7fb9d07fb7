using System.CommandLine;

namespace Bulwark.Cli;

internal static class DataCommand
{
    internal static Command Create() => new("data", "Makes, searches and protects tables: CSV, Parquet, protected Parquet.")
    {
        DataSimulateCommand.Create(),
        DataFeaturesCommand.Create(),
        DataScanCommand.Create(),
        DataProtectCommand.Create(),
        DataRevealCommand.Create(),
        DataShredCommand.Create(),
        DataShredEpochCommand.Create(),
    };
}
