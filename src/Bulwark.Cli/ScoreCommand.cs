using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Server;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Scores rows on an attested worker, sealed: evidence is verified here first, and the gateway sees ciphertext.</summary>
internal static class ScoreCommand
{
    private static readonly Argument<string> Model = new("model") { Description = "The model's name." };
    private static readonly Option<Uri> Gateway = new("--gateway") { Description = "The gateway's address.", DefaultValueFactory = _ => new Uri("https://localhost:8443/"), HelpName = "URL", CustomParser = AddressOption.Parse };
    private static readonly Option<string[]> Row = new("--row") { Description = "One row: values with commas, nothing for a missing one. Give it again for more rows.", HelpName = "VALUES" };
    private static readonly Option<FileInfo> Rows = new("--rows") { Description = "A JSON file: an array of rows, each an array of numbers or null.", HelpName = "FILE" };
    private static readonly Option<FileInfo> Policy = new("--evidence-policy") { Description = "What the worker's evidence must say; see `attest policy`.", Required = true, HelpName = "FILE" };
    private static readonly Option<DirectoryInfo> Pki = new("--pki") { Description = "Folder with ca.crt and the client's certificate, key and token. The default is pki in the workspace.", HelpName = "DIR" };
    private static readonly Option<string> Client = new("--client") { Description = "Name of the client in that folder.", DefaultValueFactory = _ => "payments", HelpName = "NAME" };
    private static readonly Option<string> LogKey = new("--log-key") { Description = "The transparency log's key; the default is the workspace's.", HelpName = "KEY" };
    private static readonly Option<string> BrokerKey = new("--broker-key") { Description = "The key that signs key releases; the default is the workspace's.", HelpName = "KEY" };
    private static readonly Option<DirectoryInfo> Collateral = new Option<DirectoryInfo>("--collateral") { Description = "Folder of vendors' certificates, revocation lists and documents, for evidence that brings none.", HelpName = "DIR" }.AcceptExistingOnly();
    private static readonly Option<FileInfo[]> Revoked = new Option<FileInfo[]>("--revocation") { Description = "A revocation, as `broker revoke --output` writes it: a worker that it names is refused. Give it again for more.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<DirectoryInfo> Output = new("--output", "-o") { Description = "Where to keep request.json, response.json, receipt.json and worker.key, for `verify`.", HelpName = "DIR" };

    internal static Command Create()
    {
        var command = new Command("score", """
            Scores rows on an attested worker. Its evidence and the logged release of the model's key are verified here; then the rows go sealed to the
            attested key, and the answer counts only with a receipt that is in the log. Exit 1 when anything does not hold.

            Example: bulwark score fraud --evidence-policy evidence-policy.json --row 120,30,1
            """) { Model, Gateway, Row, Rows, Policy, Pki, Client, LogKey, BrokerKey, Collateral, Revoked, Output };
        command.SetAction(ScoreAsync);
        return command;
    }

    private static async Task<int> ScoreAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var rows = ReadRows(parsed);
        var options = Options(parsed);
        try
        {
            using var client = new BulwarkClient(options);
            var prediction = await client.PredictAsync(rows.SelectMany(row => row).ToArray(), rows.Count, cancel);
            if (parsed.GetValue(Output) is { } folder)
                Keep(folder, prediction, client.Evidence!);
            return Answer(screen, prediction, client);
        }
        catch (BulwarkClientException refused)
        {
            var word = JsonNamingPolicy.KebabCaseLower.ConvertName(refused.Failure.ToString());
            var code = refused.Failure is ClientFailure.Unreachable ? ExitCode.CouldNotAsk : ExitCode.No;
            return screen.Answer(new { refused = word, reason = refused.Message, legs = refused.Appraisal?.Legs }, console => console.MarkupLineInterpolated($"[red]{word}[/]: {refused.Message}"), code);
        }
    }

    private static int Answer(Screen screen, SealedPrediction prediction, BulwarkClient client)
    {
        var scores = prediction.Scores.Chunk(prediction.Classes).ToList();
        return screen.Answer(
            new { scores, insecure = prediction.Insecure, evidence = client.Evidence!.Digest(), kind = client.Evidence.Kind, package = client.Evidence.Model, legs = client.Appraisal!.Legs.Count, logIndex = prediction.Receipt.Proof!.Index },
            console =>
            {
                if (prediction.Insecure)
                    console.MarkupLine("[yellow]INSECURE: the worker's evidence is simulated; it proves nothing about its machine.[/]");
                foreach (var row in scores)
                    console.WriteLine(string.Join(' ', row.Select(score => score.ToString("R", CultureInfo.InvariantCulture))));
                screen.Note(Markup.Escape($"verified: {client.Appraisal.Legs.Count} legs of {client.Evidence.Kind} evidence, the logged key release, and the receipt at entry {prediction.Receipt.Proof.Index} of the log"));
            });
    }

    private static BulwarkClientOptions Options(ParseResult parsed)
    {
        var pki = parsed.GetValue(Pki)?.FullName ?? Path.Combine(Workspace.Require(parsed).Directory.FullName, "pki");
        var identity = DevelopmentIdentity.Open(pki);
        var (log, broker) = (parsed.GetValue(LogKey), parsed.GetValue(BrokerKey));
        using var keys = log is null || broker is null ? Workspace.Require(parsed).OpenKeys() : null;
        return new()
        {
            Gateway = parsed.GetRequiredValue(Gateway),
            Model = parsed.GetRequiredValue(Model),
            Policy = EvidencePolicy.FromJson(File.ReadAllBytes(parsed.GetRequiredValue(Policy).FullName)),
            Log = log is null ? keys!.PublicKey(Workspace.LogKey) : VerificationKey.Parse(log),
            Brokers = [broker is null ? keys!.PublicKey(Workspace.SigningKey) : VerificationKey.Parse(broker)],
            Collateral = parsed.GetValue(Collateral) is { } folder ? new CollateralFolder(folder.FullName) : null,
            Revocations = [.. (parsed.GetValue(Revoked) ?? []).Select(file => (ReadOnlyMemory<byte>)File.ReadAllBytes(file.FullName))],
            Authorities = [identity.LoadAuthority()],
            Certificate = identity.LoadClient(parsed.GetRequiredValue(Client)),
            Token = identity.LoadToken(parsed.GetRequiredValue(Client)),
        };
    }

    private static List<float[]> ReadRows(ParseResult parsed)
    {
        var rows = (parsed.GetValue(Row) ?? []).Select(text => text.Split(',').Select(Value).ToArray()).ToList();
        if (parsed.GetValue(Rows) is { } file)
            rows.AddRange((JsonSerializer.Deserialize<float?[][]>(File.ReadAllBytes(file.FullName)) ?? []).Select(row => row.Select(value => value ?? float.NaN).ToArray()));
        if (rows.Count == 0 || rows.Any(row => row.Length != rows[0].Length))
            throw new CommandException(rows.Count == 0 ? "There is no row to score." : "The rows have different lengths.", "give --row 1,2,3 or --rows FILE");
        return rows;
    }

    private static float Value(string text) => text.Trim() is not { Length: > 0 } number ? float.NaN
        : float.TryParse(number, CultureInfo.InvariantCulture, out var value) ? value : throw new CommandException($"'{number}' is no number.");

    private static void Keep(DirectoryInfo folder, SealedPrediction prediction, Evidence evidence)
    {
        folder.Create();
        void Write(string name, ReadOnlyMemory<byte> bytes) => AtomicFile.Write(Path.Combine(folder.FullName, name), bytes.ToArray());
        Write("request.json", prediction.Request);
        Write("response.json", prediction.Response);
        Write("receipt.json", prediction.Receipt.ToBytes());
        Write("worker.key", System.Text.Encoding.UTF8.GetBytes(evidence.Keys.Receipt + "\n"));
    }
}
