using System.CommandLine;
using System.Globalization;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;

namespace Bulwark.Cli.Models;

internal static class ModelVerifySignatureCommand
{
    private static readonly Argument<string> s_model = new("model") { Description = "A model folder or file." };
    private static readonly Option<FileInfo?> s_signature = new("--signature") { Description = "The signature; the default is model.sig in the folder, or FILE.sig beside the file.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_key = new("--key") { Description = "The signer's public key or certificate, PEM.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_roots = new("--roots") { Description = "Roots of the signer's certificate, PEM.", HelpName = "FILE" };
    private static readonly Option<string?> s_at = new("--at") { Description = "Judge certificates as of this time, UTC; the default is now.", HelpName = "TIME" };
    private static readonly Option<bool> s_unsigned = new("--allow-unsigned") { Description = "Accept files that nobody signed." };

    private static readonly Option<bool> s_strict = new("--strict") { Description = "Refuse a model with files that its signer chose not to sign; without it they are listed." };

    private static readonly Option<bool> s_inside = new("--inside") { Description = "For a sealed package: the signature over the plain files inside, opened in memory with the workspace's keys." };

    internal static Command Create()
    {
        var command = new Command("verify-signature", """
            Checks a model folder or file against its OpenSSF Model Signing signature, whoever's tool made it. Reads every byte; exit 1 names what differs.

            Example: bulwark model verify-signature runs/fraud --key release.pub
            """) { s_model, s_signature, s_key, s_roots, s_at, s_unsigned, s_strict, s_inside };
        command.SetAction(VerifyAsync);
        return command;
    }

    private static async Task<int> VerifyAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var model = Path.GetFullPath(parsed.GetRequiredValue(s_model));
        if (parsed.GetValue(s_inside))
            return await InsideAsync(parsed, screen, model, cancel);
        var signature = parsed.GetValue(s_signature)?.FullName ?? ModelSignCommand.SignatureOf(model);
        if (!Path.Exists(model) || !File.Exists(signature))
            throw new CommandException($"There is no {(Path.Exists(model) ? $"signature {signature}" : $"model {model}")}.", "bulwark model sign MODEL --key KEY");
        var trust = Trust(parsed.GetValue(s_key), parsed.GetValue(s_roots), parsed.GetValue(s_at));
        var report = Strictly(parsed, await screen.ProgressAsync("verifying", progress => ModelSignature.VerifyAsync(model, signature, trust, parsed.GetValue(s_unsigned), progress, cancel)));
        return screen.Answer(
            new { model, signature, trusted = report.IsTrusted, report.Verdict, report.Detail, report.Signer, root = report.Root == default ? null : report.Root.ToString(), report.Resources, report.Changed, report.Missing, report.Unsigned, report.Ignored },
            console => EvidenceView.Print(console, $"{Path.GetFileName(model)}: model signature", Links(report)),
            report.IsTrusted ? ExitCode.Yes : ExitCode.No);
    }

    private static async Task<int> InsideAsync(ParseResult parsed, Screen screen, string package, CancellationToken cancel)
    {
        using var keys = WorkspaceKeys.Open(Workspace.Require(parsed), "verify");
        await using var stream = File.OpenRead(SealCommand.Existing(new FileInfo(package)).FullName);
        using var opened = await SealedModel.OpenAsync(stream, keys.Stores, LogCommand.SigningKeys(keys.Ring), cancel);
        var files = opened.Verification.Manifest!.Files.ToDictionary(file => file.Name, file => opened.File(file.Name), StringComparer.Ordinal);
        if (!files.TryGetValue(ModelSignature.FileName, out var signature))
            throw new CommandException($"{package} holds no signature over its plain files.", "bulwark model seal DIR --sign-key KEY");
        var report = Strictly(parsed, ModelSignature.VerifyFiles(files, signature, Trust(parsed.GetValue(s_key), parsed.GetValue(s_roots), parsed.GetValue(s_at))));
        return screen.Answer(
            new { model = package, inside = true, trusted = report.IsTrusted, report.Verdict, report.Detail, report.Signer, report.Resources, report.Changed, report.Missing, report.Unsigned, report.Ignored },
            console => EvidenceView.Print(console, $"{Path.GetFileName(package)}: signature over the plain files inside", Links(report)), report.IsTrusted ? ExitCode.Yes : ExitCode.No);
    }

    private static ModelSignatureReport Strictly(ParseResult parsed, ModelSignatureReport report) => parsed.GetValue(s_strict) && report is { IsTrusted: true, Ignored.Count: > 0 }
        ? report with { Verdict = ModelSignatureVerdict.ModelAltered, Detail = $"the signer left out: {string.Join(", ", report.Ignored)}" } : report;

    /// <summary>The verdict as links: signature, then files, and what the signer left out.</summary>
    internal static IReadOnlyList<EvidenceLink> Links(ModelSignatureReport report) => report.Verdict switch
    {
        ModelSignatureVerdict.Trusted => [
            new("signature", true, report.Signer ?? ""), new("model", true, report.Detail), new("root", true, report.Root.ToString()),
            .. report.Ignored.Count == 0 ? (EvidenceLink[])[] : [new("left out", true, $"{string.Join(", ", report.Ignored)}: there, and not signed")]],
        ModelSignatureVerdict.ModelAltered => [new("signature", true, report.Signer ?? ""), new("model", false, $"{report.Verdict}: {report.Detail}")],
        _ => [new("signature", false, $"{report.Verdict}: {report.Detail}")],
    };

    internal static SignatureTrust Trust(FileInfo? key, FileInfo? roots, string? at) => (key, roots) switch
    {
        ({ } file, null) => SignatureTrust.Key(EcdsaKey.FromPem(File.ReadAllText(SealCommand.Existing(file).FullName))),
        (null, { } file) => SignatureTrust.Roots([.. EcdsaKeys.Certificates(file)], at is null ? TimeProvider.System : new FixedTime(ParseTime(at))),
        _ => throw new CommandException("Whose signature is to be believed?", "either --key PUBLIC.pem or --roots CA.pem"),
    };

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : throw new CommandException($"'{text}' is no time.", "--at 2026-01-31T12:00:00Z");

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
