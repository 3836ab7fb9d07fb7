using System.CommandLine;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class KeysCommand
{
    internal static Command Create() => new("keys", """
        The workspace's keyring: which keys there are, new ones, new versions.

        Example: bulwark keys list
        """)
    {
        List(), New("create", "Makes the first version of a key.", mustExist: false), New("rotate", "Makes a key's next version; older ones still open what they protected.", mustExist: true),
        Change("retire", "From now on the version only opens and verifies.", (ring, id) => ring.Retire(id)),
        Change("destroy", "Erases the version's secret for good: what only it protected can never be opened again.", (ring, id) => ring.Destroy(id)),
        ExportPublic(),
    };

    private static Command List()
    {
        var command = new Command("list", """
            Every key and version, without secrets.

            Example: bulwark keys list --json
            """);
        command.SetAction(parsed =>
        {
            using var ring = Workspace.Require(parsed).OpenKeys();
            var keys = ring.List();
            return new Screen(parsed).Answer(new { keys = keys.Select(Document) }, console => console.Write(Table(keys)));
        });
        return command;
    }

    private static Command New(string verb, string description, bool mustExist)
    {
        var name = new Argument<string>("name") { Description = "The key's name, for example sealing." };
        var kind = new Option<KeyKind>("--kind") { Description = "symmetric wraps and derives; signing is Ed25519.", DefaultValueFactory = _ => KeyKind.Symmetric };
        var command = new Command(verb, $"""
            {description}

            Example: bulwark keys {verb} sealing
            """) { name };
        if (!mustExist)
            command.Add(kind);
        command.SetAction(parsed =>
        {
            using var ring = Workspace.Require(parsed).OpenKeys();
            var wanted = parsed.GetRequiredValue(name);
            var known = ring.List().LastOrDefault(key => key.Id.Name == wanted);
            if (mustExist != known is not null)
                throw new CommandException(mustExist ? $"There is no key {wanted}." : $"There is a key {wanted} already.", $"bulwark keys {(mustExist ? "create" : "rotate")} {wanted}");
            var id = (known?.Kind ?? parsed.GetValue(kind)) == KeyKind.Signing ? ring.CreateSigning(wanted) : ring.CreateSymmetric(wanted);
            return AnswerOne(parsed, ring, id);
        });
        return command;
    }

    private static Command Change(string verb, string description, Action<KeyRing, KeyId> change)
    {
        var version = new Argument<string>("version") { Description = "Name and version, for example sealing@1." };
        var command = new Command(verb, $"""
            {description}

            Example: bulwark keys {verb} sealing@1
            """) { version };
        command.SetAction(parsed =>
        {
            using var ring = Workspace.Require(parsed).OpenKeys();
            var id = KeyId.Parse(parsed.GetRequiredValue(version));
            change(ring, id);
            return AnswerOne(parsed, ring, id);
        });
        return command;
    }

    private static Command ExportPublic()
    {
        var name = new Argument<string>("name") { Description = "A signing key's name, or one version of it." };
        var command = new Command("export-public", """
            Prints a signing key's public half: what others verify with.

            Example: bulwark keys export-public log
            """) { name };
        command.SetAction(parsed =>
        {
            using var ring = Workspace.Require(parsed).OpenKeys();
            var text = parsed.GetRequiredValue(name);
            var key = KeyId.TryParse(text, out var id) ? ring.PublicKey(id) : ring.PublicKey(text);
            return new Screen(parsed).Answer(new { name = text, publicKey = key.ToString(), fingerprint = key.Fingerprint.ToString() },
                console => console.WriteLine(key.ToString()));
        });
        return command;
    }

    private static int AnswerOne(ParseResult parsed, KeyRing ring, KeyId id)
    {
        var key = ring.List().Single(candidate => candidate.Id == id);
        return new Screen(parsed).Answer(Document(key), console => console.Write(Table([key])));
    }

    private static object Document(KeyInfo key) => new { id = key.Id.ToString(), key.Kind, key.State, key.Created, key.PublicKey };

    private static Table Table(IEnumerable<KeyInfo> keys)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("key", "kind", "state", "created", "public key");
        foreach (var key in keys)
        {
            table.AddRow(
                new Text(key.Id.ToString()), new Text(key.Kind.ToString().ToLowerInvariant()),
                new Text(key.State.ToString().ToLowerInvariant(), key.State == KeyState.Enabled ? new Style(Color.Green) : new Style(Color.Grey)),
                new Text($"{key.Created:yyyy-MM-dd HH:mm}"), new Text(key.PublicKey ?? ""));
        }

        return table;
    }
}
