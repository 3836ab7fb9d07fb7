using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>Takes anything that Bulwark made, says what it is, and checks it link by link.</summary>
internal static partial class VerifyCommand
{
    private static readonly Argument<string> Target = new("file") { Description = "A model package, protected dataset, sealed file, receipt, log folder, log proof, checkpoint or signed statement." };
    private static readonly Option<string[]> Keys = new("--key") { Description = "A signing key to trust: ed25519:… or a file with it; the default are the workspace's. A receipt needs its worker's." };
    private static readonly Option<string?> LogKey = new("--log-key") { Description = "The log's key, ed25519:…; the default is the workspace's." };
    private static readonly Option<FileInfo?> Entry = new("--entry") { Description = "For a log proof: the entry that it proves.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> Request = new("--request") { Description = "For a receipt: the request's body.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> Response = new("--response") { Description = "For a receipt: the response's body.", HelpName = "FILE" };

    internal static Command Create()
    {
        var command = new Command("verify", """
            Says what a file is and checks it, each link with a tick or its named failure. Exit code 0 verified, 1 not, 2 could not ask.

            Example: bulwark verify receipt.json --request request.json
            """) { Target, Keys, LogKey, Entry, Request, Response };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var path = Path.GetFullPath(parsed.GetRequiredValue(Target));
        var trust = Trust.Of(parsed);
        if (Directory.Exists(path))
            return TransparencyLog.IsMatch(path)
                ? await LogCommand.VerifyAsync(parsed, path, trust.LogKey, seen: null, cancel)
                : throw new CommandException($"{path} is a folder, and no log.", "bulwark verify FILE");
        if (!File.Exists(path))
            throw new CommandException($"There is no file {path}.");
        var (kind, links) = await CheckAsync(parsed, path, trust, cancel);
        var verified = links.Count > 0 && links.All(link => link.Holds);
        return new Screen(parsed).Answer(
            EvidenceView.Document(kind, path, links), console => EvidenceView.Print(console, $"{Path.GetFileName(path)}: {kind}", links), verified ? ExitCode.Yes : ExitCode.No);
    }

    private static async Task<(string Kind, IReadOnlyList<EvidenceLink> Links)> CheckAsync(ParseResult parsed, string path, Trust trust, CancellationToken cancel)
    {
        var head = new byte[64];
        await using (var stream = File.OpenRead(path))
            head = head[..await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel)];
        if (SealedFile.IsMatch(head))
            return ("sealed file", SealedLinks(parsed, path));
        if (head.AsSpan().StartsWith(Encoding.ASCII.GetBytes(TlogProof.Header)))
            return ("log proof", ProofLinks(parsed, path, trust));
        if (await DatasetLinksAsync(parsed, head, path, cancel) is { } dataset)
            return ("protected dataset", dataset);
        if (await PackageLinksAsync(head, path, trust, cancel) is { } package)
            return ("model package", package);
        if (new FileInfo(path).Length > 1 << 20)
            throw Unknown(path);
        var bytes = await File.ReadAllBytesAsync(path, cancel);
        return head.Length > 0 && head[0] == '{' ? JsonLinks(parsed, path, bytes, trust) : ("checkpoint", CheckpointLinks(path, bytes, trust));
    }

    private static IReadOnlyList<EvidenceLink> SealedLinks(ParseResult parsed, string path)
    {
        var info = SealCommand.ReadInfo(new FileInfo(path));
        using var keys = Workspace.Require(parsed).OpenKeys();
        try
        {
            using var opened = SealedFile.Open(File.OpenRead(path), keys);
            var buffer = new byte[1 << 20];
            while (opened.Read(buffer) > 0)
            {
            }

            CryptographicOperations.ZeroMemory(buffer);
            return [new("header", true, $"{info.MediaType}, sealed for {string.Join(", ", info.Slots)}"), new("content", true, $"{opened.Length:N0} bytes, every tag right")];
        }
        catch (CryptographicException failure)
        {
            return [new("content", false, failure.Message)];
        }
    }

    private static EvidenceLink[] ProofLinks(ParseResult parsed, string path, Trust trust)
    {
        var entry = parsed.GetValue(Entry) ?? throw new CommandException("A log proof proves the place of an entry: which?", "bulwark verify FILE.tlog-proof --entry ENTRY");
        try
        {
            var proof = TlogProof.Parse(File.ReadAllText(path));
            var verdict = proof.Verify(File.ReadAllBytes(SealCommand.Existing(entry).FullName), trust.RequireLogKey());
            return [new("log", verdict == LogVerdict.Verified, verdict == LogVerdict.Verified
                ? $"entry {proof.Index} of {proof.Checkpoint.Size} in {proof.Checkpoint.Origin}" : $"not proved: {verdict}")];
        }
        catch (FormatException failure)
        {
            return [new("format", false, failure.Message)];
        }
    }

    private static EvidenceLink[] CheckpointLinks(string path, byte[] bytes, Trust trust)
    {
        try
        {
            var checkpoint = Checkpoint.Parse(bytes);
            var signed = checkpoint.IsSignedBy(trust.RequireLogKey());
            return [new("signature", signed, signed ? $"{checkpoint.Origin} signs {checkpoint.Size} entries, root {checkpoint.Root}" : "not signed by the log's key")];
        }
        catch (FormatException)
        {
            throw Unknown(path);
        }
    }

    private static (string Kind, IReadOnlyList<EvidenceLink> Links) JsonLinks(ParseResult parsed, string path, byte[] bytes, Trust trust)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            if (root.TryGetProperty("payloadType", out _))
                return ("signed statement", EnvelopeLinks(bytes, trust));
            if (root.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String && format.GetString() == PredictionReceipt.FormatName)
                return ("prediction receipt", ReceiptLinks(parsed, bytes, trust));
        }
        catch (JsonException failure)
        {
            throw new CommandException($"{path} begins as JSON and is none: {failure.Message}");
        }

        throw Unknown(path);
    }

    private static IReadOnlyList<EvidenceLink> ReceiptLinks(ParseResult parsed, byte[] bytes, Trust trust)
    {
        try
        {
            var receipt = PredictionReceipt.Parse(bytes);
            var release = (parsed.GetValue(Keys) ?? []).Length == 0 && receipt.Facts is { } facts && Workspace.Find(parsed) is { } workspace
                ? AttestedWorkers.Find(TransparencyLog.OpenAsync(workspace.LogDirectory).GetAwaiter().GetResult(), facts.AttestationDigest, trust.Keys) : null;
            var links = receipt.Verify(trust.RequireLogKey(), release is null ? trust.Keys : [release.ReceiptKey], Body(parsed, Request), Body(parsed, Response)).Links;
            return links.All(link => link.Holds) ? [.. links, .. EvidenceChain.Of(receipt, parsed)] : links;
        }
        catch (FormatException failure)
        {
            return [new("format", false, failure.Message)];
        }
    }

    private static EvidenceLink[] EnvelopeLinks(byte[] bytes, Trust trust)
    {
        var result = Dsse.Verify(bytes, trust.Keys);
        var signature = new EvidenceLink("signature", result.Verdict == DsseVerdict.Trusted, result.Signer is { } signer ? $"signed by {signer}" : $"not signed by a trusted key: {result.Verdict}");
        if (result.PayloadType != Statement.PayloadType)
            return [signature, new("statement", false, $"the payload is of type {result.PayloadType ?? "none"}")];
        try
        {
            var statement = Statement.Parse(result.Payload);
            return [signature, new("statement", true, $"{statement.PredicateType} of {string.Join(", ", statement.Subjects.Select(subject => $"{subject.Name} {subject.Digest}"))}")];
        }
        catch (FormatException failure)
        {
            return [signature, new("statement", false, failure.Message)];
        }
    }

    private static ReadOnlyMemory<byte>? Body(ParseResult parsed, Option<FileInfo?> option) =>
        parsed.GetValue(option) is { } file ? File.ReadAllBytes(SealCommand.Existing(file).FullName) : (ReadOnlyMemory<byte>?)null;

    private static CommandException Unknown(string path) => new(
        $"{path} is nothing that Bulwark made: no model package, protected dataset, sealed file, receipt, log proof, checkpoint or signed statement.");

    /// <summary>Whom to believe: what the command line names, else the workspace's keys.</summary>
    private sealed record Trust(VerificationKey? LogKey, IReadOnlyCollection<VerificationKey> Keys)
    {
        internal static Trust Of(ParseResult parsed)
        {
            var named = (parsed.GetValue(VerifyCommand.Keys) ?? []).Select(ReadKey).ToArray();
            var namedLog = parsed.GetValue(VerifyCommand.LogKey) is { } text ? ReadKey(text) : null;
            if (Workspace.Find(parsed) is not { } workspace)
                return new Trust(namedLog, named);
            using var ring = workspace.OpenKeys();
            return new Trust(namedLog ?? ring.PublicKey(Workspace.LogKey), named.Length > 0 ? named : LogCommand.SigningKeys(ring));
        }

        private static VerificationKey ReadKey(string textOrFile) =>
            VerificationKey.Parse(File.Exists(textOrFile) ? File.ReadAllText(textOrFile).Trim() : textOrFile);

        internal VerificationKey RequireLogKey() => LogKey ?? throw new CommandException("Whose log? There is no workspace here to say.", "--log-key ed25519:…");
    }
}
