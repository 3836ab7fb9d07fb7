using System.CommandLine;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli.Models;

/// <summary>Gates that hold a package against the one that it would replace, on the same rows.</summary>
internal sealed class ChampionGates
{
    private readonly Option<FileInfo> _champion = new Option<FileInfo>("--over") { Description = "The sealed model that serves now: the new one must not be worse on --rows. Refused when the log has another at this stage.", HelpName = "FILE.bulwark" }.AcceptExistingOnly();
    private readonly Option<FileInfo> _rows = new Option<FileInfo>("--rows") { Description = "With --over: rows that trained neither, with labels you trust.", HelpName = "FILE" }.AcceptExistingOnly();
    private readonly Option<FileInfo> _canaries = new Option<FileInfo>("--canaries") { Description = "With --over: rows that must stay right; what the old model decides right, the new one must.", HelpName = "FILE" }.AcceptExistingOnly();
    private readonly Option<FileInfo> _fresh = new Option<FileInfo>("--new-rows") { Description = "With --over: rows that the new model was trained on; refused when values that are commoner there lead it, and not the old one, to a class (a backdoor).", HelpName = "FILE" }.AcceptExistingOnly();
    private readonly Option<double> _margin = new("--margin") { Description = "With --over: share of rows by which it may be worse, with 95 % confidence.", DefaultValueFactory = _ => 0.01 };
    private readonly Option<double> _recallMargin = new("--recall-margin") { Description = "With --over: the same of the positives.", DefaultValueFactory = _ => 0.05 };

    internal void AddTo(Command command)
    {
        foreach (var option in (Option[])[_champion, _rows, _canaries, _fresh, _margin, _recallMargin])
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_champion) is not null && result.GetValue(_rows) is null)
                result.AddError("--over compares on rows: --rows FILE");
            if (result.GetValue(_champion) is null && ((Option[])[_rows, _canaries, _fresh, _margin, _recallMargin]).FirstOrDefault(option => result.GetResult(option) is { Implicit: false }) is { } alone)
                result.AddError($"{alone.Name} holds a model against another: --over FILE.bulwark");
        });
    }

    /// <summary>None without <c>--over</c>.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="package">The new model; its signature has been verified.</param>
    /// <param name="serving">What the log has at the stage; null for nothing.</param>
    /// <param name="cancel">Stops.</param>
    internal async Task<IReadOnlyList<GateFact>> RunAsync(ParseResult parsed, FileInfo package, Digest? serving, CancellationToken cancel)
    {
        if (parsed.GetValue(_champion) is not { } file)
            return [];
        var workspace = Workspace.Find(parsed);
        using var champion = await AttackedModel.OpenAsync(file, workspace, null, cancel);
        using var challenger = await AttackedModel.OpenAsync(package, workspace, champion.Schema, cancel);
        var columns = new AttackData.Columns(null, [], [], workspace, InputAccess.Kept("promotion"));
        async Task<LabelledRows?> ReadAsync(FileInfo? rows) => rows is null ? null : PoisonOptions.Rows(await AttackData.ReadAsync(rows, challenger, columns, champion.Schema, cancel));
        var (trusted, canaries, fresh) = (await ReadAsync(parsed.GetValue(_rows)), await ReadAsync(parsed.GetValue(_canaries)), await ReadAsync(parsed.GetValue(_fresh)));
        try
        {
            var report = ChallengerTrial.Run(champion.Scorer, challenger.Scorer, trusted!, canaries, fresh);
            return [await ServesAsync(file, serving, cancel), .. Gates(report, parsed.GetValue(_margin), parsed.GetValue(_recallMargin), fresh is not null)];
        }
        catch (ArgumentException fault)
        {
            throw new CommandException(fault.Message);
        }
    }

    /// <summary>Nobody wins against a model that was chosen to lose.</summary>
    private static async Task<GateFact> ServesAsync(FileInfo champion, Digest? serving, CancellationToken cancel)
    {
        if (serving is not { } known)
            return new("champion", true, "nothing is at this stage yet");
        await using var stream = champion.OpenRead();
        return await Digest.OfAsync(stream, cancel) == known
            ? new("champion", true, "the log has it at this stage")
            : new("champion", false, $"the log has another model at this stage: {known}");
    }

    private static IEnumerable<GateFact> Gates(ChallengerReport report, double margin, double recallMargin, bool searched)
    {
        yield return Loss("no worse", report.All, margin, "rows");
        yield return Loss("no worse on positives", report.Positives, recallMargin, "positives");
        if (report.Canaries is { } canaries)
            yield return new("canaries", canaries is { Lost: 0, Rows: > 0 }, $"{canaries.Lost} of {canaries.Rows} are wrong now and were right");
        if (searched)
            yield return report.Triggers.FirstOrDefault(found => found.Suspicious) is { } found
                ? new("backdoor", false, string.Create(CultureInfo.InvariantCulture, $"{found.Trigger.Columns.Count} values of {found.Bearers.Count} new rows lead {found.Success:P0} of trusted rows to class {found.Target}; in the old model {found.Reference:P0}"))
                : new("backdoor", true, "no trigger of few features found, which is no proof");
    }

    private static GateFact Loss(string name, PairedLoss loss, double margin, string of) => new(name, loss.Most <= margin, string.Create(CultureInfo.InvariantCulture,
        $"{loss.Lost} lost and {loss.Won} won of {loss.Rows} {of}: at most {Math.Max(0, loss.Most):P2} worse (95 %), {margin:P2} allowed"));
}
