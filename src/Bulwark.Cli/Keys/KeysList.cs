using System.CommandLine;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Keys;

internal static class KeysList
{
    internal static Command Create()
    {
        var key = new Argument<string?>("key") { Description = "A key in another store (pkcs11:, vault:, aws-kms:, gcp-kms:, azure-kv:); without it, the keyring's.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("list", """
            Every key and version, without secrets; says which are past their time.

            Example: bulwark keys list --json
            """) { key };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            if (KeyAddress.Parse(parsed.GetValue(key)) is { } uri)
            {
                using var stores = WorkspaceKeys.Open(Workspace.Require(parsed), "list", uri);
                return Answer(screen, await stores.Stores.DescribeAsync(uri, cancel));
            }

            using var ring = Workspace.Require(parsed).OpenKeys();
            var keys = KeyStanding.Of(ring.List(), DateTimeOffset.UtcNow);
            Warn(screen, keys);
            return screen.Answer(new { unlockedBy = ring.UnlockedBy, keys = keys.Select(Document) }, console => console.Write(Table(keys)));
        });
        return command;
    }

    /// <summary>One version of the keyring, after it was changed.</summary>
    internal static int AnswerOne(Screen screen, KeyRing ring, KeyId id)
    {
        var key = KeyStanding.Of(ring.List(), DateTimeOffset.UtcNow).Single(candidate => candidate.Info.Id == id);
        return screen.Answer(Document(key), console => console.Write(Table([key])));
    }

    /// <summary>A key of another store.</summary>
    internal static int Answer(Screen screen, KeyDescription key) => screen.Answer(
        new
        {
            key = key.Key.ToString(),
            key.Algorithm,
            key.StrengthBits,
            key.HeldIn,
            key.Extractable,
            current = key.Current?.Id.ToString(),
            versions = key.Versions.Select(version => new { id = version.Id.ToString(), version.State, version.Created, version.Note }),
        },
        console =>
        {
            console.MarkupLineInterpolated($"{key.Key}: {key.Algorithm}, held in {key.HeldIn}{(key.Extractable switch { false => ", cannot be taken out", true => ", can be taken out", _ => "" })}");
            var table = new Table().Border(TableBorder.Rounded).AddColumns("version", "state", "created", "note");
            foreach (var version in key.Versions)
                table.AddRow(new Text(version.Id.Version ?? "-"), State(version.State), new Text(version.Created is { } made ? $"{made:yyyy-MM-dd HH:mm}" : "not stated"), new Text(version.Note ?? ""));
            console.Write(table);
        });

    internal static void Warn(Screen screen, IEnumerable<KeyStanding> keys)
    {
        foreach (var warning in keys.Select(key => key.Warning).OfType<string>())
            screen.Note($"[yellow]{Markup.Escape(warning)}[/]");
    }

    private static object Document(KeyStanding key) => new
    {
        id = key.Info.Id.ToString(),
        key.Info.Kind,
        key.Info.State,
        key.Info.Created,
        key.Info.PublicKey,
        key.Info.Purpose,
        imported = key.Info.IsImported ? true : (bool?)null,
        standing = key.Standing,
        useEnds = key.UseEnds,
        openingEnds = key.OpeningEnds,
        warning = key.Warning,
    };

    private static Table Table(IEnumerable<KeyStanding> keys)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("key", "kind", "state", "created", "protects until", "public key");
        foreach (var key in keys)
        {
            table.AddRow(
                new Text(key.Info.Id.ToString()), new Text(key.Info.Kind.ToString().ToLowerInvariant()), State(key.Info.State), new Text($"{key.Info.Created:yyyy-MM-dd HH:mm}"),
                new Text(key.IsCurrent ? $"{key.UseEnds:yyyy-MM-dd}" : "", key.Warning is null ? Style.Plain : new Style(Color.Yellow)), new Text(key.Info.PublicKey ?? ""));
        }

        return table;
    }

    private static Text State(KeyState state) => new(state == KeyState.DecryptOnly ? "opens only" : state.ToString().ToLowerInvariant(), state == KeyState.Enabled ? new Style(Color.Green) : new Style(Color.Grey));
}
