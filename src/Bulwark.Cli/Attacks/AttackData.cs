using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

/// <summary>Rows that a model is attacked with.</summary>
internal static class AttackData
{
    /// <summary>What the command line says of the columns.</summary>
    internal sealed record Columns(string? Label, string[] Positive, string[] Drop, Workspace? Workspace, InputAccess Access);

    /// <summary>Reads a file by the model's schema, or by one inferred from the file where the model has none.</summary>
    /// <exception cref="CommandException">No label is known, or the features are not as many as the model takes.</exception>
    internal static Task<Dataset> ReadAsync(FileSystemInfo file, AttackedModel model, Columns columns, FeatureSchema? inferredBefore, CancellationToken cancel) =>
        ReadAsync(file, model.Schema ?? inferredBefore, model, columns, cancel);

    /// <summary>As the other <c>ReadAsync</c>, also without a model.</summary>
    internal static async Task<Dataset> ReadAsync(FileSystemInfo file, FeatureSchema? schema, AttackedModel? model, Columns columns, CancellationToken cancel)
    {
        var label = columns.Label ?? schema?.Label ?? throw new CommandException(
            $"{model?.Name ?? file.Name} has no feature schema, so the label is not known.", "name the column: --label COLUMN");
        string[] positive = columns.Positive.Length > 0 ? columns.Positive : [schema?.PositiveLabel ?? "1"];
        using var input = await ProtectedInput.OpenAsync(columns.Workspace, columns.Access, [file.FullName], cancel);
        var data = await DatasetFile.ReadAsync(file.FullName, input.Apply(new()), new SchemaOptions { Label = label, Positive = positive, Drop = columns.Drop }, schema, cancel: cancel);
        if (model is not null && data.Width != model.Scorer.Width)
        {
            throw new CommandException(
                $"{model.Name} takes rows of {model.Scorer.Width} features; {file.Name} has {data.Width}: {string.Join(", ", data.Schema.Features.Select(feature => feature.Name))}.",
                "leave out what is no feature: --drop COLUMN …");
        }

        return data;
    }

    /// <summary>The schema with exactly the named features mutable; <c>all</c> names every number; null leaves it, unless nothing is mutable at all.</summary>
    internal static FeatureSchema WithMutable(FeatureSchema schema, string[]? names, Screen screen)
    {
        if (names is null or [] && schema.Features.Any(feature => feature.Mutable))
            return schema;
        if (names is null or [])
            screen.Note("[yellow]No feature is declared mutable: every number is taken as the attacker's to choose. Declare with --mutable.[/]");
        var all = names is null or [] or ["all"];
        if (!all && names!.FirstOrDefault(name => schema.IndexOf(name) < 0) is { } unknown)
            throw new CommandException($"The schema has no feature '{unknown}'.", $"features: {string.Join(", ", schema.Features.Select(feature => feature.Name))}");
        return schema with
        {
            Features = [.. schema.Features.Select(feature => feature with { Mutable = all ? feature.Kind != FeatureKind.Categorical : names!.Contains(feature.Name) })],
        };
    }
}
