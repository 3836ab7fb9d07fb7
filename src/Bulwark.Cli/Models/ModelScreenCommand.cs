using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelScreenCommand
{
    private static readonly Argument<DirectoryInfo> s_folder = new Argument<DirectoryInfo>("model") { Description = "The model's folder, before it is sealed." }.AcceptExistingOnly();
    private static readonly Option<FileInfo?> s_constraints = new("--constraints", "-c") { Description = "Adds the relations and one-hot groups of this file: docs/formats/constraints.md (JSON or YAML).", HelpName = "FILE" };
    private static readonly Option<string[]> s_remove = new("--remove") { Description = "Removes the relation of this name; may be repeated.", HelpName = "NAME" };
    private static readonly Option<bool> s_clear = new("--remove-learnt") { Description = "Removes all that were learnt." };
    private static readonly Option<FileInfo?> s_export = new("--export") { Description = "Writes the relations as constraints (JSON), for attacks or for another model.", HelpName = "FILE" };

    internal static Command Create()
    {
        var command = new Command("screen", """
            Shows the relations between features to which a model's input screen holds rows, declared and learnt; adds and removes some.
            What is shown becomes part of the sealed package.

            Example: bulwark model screen runs/fraud --constraints relations.yaml --remove "night <= hour"
            """) { s_folder, s_constraints, s_remove, s_clear, s_export };
        command.SetAction(parsed =>
        {
            var screen = new Screen(parsed);
            var file = Path.Combine(parsed.GetRequiredValue(s_folder).FullName, ModelFolder.ScreenName);
            if (!File.Exists(file))
                throw new CommandException($"There is no {file}.", "give the folder that training wrote");
            var read = RelationTable.Read(File.ReadAllBytes(file));
            var changed = Changed(parsed, read);
            if (!ReferenceEquals(changed, read))
                AtomicFile.Write(file, changed.ToJson());
            if (parsed.GetValue(s_export) is { } export)
                AtomicFile.Write(export.FullName, System.Text.Encoding.UTF8.GetBytes(DeclaredRelations.Constraints(changed.Relations).ToJson()));
            return screen.Answer(RelationTable.Facts(changed), console =>
            {
                RelationTable.Draw(console, changed);
                if (!ReferenceEquals(changed, read))
                    console.MarkupLineInterpolated($"Written: {file}; seal the folder.");
            }, ExitCode.Yes);
        });
        return command;
    }

    private static InputScreen Changed(ParseResult parsed, InputScreen read)
    {
        var removed = parsed.GetValue(s_remove) ?? [];
        foreach (var name in removed.Where(name => !read.Relations.Any(relation => relation.Name == name)))
            throw new CommandException($"There is no relation '{name}'; nothing was changed.", "without --remove the command lists them");
        var added = parsed.GetValue(s_constraints) is { } constraints ? DeclaredRelations.Of(ConstraintsFile.Read(constraints)) : [];
        if (removed.Length == 0 && added.Count == 0 && !parsed.GetValue(s_clear))
            return read;
        ScreenRelation[] relations = [.. read.Relations.Where(relation => !removed.Contains(relation.Name, StringComparer.Ordinal) && !(parsed.GetValue(s_clear) && relation.Origin is ScreenRelationOrigin.Learnt)), .. added];
        try
        {
            // What fewer relations refuse is at most what the check says.
            return read.WithRelations(relations, relations.Any(relation => relation.Origin is ScreenRelationOrigin.Learnt) ? read.RelationCheck : null);
        }
        catch (ArgumentException fault)
        {
            throw new CommandException($"The relations do not fit; nothing was changed: {fault.Message}", "the language of relations is described in docs/formats/constraints.md");
        }
    }
}
