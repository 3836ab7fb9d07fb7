using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

/// <summary>Options of commands that plant poison or look for it: which rows, which are trusted, by which recipe.</summary>
internal sealed class PoisonOptions
{
    internal Option<FileInfo> Data { get; } = new Option<FileInfo>("--data", "-d") { Description = "Training rows, labelled: CSV, Parquet or protected Parquet.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();

    internal Option<FileInfo> Trusted { get; } = new Option<FileInfo>("--trusted") { Description = "Rows of the same kind that are known to be clean, 200 at least; thresholds are set on them.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();

    internal Option<FileSystemInfo?> Model { get; } = new("--model", "-m") { Description = "A model folder, whose recipe trains; or any ONNX file, in which triggers are searched.", HelpName = "DIR|FILE.onnx" };

    internal Option<string?> Label { get; } = new("--label") { Description = "The label's column; else what the model's schema says." };

    internal Option<string[]> Positive { get; } = new("--positive") { Description = "The label's values that count as positive; else what the schema says, or 1.", AllowMultipleArgumentsPerToken = true };

    internal Option<string[]> Drop { get; } = new("--drop") { Description = "Columns that are no features.", AllowMultipleArgumentsPerToken = true };

    internal Option<int> TriggerSize { get; } = new("--trigger-size") { Description = "Most features of a trigger, 1 to 8.", DefaultValueFactory = _ => 3 };

    internal Option<FileInfo?> Output { get; } = new("--output", "-o") { Description = "Also write the report as JSON to this file.", HelpName = "FILE" };

    private readonly InputAccessOptions _access = new("attack");

    internal void AddTo(Command command)
    {
        foreach (var option in (Option[])[Data, Trusted, Model, Label, Positive, Drop, TriggerSize, Output])
            command.Options.Add(option);
        _access.AddTo(command);
    }

    internal int Size(ParseResult parsed) => parsed.GetValue(TriggerSize) is >= 1 and <= 8 and var size ? size : throw new CommandException($"--trigger-size is {parsed.GetValue(TriggerSize)}; 1 to 8.");

    /// <summary>The model, where one is named; and its recipe, else a network by default options.</summary>
    internal async Task<(AttackedModel? Model, TrainingOptions Recipe)> OpenAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (parsed.GetValue(Model) is not { } named)
            return (null, new());
        if (!named.Exists && !Directory.Exists(named.FullName))
            throw new CommandException($"There is no model {named.FullName}.");
        var model = await AttackedModel.OpenAsync(named, Workspace.Find(parsed), null, cancel);
        if (model.Scorer.Classes != 1)
            throw new CommandException($"{model.Name} tells {model.Scorer.Classes} classes apart; rows are screened for binary models.");
        return (model, MembershipSide.RecipeOf(named) ?? new());
    }

    internal async Task<Dataset> ReadAsync(ParseResult parsed, FileInfo file, AttackedModel? model, Dataset? like, CancellationToken cancel)
    {
        var columns = new AttackData.Columns(parsed.GetValue(Label), parsed.GetValue(Positive) ?? [], parsed.GetValue(Drop) ?? [], Workspace.Find(parsed), _access.Read(parsed));
        return await AttackData.ReadAsync(file, model?.Schema ?? like?.Schema, model, columns, cancel);
    }

    internal static LabelledRows Rows(Dataset data) => new(data.Raw, data.Labels);
}
