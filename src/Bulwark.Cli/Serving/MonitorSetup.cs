using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Server;
using Bulwark.Training;

namespace Bulwark.Cli.Serving;

/// <summary>The query monitor of a served model: its options, and how it is set up from ordinary rows.</summary>
internal static class MonitorSetup
{
    private static readonly Option<FileInfo> s_rows = new Option<FileInfo>("--monitor") { Description = "Watch queries: ordinary rows with the model's columns and label (CSV or Parquet, 400 at least), by which crowding is judged.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<AlarmAnswer> s_answer = new("--on-alarm") { Description = "What an alarm does: withhold the answer, or record it as suspicion that policies see.", DefaultValueFactory = _ => AlarmAnswer.Withhold };
    private static readonly Option<long?> s_budget = new("--budget-per-day") { Description = "Rows that one client may have scored a day.", HelpName = "ROWS" };

    internal static void AddTo(Command command)
    {
        command.Options.Add(s_rows);
        command.Options.Add(s_answer);
        command.Options.Add(s_budget);
    }

    /// <summary>The options with the observer that the command line asks for.</summary>
    /// <exception cref="CommandException">The model has no schema, or the rows are not those of the model.</exception>
    internal static async Task<GatewayOptions> ApplyAsync(ParseResult parsed, string package, GatewayOptions options, CancellationToken cancel)
    {
        if (parsed.GetValue(s_rows) is null && parsed.GetValue(s_budget) is null)
            return options;
        var observer = new MonitoredQueries(parsed.GetValue(s_answer), parsed.GetValue(s_budget), options.Time);
        if (parsed.GetValue(s_rows) is { } rows)
            await WatchAsync(observer, package, options, rows, cancel);
        return options with { Observer = observer };
    }

    private static async Task WatchAsync(MonitoredQueries observer, string package, GatewayOptions options, FileInfo rows, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(package);
        using var opened = await SealedModel.OpenAsync(stream, options.PackageKeys ?? options.Keys, options.Publishers, cancel);
        var schema = opened.Schema() ?? throw new CommandException("The model has no feature schema, so its rows cannot be compared.", "import it with --schema");
        var data = await DatasetFile.ReadAsync(rows.FullName, new(), new SchemaOptions { Label = schema.Label, Positive = [schema.PositiveLabel] }, schema, cancel: cancel);
        var encoder = new FeatureEncoder(schema);
        observer.Watch(opened.Manifest.Name, schema, QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), encoder.Encode(data.Raw), encoder.EncodedWidth));
    }
}
