using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>Takes anything that Bulwark made, says what it is, and checks it link by link.</summary>
internal static partial class VerifyCommand
{
    private const int LargestText = 64 << 20;

    private static readonly Argument<string> Target = new("file") { Description = "A package, dataset, sealed file, receipt, log, checkpoint, proof, model signature, ledger, statement, run's folder, evidence or policy." };
    private static readonly Option<string[]> Keys = new("--key") { Description = "A signing key to trust: ed25519:…, or a file with it or with a PEM public key; the default are the workspace's. A receipt needs its worker's.", HelpName = "KEY" };
    private static readonly Option<FileInfo?> Roots = new("--roots") { Description = "For a model signature by certificate: its roots, PEM.", HelpName = "FILE" };
    private static readonly Option<string?> LogKey = new("--log-key") { Description = "The log's key, ed25519:…; the default is the workspace's." };
    private static readonly Option<FileInfo?> Entry = new("--entry") { Description = "For a log proof: the entry that it proves.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> Request = new("--request") { Description = "For a receipt: the request's body.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> Response = new("--response") { Description = "For a receipt: the response's body.", HelpName = "FILE" };
    private static readonly Option<string?> Model = new("--model") { Description = "For a receipt: the package that should have scored. For a model signature: the model, when it is not beside it.", HelpName = "PATH" };

    internal static Command Create()
    {
        var command = new Command("verify", """
            Says what a file or folder is and checks it, each link with a tick or its named failure. Exit code 0 verified, 1 not, 2 could not ask.

            Example: bulwark verify receipt.json --request request.json
            """) { Target, Keys, Roots, LogKey, LineageSource.Log, Entry, Request, Response, Model };
        AddMore(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var path = Path.GetFullPath(parsed.GetRequiredValue(Target));
        var trust = Trust.Of(parsed);
        if (Directory.Exists(path) && TransparencyLog.IsMatch(path))
            return await LogCommand.VerifyAsync(parsed, path, trust.LogKey, seen: null, cancel);
        if (!Path.Exists(path))
            throw new CommandException($"There is no file {path}.");
        var (kind, links) = Directory.Exists(path) ? await FolderAsync(parsed, path, trust, cancel) : await CheckAsync(parsed, path, trust, cancel);
        return new Screen(parsed).Answer(
            EvidenceView.Document(kind, path, links), console => EvidenceView.Print(console, $"{Path.GetFileName(path)}: {kind}", links), EvidenceView.Holds(links) ? ExitCode.Yes : ExitCode.No);
    }

    private static async Task<(string Kind, IReadOnlyList<EvidenceLink> Links)> CheckAsync(ParseResult parsed, string path, Trust trust, CancellationToken cancel)
    {
        var head = new byte[64];
        await using (var stream = File.OpenRead(path))
            head = head[..await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel)];
        if (SealedFile.IsMatch(head))
            return ("sealed file", await SealedLinksAsync(parsed, path, cancel));
        if (head.AsSpan().StartsWith(Encoding.ASCII.GetBytes(TlogProof.Header)))
            return ("log proof", ProofLinks(parsed, path, trust));
        if (await DatasetLinksAsync(parsed, head, path, cancel) is { } dataset)
            return ("protected dataset", dataset);
        if (await PackageLinksAsync(head, path, trust, cancel) is { } package)
            return ("model package", package);
        if (new FileInfo(path).Length > LargestText)
            throw Unknown(path);
        var bytes = await File.ReadAllBytesAsync(path, cancel);
        return head.Length > 0 && head[0] == '{' ? await JsonAsync(parsed, path, bytes, trust, cancel) : TextLinks(path, bytes, trust);
    }

    private static async Task<IReadOnlyList<EvidenceLink>> SealedLinksAsync(ParseResult parsed, string path, CancellationToken cancel)
    {
        using var keys = WorkspaceKeys.Open(Workspace.Require(parsed), "verify", Stores(parsed));
        try
        {
            await using var opened = await SealedFile.OpenAsync(File.OpenRead(path), [SealIdentity.Keys(keys.Stores)], cancel: cancel);
            var buffer = new byte[1 << 20];
            while (await opened.ReadAsync(buffer, cancel) > 0)
            {
            }

            CryptographicOperations.ZeroMemory(buffer);
            return [new("header", true, $"{opened.Info.MediaType}, sealed for {string.Join(", ", opened.Info.Slots)}"), new("content", true, $"{opened.Length:N0} bytes, every tag right")];
        }
        catch (CryptographicException failure)
        {
            return [EvidenceLink.Bad("content", "notOpened", failure.Message)];
        }
    }

    private static EvidenceLink[] ProofLinks(ParseResult parsed, string path, Trust trust)
    {
        var entry = parsed.GetValue(Entry) ?? throw new CommandException("A log proof proves the place of an entry: which?", "bulwark verify FILE.tlog-proof --entry ENTRY");
        try
        {
            var proof = TlogProof.Parse(File.ReadAllText(path));
            var verdict = proof.Verify(File.ReadAllBytes(SealCommand.Existing(entry).FullName), trust.RequireLogKey());
            return [verdict == LogVerdict.Verified
                ? EvidenceLink.Good("log", $"entry {proof.Index} of {proof.Checkpoint.Size} in {proof.Checkpoint.Origin}") : EvidenceLink.Bad("log", Word(verdict), $"not proved: {verdict}")];
        }
        catch (FormatException failure)
        {
            return [EvidenceLink.Bad("format", "malformed", JsonWords.Plain(failure.Message))];
        }
    }

    private static string Word<T>(T verdict) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(verdict.ToString());

    private static ReadOnlyMemory<byte>? Body(ParseResult parsed, Option<FileInfo?> option) =>
        parsed.GetValue(option) is { } file ? File.ReadAllBytes(SealCommand.Existing(file).FullName) : (ReadOnlyMemory<byte>?)null;

    private static CommandException Unknown(string path) => new(
        $"{path} is nothing that Bulwark made: no package, dataset, sealed file, receipt, log, proof, checkpoint, model signature, ledger, statement, run's folder, evidence or policy.");

    /// <summary>Whom to believe: what the command line names, else the workspace's keys.</summary>
    private sealed record Trust(VerificationKey? LogKey, IReadOnlyCollection<VerificationKey> Keys, EcdsaKey? ModelKey, bool Named)
    {
        internal static Trust Of(ParseResult parsed)
        {
            var texts = (parsed.GetValue(VerifyCommand.Keys) ?? []).Select(given => File.Exists(given) ? File.ReadAllText(given).Trim() : given).ToArray();
            var named = texts.Where(text => !IsPem(text)).Select(VerificationKey.Parse).ToArray();
            var modelKey = texts.FirstOrDefault(IsPem) is { } pem ? EcdsaKey.FromPem(pem) : null;
            var namedLog = parsed.GetValue(VerifyCommand.LogKey) is { } text ? VerificationKey.Parse(File.Exists(text) ? File.ReadAllText(text).Trim() : text) : null;
            if (Workspace.Find(parsed) is not { } workspace || (namedLog is not null && named.Length > 0))
                return new Trust(namedLog, named, modelKey, named.Length > 0);
            using var ring = workspace.OpenKeys();
            return new Trust(namedLog ?? ring.PublicKey(Workspace.LogKey), named.Length > 0 ? named : LogCommand.SigningKeys(ring), modelKey, named.Length > 0);
        }

        private static bool IsPem(string text) => text.StartsWith("-----BEGIN", StringComparison.Ordinal);

        internal VerificationKey RequireLogKey() => LogKey ?? throw new CommandException("Whose log? There is no workspace here to say.", "--log-key ed25519:…");
    }
}
