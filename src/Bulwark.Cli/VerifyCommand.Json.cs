using System.CommandLine;
using System.Text;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cli.Making;
using Bulwark.Cli.Models;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Policy;
using Bulwark.Privacy;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    private static readonly Option<FileInfo?> EvidencePolicyFile = new("--evidence-policy") { Description = "For evidence: the policy to judge it by.", HelpName = "FILE" };
    private static readonly Option<string[]> Kek = new("--kek") { Description = "For data and sealed files: a key of theirs in another key store (vault:…, pkcs11:…), which may then be asked; may be repeated.", HelpName = "ADDRESS" };
    private static readonly Option<string?> Nonce = new("--nonce") { Description = "For evidence: the fresh number that was asked with, hex." };

    private static async Task<(string Kind, IReadOnlyList<EvidenceLink> Links)> JsonAsync(ParseResult parsed, string path, byte[] bytes, Trust trust, CancellationToken cancel)
    {
        var text = Encoding.UTF8.GetString(bytes);
        if (text.Contains("\"previous\"", StringComparison.Ordinal) && text.TrimEnd().Contains('\n', StringComparison.Ordinal) && IsLedger(bytes))
            return ("privacy ledger", await WitnessedLedgerAsync(parsed, path, trust));
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            root = document.RootElement.Clone();
        }
        catch (JsonException failure)
        {
            throw new CommandException($"{path} begins as JSON and is none: {failure.Message}");
        }

        if (IsLedger(bytes))
            return ("privacy ledger", await WitnessedLedgerAsync(parsed, path, trust));
        if (root.TryGetProperty("payloadType", out _))
            return ("signed statement", EnvelopeLinks(bytes, trust));
        if (ModelSignature.IsMatch(bytes))
            return ("model signature", await SignatureLinksAsync(parsed, path, trust, cancel));
        return FormatOf(root) switch
        {
            PredictionReceipt.FormatName => ("prediction receipt", await ReceiptLinksAsync(parsed, bytes, trust)),
            RowGroupProof.FormatName => ("row group proof", await RowGroupLinksAsync(parsed, bytes, trust)),
            "bulwark.dev/evidence/v1" => ("evidence of a worker", EvidenceLinks(parsed, bytes)),
            "bulwark.dev/evidence-policy/v1" => ("evidence policy", Sound(() => EvidencePolicy.FromJson(bytes), policy => $"{policy.Environment}, kinds {string.Join(", ", policy.Kinds)}, {policy.Models.Count} models, {policy.Measurements.Count} measurements; digest {policy.Digest()}")),
            "data-policy/v1" => ("data policy", Sound(() => ProtectionPolicy.Parse(text), policy => $"dataset {policy.Dataset}, {policy.Columns.Count} columns")),
            _ => throw Unknown(path),
        };
    }

    /// <summary>What is no JSON: a checkpoint, a ledger that begins otherwise, or a policy.</summary>
    private static (string Kind, IReadOnlyList<EvidenceLink> Links) TextLinks(string path, byte[] bytes, Trust trust)
    {
        if (Path.GetExtension(path) == ".cedar")
            return ("access policy", Sound(() => PolicySet.Parse(Encoding.UTF8.GetString(bytes)), _ => $"digest {Digest.Of(bytes)}"));
        if (Path.GetExtension(path) is ".yaml" or ".yml" && Encoding.UTF8.GetString(bytes).Contains("data-policy/v1", StringComparison.Ordinal))
            return ("data policy", Sound(() => ProtectionPolicy.Parse(Encoding.UTF8.GetString(bytes)), policy => $"dataset {policy.Dataset}, {policy.Columns.Count} columns"));
        return ("checkpoint", CheckpointLinks(path, bytes, trust));
    }

    private static EvidenceLink[] CheckpointLinks(string path, byte[] bytes, Trust trust)
    {
        try
        {
            var checkpoint = Checkpoint.Parse(bytes);
            return [checkpoint.IsSignedBy(trust.RequireLogKey())
                ? EvidenceLink.Good("signature", $"{checkpoint.Origin} signs {checkpoint.Size} entries, root {checkpoint.Root}") : EvidenceLink.Bad("signature", "otherLog", "not signed by the log's key")];
        }
        catch (FormatException)
        {
            throw Unknown(path);
        }
    }

    private static EvidenceLink[] EnvelopeLinks(byte[] bytes, Trust trust)
    {
        var result = Dsse.Verify(bytes, trust.Keys);
        var signature = result.Signer is { } signer ? EvidenceLink.Good("signature", $"signed by {signer}") : EvidenceLink.Bad("signature", Word(result.Verdict), $"not signed by a trusted key: {result.Verdict}");
        if (result.PayloadType != Statement.PayloadType)
            return [signature, EvidenceLink.Bad("statement", "otherPayload", $"the payload is of type {result.PayloadType ?? "none"}")];
        try
        {
            var statement = Statement.Parse(result.Payload);
            var known = Predicates.Read(statement) is not null;
            return [signature, EvidenceLink.Good("statement", $"{statement.PredicateType}{(known ? "" : " (not one of Bulwark's)")} of {string.Join(", ", statement.Subjects.Take(3).Select(subject => $"{subject.Name} {subject.Digest}"))}{(statement.Subjects.Count > 3 ? $" and {statement.Subjects.Count - 3} more" : "")}")];
        }
        catch (FormatException failure)
        {
            return [signature, EvidenceLink.Bad("statement", "malformed", JsonWords.Plain(failure.Message))];
        }
    }

    private static async Task<IReadOnlyList<EvidenceLink>> SignatureLinksAsync(ParseResult parsed, string path, Trust trust, CancellationToken cancel)
    {
        var model = parsed.GetValue(Model) ?? (Path.GetFileName(path) == ModelSignature.FileName ? Path.GetDirectoryName(path)! : Path.ChangeExtension(path, null));
        if (!Path.Exists(model))
            throw new CommandException($"A model signature, and the model is not beside it.", "bulwark verify FILE.sig --model MODEL --key PUBLIC.pem");
        var believed = trust.ModelKey is { } key ? SignatureTrust.Key(key)
            : parsed.GetValue(Roots) is { } roots ? SignatureTrust.Roots([.. EcdsaKeys.Certificates(roots)], TimeProvider.System)
            : throw new CommandException("This is a model signature, which counts only when you say whose you believe.", "--key PUBLIC.pem or --roots CA.pem");
        return ModelVerifySignatureCommand.Links(await ModelSignature.VerifyAsync(model, path, believed, cancel: cancel));
    }

    private static IReadOnlyList<EvidenceLink> EvidenceLinks(ParseResult parsed, byte[] bytes)
    {
        if (parsed.GetValue(EvidencePolicyFile) is not { } file || parsed.GetValue(Nonce) is not { } nonce)
            throw new CommandException("Evidence of a worker: a policy and the nonce say whether it is right.", "--evidence-policy FILE --nonce HEX");
        try
        {
            var verifier = new EvidenceVerifier(EvidencePolicy.FromJson(File.ReadAllBytes(SealCommand.Existing(file).FullName)), TimeProvider.System);
            return [.. verifier.Verify(Evidence.FromJson(bytes), Convert.FromHexString(nonce)).Legs.Select(leg => (Leg: leg, Holds: leg.Outcome is LegOutcome.Passed or LegOutcome.NotApplicable))
                .Select(one => new EvidenceLink(one.Leg.Name, one.Holds, one.Leg.Detail) { Fault = one.Holds ? null : Word(one.Leg.Outcome) })];
        }
        catch (FormatException failure)
        {
            return [EvidenceLink.Bad("format", "malformed", JsonWords.Plain(failure.Message))];
        }
    }

    private static bool IsLedger(byte[] bytes)
    {
        var line = bytes.AsSpan(0, bytes.AsSpan().IndexOf((byte)'\n') is >= 0 and var end ? end : bytes.Length).ToArray();
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement is { ValueKind: JsonValueKind.Object } entry && entry.TryGetProperty("dataset", out _) && entry.TryGetProperty("previous", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static IReadOnlyList<EvidenceLink> LedgerLinks(string path) => Sound(() =>
    {
        using var ledger = PrivacyLedger.Open(path);
        return (ledger.Entries.Count, Datasets: ledger.Datasets.Count, ledger.Head);
    }, ledger => $"{ledger.Count} entries for {ledger.Datasets} data sets, each chained to the one before; head {ledger.Head}");

    /// <summary>The ledger's own chain shows no cut at its end; the log's memory of its head does.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>> WitnessedLedgerAsync(ParseResult parsed, string path, Trust trust)
    {
        var own = LedgerLinks(path);
        if (!EvidenceView.Holds(own) || await LineageSource.FindAsync(parsed, trust.LogKey, trust.Keys) is not { } reader || LedgerWitness.Newest(reader) is not var (index, head, _))
            return own;
        using var ledger = PrivacyLedger.Open(path);
        return [.. own, LedgerWitness.Knows(ledger, head)
            ? EvidenceLink.Good("log", $"entry {index} of the log knows a head of this ledger")
            : EvidenceLink.Bad("log", "ledgerCut", $"entry {index} of the log knows the head {head}, and this ledger never had it: it was cut, set back, or is another")];
    }

    /// <summary>Something that is right when it can be read without a fault.</summary>
    private static IReadOnlyList<EvidenceLink> Sound<T>(Func<T> read, Func<T, string> say)
    {
        try
        {
            return [EvidenceLink.Good("content", say(read()))];
        }
        catch (Exception failure) when (failure is FormatException or InvalidDataException or JsonException or ArgumentException)
        {
            return [EvidenceLink.Bad("content", "malformed", JsonWords.Plain(failure.Message))];
        }
    }

    private static string? FormatOf(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String ? format.GetString() : null;

    private static void AddMore(Command command)
    {
        command.Options.Add(WitnessPolicy);
        command.Options.Add(StatementKeys);
        command.Options.Add(EvidencePolicyFile);
        command.Options.Add(Nonce);
        command.Options.Add(Kek);
    }
}
