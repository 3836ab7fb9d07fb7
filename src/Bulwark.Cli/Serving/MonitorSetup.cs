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
    private static readonly Option<AlarmAnswer> s_answer = new("--on-alarm") { Description = "What an alarm does: withhold the answer, tell the decision only (decisiononly), repeat the first answer that was given near by (repeat), or record it as suspicion that policies see (which tells the asker nothing at once).", DefaultValueFactory = _ => AlarmAnswer.Withhold };
    private static readonly Option<long?> s_budget = new("--budget-per-day") { Description = "Rows that one client may have scored a day.", HelpName = "ROWS" };

    private static readonly Option<int?> s_neighbourhood = new("--neighbourhood-budget") { Description = "Queries that may lie close together (half the typical distance of ordinary rows) among those remembered, 1 to 60, whoever sends them; one more is an alarm.", HelpName = "QUERIES" };

    private static readonly Option<Uri?> s_store = new("--monitor-store") { Description = "A Redis server in which several gateways keep together what they have seen: queries, budgets, rates, DPoP proofs; needs --monitor-key.", HelpName = "redis[s]://HOST:PORT", CustomParser = result => Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is "redis" or "rediss" ? uri : Wrong(result) };
    private static readonly Option<FileInfo> s_password = new Option<FileInfo>("--monitor-store-password") { Description = "A file that holds the store's password.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_key = new Option<FileInfo>("--monitor-key") { Description = "A file of 32 secret bytes, the same on every gateway; without it the key is new at each start.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<bool> s_alone = new("--monitor-alone") { Description = "Go on by this gateway's own memory while the store is away; else requests are answered 503 then." };
    private static readonly Option<bool> s_sealed = new("--sealed-unmonitored") { Description = "Take sealed requests although the monitor sees nothing of their rows; else they are refused where --monitor is to withhold answers or scores." };
    private static readonly Option<bool> s_extraction = new("--watch-extraction") { Description = "Also watch each client for a copy in the making (PRADA), measured against the ordinary rows." };
    private static readonly Option<FileInfo> s_alerts = new("--alerts") { Description = "A file that gets each alarm as a line of JSON, with its ATLAS technique and what it rests on.", HelpName = "FILE" };
    private static readonly TimeSpan s_memory = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    internal static void AddTo(Command command)
    {
        command.Options.Add(s_rows);
        command.Options.Add(s_answer);
        command.Options.Add(s_budget);
        command.Options.Add(s_neighbourhood);
        command.Options.Add(s_store);
        command.Options.Add(s_password);
        command.Options.Add(s_key);
        command.Options.Add(s_alone);
        command.Options.Add(s_sealed);
        command.Options.Add(s_extraction);
        command.Options.Add(s_alerts);
    }

    /// <summary>The options with the observer that the command line asks for.</summary>
    /// <exception cref="CommandException">The model has no schema, or the rows are not those of the model.</exception>
    internal static async Task<GatewayOptions> ApplyAsync(ParseResult parsed, string package, GatewayOptions options, CancellationToken cancel)
    {
        if (parsed.GetValue(s_rows) is null && parsed.GetValue(s_budget) is null && parsed.GetValue(s_store) is null && parsed.GetValue(s_neighbourhood) is null)
            return options;
        var store = parsed.GetValue(s_store);
        var key = parsed.GetValue(s_key) is { } file ? await File.ReadAllBytesAsync(file.FullName, cancel) : RandomNumberGenerator.GetBytes(32);
        if (key.Length != 32)
            throw new CommandException("The monitor's key file does not hold 32 bytes.", "openssl rand -out monitor.key 32");
        if (store is not null && parsed.GetValue(s_key) is null)
            throw new CommandException("Gateways that share what they see need the same --monitor-key.", "openssl rand -out monitor.key 32");
        var password = parsed.GetValue(s_password) is { } secret ? (await File.ReadAllTextAsync(secret.FullName, cancel)).Trim() : null;
        var shared = store is null ? null : await SharedQueries.JoinAsync(store, password, key, s_memory, s_patience);
        if (shared is not null && await shared.HasSameKeyAsync() is false)
        {
            await shared.DisposeAsync();
            throw new CommandException("The gateways that use this --monitor-store have another --monitor-key: they would share nothing.", $"give all the same key, or this one another database (redis://HOST:PORT/1); where all changed their key: redis-cli DEL {SharedQueries.FingerprintKey}");
        }

        var observer = new MonitoredQueries(parsed.GetValue(s_answer), parsed.GetValue(s_budget), options.Time, shared, parsed.GetValue(s_alone)) { Alerted = parsed.GetValue(s_alerts) is { } alerts ? new AlertFile(alerts.FullName).Write : null };
        if (parsed.GetValue(s_neighbourhood) is not null && parsed.GetValue(s_rows) is null)
            throw new CommandException("A neighbourhood is told by ordinary rows.", "give --monitor");
        if (parsed.GetValue(s_rows) is { } rows)
            await WatchAsync(observer, package, options, rows, key, new() { NeighbourhoodBudget = parsed.GetValue(s_neighbourhood) }, parsed.GetValue(s_extraction), cancel);
        return options with { Observer = observer, SharedProofs = shared is null ? null : new(shared, key), SharedRates = shared is null ? null : new(shared, parsed.GetValue(s_alone)), SealedUnmonitored = options.SealedUnmonitored || parsed.GetValue(s_sealed) };
    }

    private static async Task WatchAsync(MonitoredQueries observer, string package, GatewayOptions options, FileInfo rows, byte[] key, QueryMonitorOptions how, bool extraction, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(package);
        using var opened = await SealedModel.OpenAsync(stream, options.PackageKeys ?? options.Keys, options.Publishers, cancel);
        var schema = opened.Schema() ?? throw new CommandException("The model has no feature schema, so its rows cannot be compared.", "import it with --schema");
        var data = await DatasetFile.ReadAsync(rows.FullName, new(), new SchemaOptions { Label = schema.Label, Positive = [schema.PositiveLabel] }, schema, cancel: cancel);
        var encoder = new FeatureEncoder(schema);
        var encoded = encoder.Encode(data.Raw);
        if (how.Faults().ToList() is { Count: > 0 } faults)
            throw new CommandException(string.Join(" ", faults), "bulwark serve --help");
        var monitor = QueryMonitor.Fit(key, encoded, encoder.EncodedWidth, how);
        observer.Watch(opened.Manifest.Name, schema, monitor, extraction ? OrdinaryUse.Options(encoded, encoder.EncodedWidth) : null);
    }

    private static Uri? Wrong(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError("The store is redis://HOST:PORT or rediss://HOST:PORT.");
        return null;
    }
}
