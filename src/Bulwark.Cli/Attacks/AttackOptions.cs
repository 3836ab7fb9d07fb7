using System.CommandLine;

namespace Bulwark.Cli.Attacks;

/// <summary>Options that every attack takes: which model, how the label is found, where the report goes.</summary>
internal sealed class AttackOptions
{
    internal Option<FileSystemInfo> Model { get; } = new Option<FileSystemInfo>("--model", "-m")
    {
        Description = "A model folder, a sealed package of the workspace's keys, or any ONNX file with one float matrix as input.",
        HelpName = "DIR|FILE.onnx|FILE.bulwark",
    }.AcceptExistingOnly();

    internal Option<string?> Label { get; } = new("--label") { Description = "The label's column; else what the model's schema says." };

    internal Option<string[]> Positive { get; } = new("--positive") { Description = "The label's values that count as positive; else what the schema says, or 1.", AllowMultipleArgumentsPerToken = true };

    internal Option<string[]> Drop { get; } = new("--drop") { Description = "For a model without a schema: columns that are no features.", AllowMultipleArgumentsPerToken = true };

    internal Option<FileInfo?> Output { get; } = new("--output", "-o") { Description = "Also write the report as JSON to this file.", HelpName = "FILE" };

    internal InputAccessOptions Access { get; } = new("attack");

    internal void AddTo(Command command, bool modelRequired = true)
    {
        Model.Required = modelRequired;
        command.Options.Add(Model);
        command.Options.Add(Label);
        command.Options.Add(Positive);
        command.Options.Add(Drop);
        command.Options.Add(Output);
        Access.AddTo(command);
    }

    internal AttackData.Columns Columns(ParseResult parsed) =>
        new(parsed.GetValue(Label), parsed.GetValue(Positive) ?? [], parsed.GetValue(Drop) ?? [], Workspace.Find(parsed), Access.Read(parsed));
}
