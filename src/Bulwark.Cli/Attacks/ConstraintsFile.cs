using Bulwark.Assurance;
using Bulwark.Data;

namespace Bulwark.Cli.Attacks;

/// <summary>Reads constraints in JSON or YAML.</summary>
internal static class ConstraintsFile
{
    internal static TabularConstraints Read(FileInfo file)
    {
        if (!file.Exists)
            throw new CommandException($"There is no file {file.FullName}.");
        var text = File.ReadAllText(file.FullName);
        try
        {
            return TabularConstraints.Parse(text.AsSpan().TrimStart() is ['{', ..] ? text : PolicyYaml.ToJson(text));
        }
        catch (Exception fault) when (fault is FormatException or InvalidDataException)
        {
            throw new CommandException($"{file.Name}: {fault.Message}", "the format is described in docs/formats/constraints.md");
        }
    }
}
