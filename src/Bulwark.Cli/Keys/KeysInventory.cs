using System.CommandLine;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Keys;

internal static class KeysInventory
{
    private static readonly string[] s_columns =
        ["key", "version", "state", "algorithm", "strength_bits", "created", "rotated", "use_ends", "opening_ends", "purpose", "held_in", "imported", "uses_logged", "last_use_logged", "warning"];

    internal static Command Create()
    {
        var key = new Option<string[]>("--key") { Description = "A key in another store to list, too; may be repeated." };
        var csv = new Option<bool>("--csv") { Description = "Print CSV (RFC 4180) instead of a table." };
        var command = new Command("inventory", """
            The list of keys that auditors ask for (PCI DSS 3.6, 3.7): algorithm, strength, dates, cryptoperiod, where held, uses in the log.

            Example: bulwark keys inventory --csv > keys.csv
            """) { key, csv };
        command.SetAction(async (parsed, cancel) =>
        {
            var (screen, workspace) = (new Screen(parsed), Workspace.Require(parsed));
            var others = (parsed.GetValue(key) ?? []).Select(text => KeyAddress.Parse(text)!).Where(uri => !uri.IsInRing()).ToArray();
            using var keys = WorkspaceKeys.Open(workspace, "inventory", others);
            var uses = await UsesAsync(workspace, keys.Ring, cancel);
            var lines = KeyStanding.Of(keys.Ring.List(), DateTimeOffset.UtcNow).Select(standing => InventoryLine.Of(standing, Path.GetFileName(workspace.KeyRingPath), uses)).ToList();
            foreach (var uri in others)
                lines.AddRange(InventoryLine.Of(await keys.Stores.DescribeAsync(uri, cancel), uses));
            if (parsed.GetValue(csv) && !screen.Json)
            {
                parsed.InvocationConfiguration.Output.Write(Csv(lines));
                return ExitCode.Yes;
            }

            return screen.Answer(new { made = DateTimeOffset.UtcNow, log = uses is null ? "none" : "counted", keys = lines }, console => Draw(console, lines));
        });
        return command;
    }

    /// <summary>How often the workspace's log saw each version used, and when last, by entries that the workspace signed; null without a log.</summary>
    private static async Task<Dictionary<(string Key, string? Version), (long Count, DateTimeOffset Last)>?> UsesAsync(Workspace workspace, KeyRing keys, CancellationToken cancel)
    {
        if (!Directory.Exists(workspace.LogDirectory))
            return null;
        var uses = new Dictionary<(string, string?), (long Count, DateTimeOffset Last)>();
        var log = await TransparencyLog.OpenAsync(workspace.LogDirectory, trustedKey: keys.PublicKey(Workspace.LogKey));
        var signers = LogCommand.SigningKeys(keys);
        foreach (var (_, entry) in log.ReadEntries())
        {
            cancel.ThrowIfCancellationRequested();
            if (Dsse.Peek(entry) is not (Statement.PayloadType, var payload) || Used(payload) is not { Operation: "wrap" or "unwrap" or "rewrap" or "sign" } use || Dsse.Verify(entry, signers).Verdict != DsseVerdict.Trusted)
                continue;
            var known = uses.GetValueOrDefault((use.Key, use.Version));
            uses[(use.Key, use.Version)] = (known.Count + (use.Count ?? 1), use.Time > known.Last ? use.Time : known.Last);
        }

        return uses;
    }

    private static KeyUsed? Used(byte[] payload)
    {
        try
        {
            return Predicates.TryRead<KeyUsed>(Statement.Parse(payload));
        }
        catch (FormatException)
        {
            return null;   // another program's entry
        }
    }

    private static string Csv(IEnumerable<InventoryLine> lines) => string.Concat(new[] { string.Join(',', s_columns) + "\r\n" }.Concat(lines.Select(line => string.Join(',', line.Cells().Select(Quoted)) + "\r\n")));

    /// <summary>Quoted, and never a formula for a spreadsheet.</summary>
    private static string Quoted(string cell) => $"\"{(cell.Length > 0 && "=+-@\t".Contains(cell[0], StringComparison.Ordinal) ? "'" : "")}{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static void Draw(IAnsiConsole console, List<InventoryLine> lines)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("key", "state", "algorithm", "bits", "created", "rotated", "use ends", "held in", "purpose", "uses");
        foreach (var line in lines)
        {
            table.AddRow(
                new Text($"{line.Key}{(line.Version is null ? "" : $"@{line.Version}")}"), new Text(line.State), new Text(line.Algorithm), new Text(line.StrengthBits.ToString(CultureInfo.InvariantCulture)),
                new Text(Day(line.Created)), new Text(Day(line.Rotated)), new Text(Day(line.UseEnds), line.Warning is null ? Style.Plain : new Style(Color.Yellow)), new Text(line.HeldIn), new Text(line.Purpose ?? ""), new Text(line.UsesLogged?.ToString(CultureInfo.InvariantCulture) ?? ""));
        }

        console.Write(table);
    }

    internal static string Day(DateTimeOffset? time) => time is { } at ? $"{at:yyyy-MM-dd}" : "";
}

/// <summary>One version of one key, as an auditor reads it.</summary>
internal sealed record InventoryLine(
    string Key, string? Version, string State, string Algorithm, int StrengthBits, DateTimeOffset? Created, DateTimeOffset? Rotated, DateTimeOffset? UseEnds, DateTimeOffset? OpeningEnds,
    string? Purpose, string HeldIn, bool Imported, long? UsesLogged, DateTimeOffset? LastUseLogged, string? Warning)
{
    internal static InventoryLine Of(KeyStanding key, string file, Dictionary<(string Key, string? Version), (long Count, DateTimeOffset Last)>? uses)
    {
        var uri = KeyUri.Of(key.Info.Id);
        var use = uses?.GetValueOrDefault((uri.Key.ToString(), uri.Version));
        var symmetric = key.Info.Kind == KeyKind.Symmetric;
        return new(
            uri.Key.ToString(), uri.Version, Word(key.Info.State), symmetric ? "AES-256-GCM" : "Ed25519", symmetric ? 256 : 128, key.Info.Created, key.Rotated, key.UseEnds, key.OpeningEnds,
            key.Info.Purpose ?? Known(key.Info.Id.Name), $"keyring file {file}", key.Info.IsImported, symmetric ? use?.Count : null, use is { Count: > 0 } ? use.Value.Last : null, key.Warning);
    }

    internal static IEnumerable<InventoryLine> Of(KeyDescription key, Dictionary<(string Key, string? Version), (long Count, DateTimeOffset Last)>? uses)
    {
        var period = Cryptoperiod.Of(KeyKind.Symmetric);
        for (var i = 0; i < key.Versions.Count; i++)
        {
            var version = key.Versions[i];
            var use = uses?.GetValueOrDefault((key.Key.ToString(), version.Id.Version));
            var standing = period.StandingOf(version.State, version.Created, DateTimeOffset.UtcNow, version == key.Current);
            yield return new(
                key.Key.ToString(), version.Id.Version, Word(version.State), key.Algorithm, key.StrengthBits, version.Created, i + 1 < key.Versions.Count ? key.Versions[i + 1].Created : null, version.Created + period.Use, version.Created + period.Opening,
                null, key.HeldIn, false, use?.Count, use is { Count: > 0 } ? use.Value.Last : null, standing is CryptoperiodStanding.UseIsOver or CryptoperiodStanding.EndsSoon or CryptoperiodStanding.OpeningIsOver ? Word(standing) : version.Note);
        }
    }

    internal IEnumerable<string> Cells() =>
    [
        Key, Version ?? "", State, Algorithm, StrengthBits.ToString(CultureInfo.InvariantCulture), Time(Created), Time(Rotated), Time(UseEnds), Time(OpeningEnds), Purpose ?? "", HeldIn,
        Imported ? "yes" : "no", UsesLogged?.ToString(CultureInfo.InvariantCulture) ?? "", Time(LastUseLogged), Warning ?? "",
    ];

    private static string Time(DateTimeOffset? time) => time is { } at ? at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "";

    private static string? Known(string name) => name switch
    {
        Workspace.LogKey => "signs the log's checkpoints",
        Workspace.SigningKey => "signs statements and models",
        "pseudonyms" => "turns people's names in the log into pseudonyms",
        Workspace.SealingKey => "wraps the keys of sealed files",
        _ => null,
    };

    private static string Word<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
