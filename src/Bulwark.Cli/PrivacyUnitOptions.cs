using System.CommandLine;
using Bulwark.Privacy;

namespace Bulwark.Cli;

/// <summary>Whose privacy is counted, on the command line.</summary>
internal static class PrivacyUnitOptions
{
    internal static readonly Option<int> Records = new("--records-per-user") { Description = "Counts the privacy of a user who has at most this many records.", HelpName = "N", DefaultValueFactory = _ => 1 };

    internal static readonly Option<bool> Replace = new("--replace") { Description = "Neighbours replace a record; without it they add or remove one." };

    internal static PrivacyUnit Of(ParseResult parsed)
    {
        var unit = new PrivacyUnit(parsed.GetValue(Replace) ? Adjacency.Replace : Adjacency.AddOrRemove, parsed.GetValue(Records));
        return unit.Faults().ToList() is { Count: > 0 } faults ? throw new CommandException(string.Join(" ", faults)) : unit;
    }
}
