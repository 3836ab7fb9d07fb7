using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    private static readonly Option<FileInfo?> WitnessPolicy = new("--witness-policy") { Description = "For a receipt: which witnesses must have cosigned its checkpoint (c2sp.org/tlog-policy).", HelpName = "FILE" };
    private static readonly Option<string[]> StatementKeys = new("--statement-key") { Description = "For a receipt: who signed the statements of the log, ed25519:…; the default are the workspace's.", HelpName = "KEY" };

    /// <summary>The receipt's own links first, then the walk through the log: whatever fails is named, and nothing below it is believed.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>> ReceiptLinksAsync(ParseResult parsed, byte[] bytes, Trust trust)
    {
        PredictionReceipt receipt;
        try
        {
            receipt = PredictionReceipt.Parse(bytes);
        }
        catch (FormatException failure)
        {
            return [EvidenceLink.Bad("format", "malformed", JsonWords.Plain(failure.Message))];
        }

        var logKey = trust.RequireLogKey();
        LineageReader? reader = null;
        EvidenceLink? damaged = null;
        try
        {
            reader = await LineageSource.FindAsync(parsed, logKey, Signers(parsed, trust));
        }
        catch (InvalidDataException failure)
        {
            damaged = EvidenceLink.Bad("checkpoint", "logDamaged", failure.Message);
        }

        var walk = reader is null ? null : new EvidenceWalk(reader);
        var report = receipt.Verify(logKey, WorkerKeys(receipt, trust, walk), Body(parsed, Request), Body(parsed, Response), ExpectedModel(parsed));
        var links = report.Links;
        if (!report.Trusted)
        {
            if (!trust.Named && report.Signer is null)
                new Screen(parsed).Note("[grey]A worker's key is believed when a release in the log at hand names it, or the command line: --key KEY.[/]");
            return links;
        }

        if (Witnesses(parsed, receipt) is { } witnesses)
            links = [.. links, witnesses];
        if (damaged is not null)
            return [.. links, damaged];
        if (walk is null)
            new Screen(parsed).Note("[grey]No log at hand: the chain ends at the checkpoint. A workspace, or --log DIR with a copy of the log, leads further.[/]");
        return walk is null ? links : [.. links, .. walk.From(receipt, report.Signer!)];
    }

    /// <summary>The worker's key is in the release of its model's key, unless the command line names it. Nobody else's key counts: a workspace's own signs statements, no predictions.</summary>
    private static IReadOnlyCollection<VerificationKey> WorkerKeys(PredictionReceipt receipt, Trust trust, EvidenceWalk? walk)
    {
        try
        {
            return trust.Named ? trust.Keys : receipt.Facts is { } facts && walk?.Release(facts.AttestationDigest) is { } release ? [release.ReceiptKey] : [];
        }
        catch (InvalidDataException)
        {
            return [];   // the walk names the damage
        }
    }

    /// <summary>Whether as many witnesses as the policy asks have seen the receipt's checkpoint; null without a policy.</summary>
    private static EvidenceLink? Witnesses(ParseResult parsed, PredictionReceipt receipt)
    {
        if (parsed.GetValue(WitnessPolicy) is not { } file)
            return null;
        var report = LogPolicy.Parse(File.ReadAllBytes(SealCommand.Existing(file).FullName)).Judge(receipt.Proof!.Checkpoint);
        return report.Verdict == LogVerdict.Verified ? EvidenceLink.Good("witnesses", report.Detail) : EvidenceLink.Bad("witnesses", Word(report.Verdict), report.Detail);
    }

    private static Digest? ExpectedModel(ParseResult parsed)
    {
        if (parsed.GetValue(Model) is not { } path)
            return null;
        using var package = File.OpenRead(SealCommand.Existing(new FileInfo(path)).FullName);
        return Digest.OfAsync(package).GetAwaiter().GetResult();
    }

    private static IReadOnlyCollection<VerificationKey> Signers(ParseResult parsed, Trust trust)
    {
        if (parsed.GetValue(StatementKeys) is { Length: > 0 } named)
            return [.. named.Select(text => VerificationKey.Parse(File.Exists(text) ? File.ReadAllText(text).Trim() : text))];
        if (Workspace.Find(parsed) is not { } workspace)
            return trust.Keys;
        using var keys = workspace.OpenKeys();
        return LogCommand.SigningKeys(keys);
    }
}
