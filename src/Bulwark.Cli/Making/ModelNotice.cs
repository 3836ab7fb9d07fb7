using Bulwark.Models;
using Bulwark.Privacy;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>The privacy statement of a trained model: written into its manifest, which sealing signs, and shown with it.</summary>
internal static class ModelNotice
{
    internal static PrivacyNotice Of(PrivacyStatement privacy) => PrivacyNotice.Of(
        privacy.Event,
        privacy.Delta,
        privacy.Sampling,
        [
            "The model's weights, every step of training and the empty batches among them.",
            "What was read off the training rows for it: their noisy number, the input screen's moments, bounds that were paid for.",
        ],
        ["Figures and thresholds computed from test rows.", "Other models and statistics from the same rows: the ledger has their total.", .. privacy.Notes]);

    /// <summary>The statement's words, or nothing where the manifest has none. A statement whose figures differ from the manifest's is refused.</summary>
    internal static void Draw(IAnsiConsole console, ModelManifest manifest)
    {
        if (manifest.Privacy is not { } json)
            return;
        PrivacyNotice notice;
        try
        {
            notice = PrivacyNotice.Parse(json);
        }
        catch (InvalidDataException failure)
        {
            console.MarkupLineInterpolated($"[red]{failure.Message}[/]");
            return;
        }

        if (notice.Epsilon != manifest.Epsilon || notice.Delta != manifest.Delta)
            console.MarkupLine("[red]The privacy statement and the manifest name different figures.[/]");
        console.MarkupLineInterpolated($"[bold]Privacy[/]: epsilon {notice.Epsilon:g6} at delta {notice.Delta:g3}, {notice.Unit}. Sampling: {notice.Sampling}.");
        foreach (var line in notice.Words)
            console.MarkupLineInterpolated($"  {line}");
        foreach (var line in notice.NotCovered)
            console.MarkupLineInterpolated($"  Not covered: {line}");
        console.MarkupLineInterpolated($"  Counted by {string.Join(", ", notice.Accountants.Select(pair => pair.Value is { } value ? $"{pair.Key} ({value:g6})" : pair.Key))}.");
    }
}
