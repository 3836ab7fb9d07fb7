using System.Globalization;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

/// <summary>A manifest and a verdict for people. What was not measured is said to be so.</summary>
internal static class ModelTable
{
    internal static void Draw(IAnsiConsole console, SealVerification verification)
    {
        if (verification.IsTrusted)
            console.MarkupLineInterpolated($"[green]{verification.Verdict}[/]: {Printable.Line(verification.Reason)}");
        else
            console.MarkupLineInterpolated($"[red]{verification.Verdict}[/]: {Printable.Line(verification.Reason)}");
        if (verification.Verdict == SealVerdict.UntrustedSigner)
            console.MarkupLineInterpolated($"If that key is your publisher's: --key {verification.Signer}");
        if (verification.Manifest is not { } manifest)
            return;
        if (!verification.IsTrusted)
            console.MarkupLine("[yellow]What follows is what the file says of itself; nothing vouches for it.[/]");
        Draw(console, manifest, table => table
            .AddRow("package", Printable.Escape($"{verification.PackageDigest}, {verification.PackageBytes} bytes"))
            .AddRow("signer", Printable.Escape($"{verification.Signer}")));
    }

    internal static void Draw(IAnsiConsole console, ModelManifest manifest, Action<Table>? more = null)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("what", "stated");
        table.AddRow("model", Printable.Escape($"{manifest.Name} {manifest.Version}"));
        table.AddRow("created", manifest.Created.ToString("u", CultureInfo.InvariantCulture));
        more?.Invoke(table);
        table.AddRow("data", Printable.Escape(manifest.DataCommitment?.ToString() ?? "no commitment"));
        table.AddRow("privacy", Printable.Escape(manifest.Epsilon is { } epsilon ? $"ε = {epsilon:0.####}, δ = {manifest.Delta:0.##e0} ({manifest.PrivacyUnit})" : "trained without differential privacy"));
        table.AddRow("accuracy", manifest.Accuracy?.ToString("P2", CultureInfo.InvariantCulture) ?? "not measured");
        table.AddRow("under attack", manifest.RobustAccuracy is { } robust ? $"{robust.ToString("P2", CultureInfo.InvariantCulture)} at strength {manifest.RobustStrength:0.####}" : "not measured");
        foreach (var (name, value) in manifest.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
            table.AddRow(Printable.Escape(name), value.ToString("0.######", CultureInfo.InvariantCulture));
        table.AddRow("code", Printable.Escape(manifest.CodeVersion ?? "not stated"));
        if (manifest.Dependencies.Count > 0)
            table.AddRow("built with", $"{manifest.Dependencies.Count} libraries; --json lists them with their versions");
        foreach (var file in manifest.Files)
            table.AddRow("file", Printable.Escape($"{file.Name}, {file.Bytes} bytes, {file.Digest}"));
        foreach (var note in manifest.InsecureNotes)
            table.AddRow("[red]insecure[/]", $"[red]{Printable.Escape(note)}[/]");
        console.Write(table);
        Making.ModelNotice.Draw(console, manifest);
    }

    internal static void Draw(IAnsiConsole console, FeatureSchema schema)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("feature", "kind", "values", "an attacker may change it", "declared");
        foreach (var feature in schema.Features)
        {
            var values = feature.Kind switch
            {
                FeatureKind.Categorical => $"{feature.Categories.Count} categories",
                FeatureKind.Binary => "0 or 1",
                _ => string.Create(CultureInfo.InvariantCulture, $"{feature.Minimum} to {feature.Maximum}{(feature.Scaling == Scaling.Log ? ", logarithmic" : "")}"),
            };
            table.AddRow(Printable.Escape(feature.Name), feature.Kind.ToString().ToLowerInvariant(), values, feature.Mutable ? "yes" : "no", feature.Inferred ? "[yellow]read off the data[/]" : "yes");
        }

        console.MarkupLineInterpolated($"Predicts {Printable.Line($"{schema.Label}: {schema.PositiveLabel} against {schema.NegativeLabel}")}");
        console.Write(table);
    }
}
