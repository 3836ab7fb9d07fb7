using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;

namespace Bulwark.Cli;

/// <summary>What every command's help owes its reader, so that no command has to think of it: the program's name as it is typed, placeholders that say what kind of value is wanted, lists of one sentence each.</summary>
internal static class HelpText
{
    internal static void Complete(RootCommand root)
    {
        root.HelpName = "bulwark";
        Name(root);
    }

    /// <summary>Cuts what stands beside each of <paramref name="command"/>'s commands to its first sentence; that command's own help says all.</summary>
    internal static void Shorten(Command command)
    {
        foreach (var child in command.Subcommands)
            child.Description = FirstSentence(child.Description ?? "");
    }

    /// <summary>Leaves what only a command above takes out of a command's usage: <c>train DATA</c> is not how <c>train images</c> is typed.</summary>
    internal static void Focus(CommandResult command)
    {
        foreach (var own in command.Command.Arguments)
            own.Hidden = false;
        for (var above = command.Parent as CommandResult; above is not null; above = above.Parent as CommandResult)
        {
            foreach (var other in above.Command.Arguments)
                other.Hidden = true;
        }
    }

    private static string FirstSentence(string text)
    {
        var line = text.Split('\n', 2)[0].TrimEnd();
        return line.IndexOf(". ", StringComparison.Ordinal) is >= 0 and var end ? line[..(end + 1)] : line;
    }

    private static void Name(Command command)
    {
        foreach (var option in command.Options.Where(option => !option.GetCompletions(CompletionContext.Empty).Any()))   // choices are listed
            option.HelpName ??= Kind(Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType);
        foreach (var child in command.Subcommands)
            Name(child);
    }

    private static string? Kind(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Int32 or TypeCode.Int64 or TypeCode.UInt32 or TypeCode.UInt64 => "N",
        TypeCode.Single or TypeCode.Double or TypeCode.Decimal => "X",
        TypeCode.String => "TEXT",
        TypeCode.Char => "C",
        _ when type.GetElementType() is { } one => Kind(one),
        _ when type == typeof(FileInfo) => "FILE",
        _ => null,
    };
}
