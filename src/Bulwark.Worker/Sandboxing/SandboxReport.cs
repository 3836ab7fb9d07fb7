using System.Globalization;

namespace Bulwark.Worker.Sandboxing;

/// <summary>What keeps a worker's process in, as it found when it looked, and what is missing of what is demanded.</summary>
/// <param name="Active">What is active, in words.</param>
/// <param name="Missing">What is demanded and is not there, in words; empty when all is.</param>
internal sealed record SandboxReport(IReadOnlyList<string> Active, IReadOnlyList<string> Missing)
{
    internal string Text => string.Join(", ", [.. Active, .. Missing.Select(missing => $"NOT {missing}")]);

    /// <summary>The first step's findings, as they are handed to the program that is started anew.</summary>
    internal static string Hand(bool privileges, bool cores, int landlock, bool again) =>
        string.Create(CultureInfo.InvariantCulture, $"{(privileges ? 1 : 0)} {(cores ? 1 : 0)} {landlock} {(again ? 1 : 0)}");

    /// <summary>Reads <see cref="Hand"/>; what cannot be read is not there.</summary>
    internal static (bool Privileges, bool Cores, int Landlock, bool Again) Taken(string handed) =>
        handed.Split(' ') is [var privileges, var cores, var landlock, var again] && int.TryParse(landlock, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? (privileges == "1", cores == "1", version, again == "1") : default;
}
