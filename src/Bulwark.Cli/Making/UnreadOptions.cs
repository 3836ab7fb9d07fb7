using System.CommandLine;

namespace Bulwark.Cli.Making;

/// <summary>Options that were typed and that the chosen way of training would not read: they are refused, for a setting that is silently dropped is trusted all the same.</summary>
/// <param name="parsed">The command line.</param>
internal sealed class UnreadOptions(ParseResult parsed)
{
    private readonly Dictionary<string, string> _reasons = [];

    /// <summary>These belong to <paramref name="owner"/>, which was not chosen.</summary>
    internal UnreadOptions Unless(bool chosen, string owner, params Option[] options) => chosen ? this : Note($"only with {owner}", options);

    /// <summary>These mean nothing for <paramref name="choice"/>, which was made.</summary>
    internal UnreadOptions When(bool chosen, string choice, params Option[] options) => chosen ? Note($"not with {choice}", options) : this;

    /// <exception cref="CommandException">An option was typed that nothing reads; the message names all of them.</exception>
    internal void Refuse()
    {
        if (_reasons.Count == 0)
            return;
        var names = string.Join(", ", _reasons.Keys);
        throw new CommandException($"This run would not read {string.Join("; ", _reasons.Select(pair => $"{pair.Key} ({pair.Value})"))}.", $"leave out {names}, or choose what it belongs to");
    }

    private UnreadOptions Note(string reason, Option[] options)
    {
        foreach (var option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
                _reasons.TryAdd(option.Name, reason);
        }

        return this;
    }
}
