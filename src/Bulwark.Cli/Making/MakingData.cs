using Bulwark.Data;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>Reads what a pipeline names into training and test rows.</summary>
internal static class MakingData
{
    /// <summary>Names the folder that holds shared data sets.</summary>
    internal const string SharedVariable = "BULWARK_SHARED";

    /// <summary>The folder that data files are looked up in: the option's, else the shared one's, else the pipeline file's own.</summary>
    internal static string Folder(DirectoryInfo? option, FileInfo pipeline, string file)
    {
        string[] candidates =
        [
            .. option is null ? Array.Empty<string>() : [option.FullName],
            .. Environment.GetEnvironmentVariable(SharedVariable) is { Length: > 0 } shared ? (string[])[Path.Combine(shared, "data")] : [],
            Path.Combine("..", "shared", "data"),
            pipeline.DirectoryName!,
        ];
        var looked = option is null ? candidates : candidates[..1];
        return looked.FirstOrDefault(folder => Path.Exists(Path.Combine(folder, file))) ?? throw new CommandException(
            $"There is no {file} in {string.Join(", ", looked.Select(Path.GetFullPath))}.",
            $"name its folder with --data; {pipeline.Name} says where to get the files");
    }

    /// <summary>Reads training and test rows; protected files and folders with the workspace's keys; their encrypted columns only for a purpose.</summary>
    internal static async Task<(Dataset Train, Dataset Test, IReadOnlyList<DataOrigin> From, IReadOnlyList<DataOrigin> TestFrom)> ReadAsync(PipelineFile pipeline, string folder, Workspace workspace, InputAccess access, CancellationToken cancel)
    {
        var options = Schema(pipeline);
        var file = Path.Combine(folder, pipeline.Data.Train);
        using var input = await ProtectedInput.OpenAsync(workspace, access, [file, .. pipeline.Data.Test is { } measured ? (string[])[Path.Combine(folder, measured)] : []], cancel);
        var reading = input.Apply(Reading(pipeline.Data));
        var from = await input.BehindAsync(file, cancel);
        if (pipeline.Data.Test is { } test)
        {
            var train = await DatasetFile.ReadAsync(file, reading, options, cancel: cancel);
            input.Note(file, train.Commitment);
            return (train, await DatasetFile.ReadAsync(Path.Combine(folder, test), reading, options, train.Schema, cancel: cancel), from, await input.BehindAsync(Path.Combine(folder, test), cancel));
        }

        if (pipeline.Data.SplitBy is not null && pipeline.Variants.Any(variant => variant.Private is not null))
            throw new CommandException("data.splitBy finds its cut in the rows themselves: private variants cannot promise anything then.", "split at a date that you choose into data.train and data.test");
        var split = await DatasetFile.ReadAsync(file, reading, options, new SplitRule(pipeline.Data.TestFraction, pipeline.Seed, pipeline.Data.SplitBy), cancel: cancel);
        input.Note(file, split.Train.Commitment);
        return (split.Train, split.Test, from, from);
    }

    /// <summary>The rows that membership inference compares with; null when the pipeline names none.</summary>
    internal static async Task<Dataset?> ReadHoldoutAsync(PipelineFile pipeline, string folder, FeatureSchema schema, Workspace workspace, InputAccess access, CancellationToken cancel)
    {
        if (pipeline.Data.Holdout is not { } name)
            return null;
        var file = Path.Combine(folder, name);
        using var input = await ProtectedInput.OpenAsync(workspace, access, [file], cancel);
        return await DatasetFile.ReadAsync(file, input.Apply(Reading(pipeline.Data)), Schema(pipeline), schema, cancel: cancel);
    }

    internal static TableReadOptions Reading(PipelineData data) => new()
    {
        HasHeader = data.Header,
        ColumnNames = data.Columns.Count > 0 ? data.Columns : null,
        MissingValues = data.Missing,
        Comment = data.Comment is { Length: 1 } comment ? comment[0] : null,
        Delimiter = data.Delimiter is { Length: 1 } delimiter ? delimiter[0] : null,
    };

    private static SchemaOptions Schema(PipelineFile pipeline) => new()
    {
        Label = pipeline.Label,
        Positive = pipeline.Positive,
        Drop = pipeline.Drop,
        Features = [.. pipeline.Features.Select(Declared)],
    };

    private static Feature Declared(PipelineFeature feature) => new()
    {
        Name = feature.Name,
        Kind = Enum.TryParse<FeatureKind>(feature.Kind, ignoreCase: true, out var kind) ? kind
            : throw new CommandException($"Feature {feature.Name}: there is no kind {feature.Kind}.", "numeric, integer, binary or categorical"),
        Minimum = feature.Minimum,
        Maximum = feature.Maximum,
        Categories = feature.Categories,
        Bins = feature.Bins,
        Mutable = feature.Mutable,
        Missing = feature.Missing ? MissingPolicy.Indicator : MissingPolicy.Neutral,
        Scaling = feature.Scaling is null ? default : Enum.TryParse<Scaling>(feature.Scaling, ignoreCase: true, out var scaling) ? scaling
            : throw new CommandException($"Feature {feature.Name}: there is no scaling {feature.Scaling}.", "linear or log"),
    };
}
